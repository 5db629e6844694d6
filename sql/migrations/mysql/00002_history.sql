-- +goose Up

ALTER TABLE stock_adjustments
  ADD COLUMN from_stock BIGINT       NULL,
  ADD COLUMN to_stock   BIGINT       NULL,
  ADD COLUMN reason     VARCHAR(500) NULL;

-- The history of orders: one row per version of an order, written in the same transaction.
CREATE TABLE order_events (
  order_id    BIGINT       NOT NULL,
  version     BIGINT       NOT NULL,
  from_status VARCHAR(9)   NULL, -- NULL for the placement
  to_status   VARCHAR(9)   NOT NULL,
  caller      VARCHAR(150) NULL, -- NULL for events before version 2 of the schema
  reason      VARCHAR(500) NULL,
  created_at  DATETIME(6)  NOT NULL,
  PRIMARY KEY (order_id, version),
  CONSTRAINT order_events_order FOREIGN KEY (order_id) REFERENCES orders (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Earlier versions did not record callers; the rest of the history is derived from the orders.

-- In batches of the ids of orders
INSERT INTO order_events (order_id, version, to_status, created_at)
SELECT o.id, 1, 'CREATED', o.created_at FROM orders o
WHERE o.id > ? AND o.id <= ?
  AND NOT EXISTS (SELECT 1 FROM order_events e WHERE e.order_id = o.id AND e.version = 1);

-- In batches of the ids of orders
INSERT INTO order_events (order_id, version, from_status, to_status, created_at)
SELECT o.id, 2, 'CREATED', 'CONFIRMED', o.confirmed_at FROM orders o
WHERE o.id > ? AND o.id <= ? AND o.confirmed_at IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM order_events e WHERE e.order_id = o.id AND e.version = 2);

-- In batches of the ids of orders
INSERT INTO order_events (order_id, version, from_status, to_status, reason, created_at)
SELECT o.id, o.version, CASE WHEN o.confirmed_at IS NULL THEN 'CREATED' ELSE 'CONFIRMED' END, 'CANCELED', o.cancel_reason, o.canceled_at
FROM orders o
WHERE o.id > ? AND o.id <= ? AND o.canceled_at IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM order_events e WHERE e.order_id = o.id AND e.version = o.version);

-- +goose Down
-- Lost: the history of every order; of every movement of stock its reason, and the stock before and after it

DROP TABLE order_events;
ALTER TABLE stock_adjustments DROP COLUMN from_stock, DROP COLUMN to_stock, DROP COLUMN reason;
