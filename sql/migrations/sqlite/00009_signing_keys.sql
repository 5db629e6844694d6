-- +goose Up

-- The keys that sign access tokens. The private keys are derived from the kid and SIGNING_SECRET, and stored nowhere.
CREATE TABLE signing_keys (
  generation INTEGER  NOT NULL PRIMARY KEY,
  kid        TEXT     NOT NULL,
  created_at DATETIME NOT NULL,
  signs_from DATETIME NOT NULL, -- until then, other services learn of the key
  expires_at DATETIME NULL -- NULL for the newest
);

-- +goose Down
-- Lost: the signing keys, and with them all access tokens

DROP TABLE signing_keys;
