-- +goose Up

-- People who log in.
CREATE TABLE users (
  id               INTEGER  NOT NULL PRIMARY KEY AUTOINCREMENT,
  username         TEXT     NOT NULL,
  username_key     TEXT     NOT NULL UNIQUE, -- username in lower case (Unicode case folding)
  name             TEXT     NOT NULL,
  role             TEXT     NOT NULL CHECK (role IN ('viewer', 'operator', 'manager', 'admin')),
  state            TEXT     NOT NULL CHECK (state IN ('active', 'disabled')),
  password_hash    TEXT     NULL, -- argon2id, in PHC string format; NULL until a password is set
  setup_hash       BLOB     NULL UNIQUE, -- SHA-256 of the setup token; NULL once used
  setup_expires_at DATETIME NULL,
  version          INTEGER  NOT NULL,
  created_at       DATETIME NOT NULL,
  updated_at       DATETIME NOT NULL,
  last_login_at    DATETIME NULL
);

CREATE INDEX users_by_role ON users (role, state, id);

-- +goose Down
-- Lost: all users and their passwords

DROP TABLE users;
