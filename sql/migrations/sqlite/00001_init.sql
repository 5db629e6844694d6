-- +goose Up

CREATE TABLE customers (
  id           INTEGER  NOT NULL PRIMARY KEY AUTOINCREMENT,
  name         TEXT     NOT NULL,
  email        TEXT     NOT NULL,
  phone        TEXT     NULL,
  active_email TEXT     NULL UNIQUE, -- email in lower case; NULL once deleted, which frees the address
  search_text  TEXT     NOT NULL, -- name and email, folded: no case, no accents
  version      INTEGER  NOT NULL,
  created_at   DATETIME NOT NULL,
  updated_at   DATETIME NOT NULL,
  deleted_at   DATETIME NULL
);

CREATE TABLE customers_idempotency (
  caller      TEXT     NOT NULL,
  idem_key    TEXT     NOT NULL,
  fingerprint BLOB     NOT NULL, -- SHA-256 of method, path and body
  status      INTEGER  NOT NULL,
  headers     TEXT     NOT NULL, -- JSON object
  body        BLOB     NOT NULL,
  created_at  DATETIME NOT NULL,
  expires_at  DATETIME NOT NULL,
  PRIMARY KEY (caller, idem_key)
) WITHOUT ROWID;

CREATE INDEX customers_idempotency_expires ON customers_idempotency (expires_at);

CREATE TABLE products (
  id          INTEGER  NOT NULL PRIMARY KEY AUTOINCREMENT,
  sku         TEXT     NOT NULL UNIQUE,
  name        TEXT     NOT NULL,
  search_text TEXT     NOT NULL, -- sku and name, folded: no case, no accents
  price_cents INTEGER  NOT NULL CHECK (price_cents >= 0),
  stock       INTEGER  NOT NULL CHECK (stock >= 0),
  version     INTEGER  NOT NULL,
  created_at  DATETIME NOT NULL,
  updated_at  DATETIME NOT NULL
);

CREATE TABLE stock_adjustments (
  id         INTEGER  NOT NULL PRIMARY KEY AUTOINCREMENT,
  product_id INTEGER  NOT NULL REFERENCES products (id),
  delta      INTEGER  NOT NULL,
  caller     TEXT     NOT NULL,
  created_at DATETIME NOT NULL
);

CREATE INDEX stock_adjustments_product ON stock_adjustments (product_id, id);

CREATE TABLE orders (
  id             INTEGER  NOT NULL PRIMARY KEY AUTOINCREMENT,
  customer_id    INTEGER  NOT NULL,
  customer_name  TEXT     NOT NULL, -- at the time the order was placed
  customer_email TEXT     NOT NULL,
  customer_phone TEXT     NULL,
  search_text    TEXT     NOT NULL, -- the customer's name and email, folded: no case, no accents
  status         TEXT     NOT NULL CHECK (status IN ('CREATED', 'CONFIRMED', 'CANCELED')),
  total_cents    INTEGER  NOT NULL CHECK (total_cents >= 0),
  version        INTEGER  NOT NULL,
  cancel_reason  TEXT     NULL,
  created_at     DATETIME NOT NULL,
  confirmed_at   DATETIME NULL,
  canceled_at    DATETIME NULL
);

CREATE INDEX orders_created ON orders (created_at, id);
CREATE INDEX orders_by_status ON orders (status, created_at, id);
CREATE INDEX orders_customer ON orders (customer_id, created_at, id);
CREATE INDEX orders_customer_status ON orders (customer_id, status, created_at, id);

CREATE TABLE order_lines (
  order_id         INTEGER NOT NULL REFERENCES orders (id),
  product_id       INTEGER NOT NULL REFERENCES products (id),
  qty              INTEGER NOT NULL CHECK (qty > 0),
  unit_price_cents INTEGER NOT NULL,
  subtotal_cents   INTEGER NOT NULL,
  PRIMARY KEY (order_id, product_id)
) WITHOUT ROWID;

CREATE INDEX order_lines_product ON order_lines (product_id, order_id);

CREATE TABLE orders_idempotency (
  caller      TEXT     NOT NULL,
  idem_key    TEXT     NOT NULL,
  fingerprint BLOB     NOT NULL, -- SHA-256 of method, path and body
  status      INTEGER  NOT NULL,
  headers     TEXT     NOT NULL, -- JSON object
  body        BLOB     NOT NULL,
  created_at  DATETIME NOT NULL,
  expires_at  DATETIME NOT NULL,
  PRIMARY KEY (caller, idem_key)
) WITHOUT ROWID;

CREATE INDEX orders_idempotency_expires ON orders_idempotency (expires_at);

-- +goose Down
-- Lost: everything: customers, products, stock, orders and idempotency keys

DROP TABLE orders_idempotency;
DROP TABLE order_lines;
DROP TABLE orders;
DROP TABLE stock_adjustments;
DROP TABLE products;
DROP TABLE customers_idempotency;
DROP TABLE customers;
