-- +goose Up

ALTER TABLE stock_adjustments ADD COLUMN from_stock INTEGER NULL; -- both NULL where version 1 of the schema has recorded it
ALTER TABLE stock_adjustments ADD COLUMN to_stock INTEGER NULL;
ALTER TABLE stock_adjustments ADD COLUMN reason TEXT NULL;

-- What became of orders: a row for each version of an order, written with it.
CREATE TABLE order_events (
  order_id    INTEGER  NOT NULL REFERENCES orders (id),
  version     INTEGER  NOT NULL,
  from_status TEXT     NULL, -- NULL where the order was placed
  to_status   TEXT     NOT NULL,
  caller      TEXT     NULL, -- NULL where it took place before version 2 of the schema
  reason      TEXT     NULL,
  created_at  DATETIME NOT NULL,
  PRIMARY KEY (order_id, version)
) WITHOUT ROWID;

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
ALTER TABLE stock_adjustments DROP COLUMN from_stock;
ALTER TABLE stock_adjustments DROP COLUMN to_stock;
ALTER TABLE stock_adjustments DROP COLUMN reason;
