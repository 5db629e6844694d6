-- +goose Up

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

-- +goose Down
-- Lost: all API keys

DROP TABLE api_keys;
