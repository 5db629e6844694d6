-- +goose Up

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

-- +goose Down
-- Lost: all users and their passwords

DROP TABLE users;
