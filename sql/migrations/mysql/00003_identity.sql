-- +goose Up

ALTER TABLE order_events
  ADD COLUMN caller_id   BIGINT       NULL,
  ADD COLUMN caller_name VARCHAR(100) NULL;

ALTER TABLE stock_adjustments
  ADD COLUMN caller_id   BIGINT       NULL,
  ADD COLUMN caller_name VARCHAR(100) NULL;

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
  CONSTRAINT users_role CHECK (role IN ('viewer', 'operator', 'manager', 'admin')),
  CONSTRAINT users_state CHECK (state IN ('active', 'disabled'))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE user_sessions (
  id         BIGINT       NOT NULL AUTO_INCREMENT,
  user_id    BIGINT       NOT NULL,
  hash       BINARY(32)   NOT NULL, -- SHA-256 of the secret
  address    VARCHAR(45)  NOT NULL,
  user_agent VARCHAR(200) NULL,
  created_at DATETIME(6)  NOT NULL,
  used_at    DATETIME(6)  NOT NULL, -- to the minute
  expires_at DATETIME(6)  NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY user_sessions_hash (hash),
  KEY user_sessions_user (user_id, id),
  KEY user_sessions_used (used_at),
  KEY user_sessions_expires (expires_at),
  CONSTRAINT user_sessions_user FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

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
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

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
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The keys that sign access tokens. The private keys are derived from the kid and SIGNING_SECRET, and stored nowhere.
CREATE TABLE signing_keys (
  generation BIGINT      NOT NULL,
  kid        VARCHAR(50) NOT NULL,
  created_at DATETIME(6) NOT NULL,
  signs_from DATETIME(6) NOT NULL, -- until then, other services learn of the key
  expires_at DATETIME(6) NULL, -- NULL for the newest
  PRIMARY KEY (generation)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Who changed users, integrators, API keys, sessions and signing keys. Rows are never changed.
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
  KEY audit_log_actor (actor, id),
  KEY audit_log_action (action, id),
  KEY audit_log_created (created_at, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
-- Lost: all users, integrators, API keys and sessions, the audit log; of every change of an order or of stock, the id and name of its caller

DROP TABLE audit_log;
DROP TABLE signing_keys;
DROP TABLE api_keys;
DROP TABLE integrators;
DROP TABLE user_sessions;
DROP TABLE users;
ALTER TABLE stock_adjustments DROP COLUMN caller_id, DROP COLUMN caller_name;
ALTER TABLE order_events DROP COLUMN caller_id, DROP COLUMN caller_name;
