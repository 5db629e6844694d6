-- +goose Up

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
  KEY audit_log_actor (actor, created_at, id),
  KEY audit_log_action (action, created_at, id),
  KEY audit_log_created (created_at, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin /*T![auto_id_cache] AUTO_ID_CACHE=1 */;

-- +goose Down
-- Lost: the audit log

DROP TABLE audit_log;
