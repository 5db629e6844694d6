-- +goose Up

CREATE TABLE user_sessions (
  id         INTEGER  NOT NULL PRIMARY KEY AUTOINCREMENT,
  user_id    INTEGER  NOT NULL REFERENCES users (id),
  hash       BLOB     NOT NULL UNIQUE, -- SHA-256 of the secret
  address    TEXT     NOT NULL,
  user_agent TEXT     NULL,
  created_at DATETIME NOT NULL,
  used_at    DATETIME NOT NULL, -- to the minute
  expires_at DATETIME NOT NULL, -- however much it is used
  ends_at    DATETIME NOT NULL  -- unless it is used before
);

CREATE INDEX user_sessions_user ON user_sessions (user_id, id);
CREATE INDEX user_sessions_ends ON user_sessions (ends_at);

-- +goose Down
-- Lost: all sessions

DROP TABLE user_sessions;
