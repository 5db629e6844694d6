-- +goose Up

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
  PRIMARY KEY (id),
  UNIQUE KEY products_sku (sku),
  CONSTRAINT products_price_not_negative CHECK (price_cents >= 0),
  CONSTRAINT products_stock_not_negative CHECK (stock >= 0)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin /*T![auto_id_cache] AUTO_ID_CACHE=1 */;

CREATE TABLE stock_adjustments (
  id         BIGINT       NOT NULL AUTO_INCREMENT,
  product_id BIGINT       NOT NULL,
  delta      BIGINT       NOT NULL,
  caller     VARCHAR(150) NOT NULL,
  created_at DATETIME(6)  NOT NULL,
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
  PRIMARY KEY (id),
  KEY orders_created (created_at, id),
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
  PRIMARY KEY (order_id, product_id),
  KEY order_lines_product (product_id, order_id),
  CONSTRAINT order_lines_order FOREIGN KEY (order_id) REFERENCES orders (id),
  CONSTRAINT order_lines_product FOREIGN KEY (product_id) REFERENCES products (id),
  CONSTRAINT order_lines_qty_positive CHECK (qty > 0)
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

-- +goose Down
-- Lost: everything: customers, products, stock, orders and idempotency keys

DROP TABLE orders_idempotency;
DROP TABLE order_lines;
DROP TABLE orders;
DROP TABLE stock_adjustments;
DROP TABLE products;
DROP TABLE customers_idempotency;
DROP TABLE customers;
