-- +goose Up

-- Who changed users, integrators, API keys, sessions and signing keys. Rows are never changed.
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

-- +goose Down
-- Lost: the audit log

DROP TABLE audit_log;
