-- +goose Up

CREATE TABLE user_sessions (
  id         BIGINT       NOT NULL AUTO_INCREMENT,
  user_id    BIGINT       NOT NULL,
  hash       BINARY(32)   NOT NULL, -- SHA-256 of the secret
  address    VARCHAR(45)  NOT NULL,
  user_agent VARCHAR(200) NULL,
  created_at DATETIME(6)  NOT NULL,
  used_at    DATETIME(6)  NOT NULL, -- to the minute
  expires_at DATETIME(6)  NOT NULL, -- however much it is used
  ends_at    DATETIME(6)  NOT NULL, -- unless it is used before
  PRIMARY KEY (id),
  UNIQUE KEY user_sessions_hash (hash),
  KEY user_sessions_user (user_id, id),
  KEY user_sessions_ends (ends_at),
  CONSTRAINT user_sessions_user FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin /*T![auto_id_cache] AUTO_ID_CACHE=1 */;

-- +goose Down
-- Lost: all sessions

DROP TABLE user_sessions;
