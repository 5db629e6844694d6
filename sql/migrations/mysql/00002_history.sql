-- +goose Up

ALTER TABLE stock_adjustments
  ADD COLUMN from_stock BIGINT       NULL,
  ADD COLUMN to_stock   BIGINT       NULL,
  ADD COLUMN reason     VARCHAR(500) NULL;

-- What became of orders: a row for each version of an order, written with it.
CREATE TABLE order_events (
  order_id    BIGINT       NOT NULL,
  version     BIGINT       NOT NULL,
  from_status VARCHAR(9)   NULL, -- NULL where the order was placed
  to_status   VARCHAR(9)   NOT NULL,
  caller      VARCHAR(150) NULL, -- NULL where it took place before version 2 of the schema
  reason      VARCHAR(500) NULL,
  created_at  DATETIME(6)  NOT NULL,
  PRIMARY KEY (order_id, version),
  CONSTRAINT order_events_order FOREIGN KEY (order_id) REFERENCES orders (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Who did what was done before was not recorded; what was done can be told from the orders.

INSERT INTO order_events (order_id, version, to_status, created_at)
SELECT id, 1, 'CREATED', created_at FROM orders;

INSERT INTO order_events (order_id, version, from_status, to_status, created_at)
SELECT id, 2, 'CREATED', 'CONFIRMED', confirmed_at FROM orders WHERE confirmed_at IS NOT NULL;

INSERT INTO order_events (order_id, version, from_status, to_status, reason, created_at)
SELECT id, version, CASE WHEN confirmed_at IS NULL THEN 'CREATED' ELSE 'CONFIRMED' END, 'CANCELED', cancel_reason, canceled_at
FROM orders WHERE canceled_at IS NOT NULL;

-- +goose Down

DROP TABLE order_events;
ALTER TABLE stock_adjustments DROP COLUMN from_stock, DROP COLUMN to_stock, DROP COLUMN reason;
