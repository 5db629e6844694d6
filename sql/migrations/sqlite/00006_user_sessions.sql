-- +goose Up

CREATE TABLE user_sessions (
  id         INTEGER  NOT NULL PRIMARY KEY AUTOINCREMENT,
  user_id    INTEGER  NOT NULL REFERENCES users (id),
  hash       BLOB     NOT NULL UNIQUE, -- SHA-256 of the secret
  address    TEXT     NOT NULL,
  user_agent TEXT     NULL,
  created_at DATETIME NOT NULL,
  used_at    DATETIME NOT NULL, -- to the minute
  expires_at DATETIME NOT NULL
);

CREATE INDEX user_sessions_user ON user_sessions (user_id, id);
CREATE INDEX user_sessions_used ON user_sessions (used_at);
CREATE INDEX user_sessions_expires ON user_sessions (expires_at);

-- +goose Down
-- Lost: all sessions

DROP TABLE user_sessions;
