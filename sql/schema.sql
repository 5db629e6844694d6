-- The MySQL schema, which sqlc reads. sqlite.sql has the same tables for the embedded engine.
-- Times are DATETIME(6) in UTC. Amounts of money are in cents. Text is compared byte by byte.
-- No foreign key connects customers and orders, because each service has rights only on its own tables.

CREATE TABLE customers (
  id           BIGINT        NOT NULL AUTO_INCREMENT,
  name         VARCHAR(200)  NOT NULL,
  email        VARCHAR(254)  NOT NULL,
  phone        VARCHAR(32)   NULL,
  active_email VARCHAR(254)  NULL, -- email in lower case; NULL once deleted, which frees the address
  search_text  VARCHAR(1400) NOT NULL, -- name and email, folded: no case, no accents
  version      BIGINT        NOT NULL,
  created_at   DATETIME(6)   NOT NULL,
  updated_at   DATETIME(6)   NOT NULL,
  deleted_at   DATETIME(6)   NULL,
  PRIMARY KEY (id),
  UNIQUE KEY customers_active_email (active_email)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin /*T![auto_id_cache] AUTO_ID_CACHE=1 */;

CREATE TABLE customers_idempotency (
  caller      VARCHAR(150)   NOT NULL,
  idem_key    VARCHAR(255)   NOT NULL,
  fingerprint BINARY(32)     NOT NULL, -- SHA-256 of method, path and body
  status      INT            NOT NULL,
  headers     VARCHAR(1000)  NOT NULL, -- JSON object
  body        MEDIUMBLOB     NOT NULL,
  created_at  DATETIME(6)    NOT NULL,
  expires_at  DATETIME(6)    NOT NULL,
  PRIMARY KEY (caller, idem_key),
  KEY customers_idempotency_expires (expires_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE products (
  id          BIGINT        NOT NULL AUTO_INCREMENT,
  sku         VARCHAR(64)   NOT NULL,
  name        VARCHAR(200)  NOT NULL,
  search_text VARCHAR(900)  NOT NULL, -- sku and name, folded: no case, no accents
  price_cents BIGINT        NOT NULL,
  stock       BIGINT        NOT NULL,
  version     BIGINT        NOT NULL,
  created_at  DATETIME(6)   NOT NULL,
  updated_at  DATETIME(6)   NOT NULL,
  reorder_level BIGINT      NOT NULL DEFAULT 0, -- units; fewer are low stock
  archived_at   DATETIME(6) NULL,
  PRIMARY KEY (id),
  UNIQUE KEY products_sku (sku),
  CONSTRAINT products_price_not_negative CHECK (price_cents >= 0),
  CONSTRAINT products_stock_not_negative CHECK (stock >= 0)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin /*T![auto_id_cache] AUTO_ID_CACHE=1 */;

-- Manual changes of stock. stock = sum of adjustments - units in orders that are not CANCELED.
CREATE TABLE stock_adjustments (
  id         BIGINT       NOT NULL AUTO_INCREMENT,
  product_id BIGINT       NOT NULL,
  delta      BIGINT       NOT NULL,
  caller     VARCHAR(150) NOT NULL,
  created_at DATETIME(6)  NOT NULL,
  from_stock BIGINT       NULL, -- both NULL in rows from version 1 of the schema
  to_stock   BIGINT       NULL,
  reason     VARCHAR(500) NULL,
  caller_id   BIGINT       NULL, -- of the user or integrator; NULL for other callers, and in rows of earlier versions
  caller_name VARCHAR(100) NULL,
  PRIMARY KEY (id),
  KEY stock_adjustments_product (product_id, id),
  CONSTRAINT stock_adjustments_product FOREIGN KEY (product_id) REFERENCES products (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin /*T![auto_id_cache] AUTO_ID_CACHE=1 */;

CREATE TABLE orders (
  id             BIGINT       NOT NULL AUTO_INCREMENT,
  customer_id    BIGINT       NOT NULL,
  customer_name  VARCHAR(200) NOT NULL, -- at the time the order was placed
  customer_email VARCHAR(254) NOT NULL,
  customer_phone VARCHAR(32)  NULL,
  search_text    VARCHAR(1400) NOT NULL, -- the customer's name and email, folded: no case, no accents
  status         VARCHAR(9)   NOT NULL,
  total_cents    BIGINT       NOT NULL,
  version        BIGINT       NOT NULL,
  cancel_reason  VARCHAR(500) NULL,
  created_at     DATETIME(6)  NOT NULL,
  confirmed_at   DATETIME(6)  NULL,
  canceled_at    DATETIME(6)  NULL,
  updated_at     DATETIME(6)  GENERATED ALWAYS AS (GREATEST(created_at, COALESCE(confirmed_at, created_at), COALESCE(canceled_at, created_at))) VIRTUAL NOT NULL,
  PRIMARY KEY (id),
  KEY orders_created (created_at, id, status, customer_id, total_cents), -- with the columns of the sales report
  KEY orders_updated (updated_at, id),
  KEY orders_by_status (status, created_at, id),
  KEY orders_customer (customer_id, created_at, id),
  KEY orders_customer_status (customer_id, status, created_at, id),
  CONSTRAINT orders_status CHECK (status IN ('CREATED', 'CONFIRMED', 'CANCELED')),
  CONSTRAINT orders_total_not_negative CHECK (total_cents >= 0)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin /*T![auto_id_cache] AUTO_ID_CACHE=1 */;

CREATE TABLE order_lines (
  order_id         BIGINT NOT NULL,
  product_id       BIGINT NOT NULL,
  qty              BIGINT NOT NULL,
  unit_price_cents BIGINT NOT NULL,
  subtotal_cents   BIGINT NOT NULL,
  sku              VARCHAR(64)  NULL, -- both at the time the order was placed; NULL in rows of earlier versions
  name             VARCHAR(200) NULL,
  PRIMARY KEY (order_id, product_id),
  KEY order_lines_product (product_id, order_id),
  CONSTRAINT order_lines_order FOREIGN KEY (order_id) REFERENCES orders (id),
  CONSTRAINT order_lines_product FOREIGN KEY (product_id) REFERENCES products (id),
  CONSTRAINT order_lines_qty_positive CHECK (qty > 0)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The history of orders: one row per version of an order, written in the same transaction.
CREATE TABLE order_events (
  order_id    BIGINT       NOT NULL,
  version     BIGINT       NOT NULL,
  from_status VARCHAR(9)   NULL, -- NULL for the placement
  to_status   VARCHAR(9)   NOT NULL,
  caller      VARCHAR(150) NULL, -- NULL for events before version 2 of the schema
  reason      VARCHAR(500) NULL,
  created_at  DATETIME(6)  NOT NULL,
  caller_id   BIGINT       NULL, -- of the user or integrator; NULL for other callers, and in rows of earlier versions
  caller_name VARCHAR(100) NULL,
  PRIMARY KEY (order_id, version),
  CONSTRAINT order_events_order FOREIGN KEY (order_id) REFERENCES orders (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE orders_idempotency (
  caller      VARCHAR(150)   NOT NULL,
  idem_key    VARCHAR(255)   NOT NULL,
  fingerprint BINARY(32)     NOT NULL, -- SHA-256 of method, path and body
  status      INT            NOT NULL,
  headers     VARCHAR(1000)  NOT NULL, -- JSON object
  body        MEDIUMBLOB     NOT NULL,
  created_at  DATETIME(6)    NOT NULL,
  expires_at  DATETIME(6)    NOT NULL,
  PRIMARY KEY (caller, idem_key),
  KEY orders_idempotency_expires (expires_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- People who log in.
CREATE TABLE users (
  id               BIGINT       NOT NULL AUTO_INCREMENT,
  username         VARCHAR(100) NOT NULL,
  username_key     VARCHAR(300) NOT NULL, -- username in lower case (Unicode case folding)
  name             VARCHAR(100) NOT NULL,
  role             VARCHAR(8)   NOT NULL,
  state            VARCHAR(8)   NOT NULL,
  password_hash    VARCHAR(200) NULL, -- argon2id, in PHC string format; NULL until a password is set
  setup_hash       BINARY(32)   NULL, -- SHA-256 of the setup token; NULL once used
  setup_expires_at DATETIME(6)  NULL,
  version          BIGINT       NOT NULL,
  created_at       DATETIME(6)  NOT NULL,
  updated_at       DATETIME(6)  NOT NULL,
  last_login_at    DATETIME(6)  NULL,
  PRIMARY KEY (id),
  UNIQUE KEY users_username (username_key),
  UNIQUE KEY users_setup (setup_hash),
  KEY users_by_role (role, state, id),
  CONSTRAINT users_role CHECK (role IN ('viewer', 'operator', 'manager', 'admin')),
  CONSTRAINT users_state CHECK (state IN ('active', 'disabled'))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin /*T![auto_id_cache] AUTO_ID_CACHE=1 */;

CREATE TABLE user_sessions (
  id         BIGINT       NOT NULL AUTO_INCREMENT,
  user_id    BIGINT       NOT NULL,
  hash       BINARY(32)   NOT NULL, -- SHA-256 of the secret
  address    VARCHAR(45)  NOT NULL,
  user_agent VARCHAR(200) NULL,
  created_at DATETIME(6)  NOT NULL,
  used_at    DATETIME(6)  NOT NULL, -- to the minute
  expires_at DATETIME(6)  NOT NULL, -- the latest end, regardless of use
  ends_at    DATETIME(6)  NOT NULL, -- the end without further use
  PRIMARY KEY (id),
  UNIQUE KEY user_sessions_hash (hash),
  KEY user_sessions_user (user_id, id),
  KEY user_sessions_ends (ends_at),
  CONSTRAINT user_sessions_user FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin /*T![auto_id_cache] AUTO_ID_CACHE=1 */;

-- Programs that call with API keys.
CREATE TABLE integrators (
  id         BIGINT       NOT NULL AUTO_INCREMENT,
  name       VARCHAR(100) NOT NULL,
  name_key   VARCHAR(300) NOT NULL, -- name in lower case (Unicode case folding)
  role       VARCHAR(8)   NOT NULL,
  state      VARCHAR(8)   NOT NULL,
  version    BIGINT       NOT NULL,
  created_at DATETIME(6)  NOT NULL,
  updated_at DATETIME(6)  NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY integrators_name (name_key),
  CONSTRAINT integrators_role CHECK (role IN ('viewer', 'operator', 'manager', 'admin')),
  CONSTRAINT integrators_state CHECK (state IN ('active', 'disabled'))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin /*T![auto_id_cache] AUTO_ID_CACHE=1 */;

CREATE TABLE api_keys (
  id            BIGINT       NOT NULL AUTO_INCREMENT,
  integrator_id BIGINT       NOT NULL,
  name          VARCHAR(100) NOT NULL,
  hash          BINARY(32)   NOT NULL, -- SHA-256 of the secret
  created_by    VARCHAR(150) NOT NULL,
  created_at    DATETIME(6)  NOT NULL,
  expires_at    DATETIME(6)  NULL,
  last_used_at  DATETIME(6)  NULL, -- to the minute
  revoked_at    DATETIME(6)  NULL,
  PRIMARY KEY (id),
  KEY api_keys_integrator (integrator_id, id),
  CONSTRAINT api_keys_integrator FOREIGN KEY (integrator_id) REFERENCES integrators (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin /*T![auto_id_cache] AUTO_ID_CACHE=1 */;

-- The keys that sign access tokens. The private keys are derived from the kid and SIGNING_SECRET, and stored nowhere.
CREATE TABLE signing_keys (
  generation BIGINT      NOT NULL,
  kid        VARCHAR(50) NOT NULL,
  created_at DATETIME(6) NOT NULL,
  signs_from DATETIME(6) NOT NULL, -- until then, other services learn of the key
  expires_at DATETIME(6) NULL, -- NULL until a rotation sets it
  PRIMARY KEY (generation)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The log of changes to users, integrators, API keys, sessions and signing keys. Rows are never changed.
CREATE TABLE audit_log (
  id             BIGINT        NOT NULL AUTO_INCREMENT,
  actor          VARCHAR(150)  NOT NULL,
  actor_name     VARCHAR(100)  NULL,
  action         VARCHAR(50)   NOT NULL,
  target         VARCHAR(150)  NOT NULL,
  changes        VARCHAR(4000) NOT NULL, -- JSON array
  address        VARCHAR(45)   NULL,
  correlation_id VARCHAR(128)  NULL,
  created_at     DATETIME(6)   NOT NULL,
  PRIMARY KEY (id),
  KEY audit_log_actor (actor, created_at, id),
  KEY audit_log_action (action, created_at, id),
  KEY audit_log_created (created_at, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin /*T![auto_id_cache] AUTO_ID_CACHE=1 */;
