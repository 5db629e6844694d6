-- The tables of schema.sql for the embedded engine. Times are text, `2006-01-02 15:04:05.000000` in UTC, so that they sort by
-- time. Text is compared byte by byte, as with utf8mb4_bin.

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
  updated_at  DATETIME NOT NULL,
  reorder_level INTEGER NOT NULL DEFAULT 0, -- units; fewer are low stock
  archived_at DATETIME NULL
);

-- Manual changes of stock. stock = sum of adjustments - units in orders that are not CANCELED.
CREATE TABLE stock_adjustments (
  id         INTEGER  NOT NULL PRIMARY KEY AUTOINCREMENT,
  product_id INTEGER  NOT NULL REFERENCES products (id),
  delta      INTEGER  NOT NULL,
  caller     TEXT     NOT NULL,
  created_at DATETIME NOT NULL,
  from_stock INTEGER  NULL, -- both NULL in rows from version 1 of the schema
  to_stock   INTEGER  NULL,
  reason     TEXT     NULL,
  caller_id   INTEGER NULL, -- of the user or integrator; NULL for other callers, and in rows of earlier versions
  caller_name TEXT    NULL
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
  canceled_at    DATETIME NULL,
  updated_at     DATETIME NOT NULL GENERATED ALWAYS AS (MAX(created_at, COALESCE(confirmed_at, created_at), COALESCE(canceled_at, created_at))) VIRTUAL
);

CREATE INDEX orders_created ON orders (created_at, id, status, customer_id, total_cents); -- with the columns of the sales report
CREATE INDEX orders_updated ON orders (updated_at, id);
CREATE INDEX orders_by_status ON orders (status, created_at, id);
CREATE INDEX orders_customer ON orders (customer_id, created_at, id);
CREATE INDEX orders_customer_status ON orders (customer_id, status, created_at, id);

CREATE TABLE order_lines (
  order_id         INTEGER NOT NULL REFERENCES orders (id),
  product_id       INTEGER NOT NULL REFERENCES products (id),
  qty              INTEGER NOT NULL CHECK (qty > 0),
  unit_price_cents INTEGER NOT NULL,
  subtotal_cents   INTEGER NOT NULL,
  sku              TEXT    NULL, -- both at the time the order was placed; NULL in rows of earlier versions
  name             TEXT    NULL,
  PRIMARY KEY (order_id, product_id)
) WITHOUT ROWID;

CREATE INDEX order_lines_product ON order_lines (product_id, order_id);

-- The history of orders: one row per version of an order, written in the same transaction.
CREATE TABLE order_events (
  order_id    INTEGER  NOT NULL REFERENCES orders (id),
  version     INTEGER  NOT NULL,
  from_status TEXT     NULL, -- NULL for the placement
  to_status   TEXT     NOT NULL,
  caller      TEXT     NULL, -- NULL for events before version 2 of the schema
  reason      TEXT     NULL,
  created_at  DATETIME NOT NULL,
  caller_id   INTEGER  NULL, -- of the user or integrator; NULL for other callers, and in rows of earlier versions
  caller_name TEXT     NULL,
  PRIMARY KEY (order_id, version)
) WITHOUT ROWID;

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

-- People who log in.
CREATE TABLE users (
  id               INTEGER  NOT NULL PRIMARY KEY AUTOINCREMENT,
  username         TEXT     NOT NULL,
  username_key     TEXT     NOT NULL UNIQUE, -- username in lower case (Unicode case folding)
  name             TEXT     NOT NULL,
  role             TEXT     NOT NULL CHECK (role IN ('viewer', 'operator', 'manager', 'admin')),
  state            TEXT     NOT NULL CHECK (state IN ('active', 'disabled')),
  password_hash    TEXT     NULL, -- argon2id, in PHC string format; NULL until a password is set
  setup_hash       BLOB     NULL UNIQUE, -- SHA-256 of the setup token; NULL once used
  setup_expires_at DATETIME NULL,
  version          INTEGER  NOT NULL,
  created_at       DATETIME NOT NULL,
  updated_at       DATETIME NOT NULL,
  last_login_at    DATETIME NULL
);

CREATE INDEX users_by_role ON users (role, state, id);

CREATE TABLE user_sessions (
  id         INTEGER  NOT NULL PRIMARY KEY AUTOINCREMENT,
  user_id    INTEGER  NOT NULL REFERENCES users (id),
  hash       BLOB     NOT NULL UNIQUE, -- SHA-256 of the secret
  address    TEXT     NOT NULL,
  user_agent TEXT     NULL,
  created_at DATETIME NOT NULL,
  used_at    DATETIME NOT NULL, -- to the minute
  expires_at DATETIME NOT NULL, -- the latest end, regardless of use
  ends_at    DATETIME NOT NULL  -- the end without further use
);

CREATE INDEX user_sessions_user ON user_sessions (user_id, id);
CREATE INDEX user_sessions_ends ON user_sessions (ends_at);

-- Programs that call with API keys.
CREATE TABLE integrators (
  id         INTEGER  NOT NULL PRIMARY KEY AUTOINCREMENT,
  name       TEXT     NOT NULL,
  name_key   TEXT     NOT NULL UNIQUE, -- name in lower case (Unicode case folding)
  role       TEXT     NOT NULL CHECK (role IN ('viewer', 'operator', 'manager', 'admin')),
  state      TEXT     NOT NULL CHECK (state IN ('active', 'disabled')),
  version    INTEGER  NOT NULL,
  created_at DATETIME NOT NULL,
  updated_at DATETIME NOT NULL
);

CREATE TABLE api_keys (
  id            INTEGER  NOT NULL PRIMARY KEY AUTOINCREMENT,
  integrator_id INTEGER  NOT NULL REFERENCES integrators (id),
  name          TEXT     NOT NULL,
  hash          BLOB     NOT NULL, -- SHA-256 of the secret
  created_by    TEXT     NOT NULL,
  created_at    DATETIME NOT NULL,
  expires_at    DATETIME NULL,
  last_used_at  DATETIME NULL, -- to the minute
  revoked_at    DATETIME NULL
);

CREATE INDEX api_keys_integrator ON api_keys (integrator_id, id);

-- The keys that sign access tokens. The private keys are derived from the kid and SIGNING_SECRET, and stored nowhere.
CREATE TABLE signing_keys (
  generation INTEGER  NOT NULL PRIMARY KEY,
  kid        TEXT     NOT NULL,
  created_at DATETIME NOT NULL,
  signs_from DATETIME NOT NULL, -- until then, other services learn of the key
  expires_at DATETIME NULL -- NULL until a rotation sets it
);

-- The log of changes to users, integrators, API keys, sessions and signing keys. Rows are never changed.
CREATE TABLE audit_log (
  id             INTEGER  NOT NULL PRIMARY KEY AUTOINCREMENT,
  actor          TEXT     NOT NULL,
  actor_name     TEXT     NULL,
  action         TEXT     NOT NULL,
  target         TEXT     NOT NULL,
  changes        TEXT     NOT NULL, -- JSON array
  address        TEXT     NULL,
  correlation_id TEXT     NULL,
  created_at     DATETIME NOT NULL
);

CREATE INDEX audit_log_actor ON audit_log (actor, created_at, id);
CREATE INDEX audit_log_action ON audit_log (action, created_at, id);
CREATE INDEX audit_log_created ON audit_log (created_at, id);
