-- +goose Up

-- The keys that sign access tokens. The private keys are derived from the kid and SIGNING_SECRET, and stored nowhere.
CREATE TABLE signing_keys (
  generation BIGINT      NOT NULL,
  kid        VARCHAR(50) NOT NULL,
  created_at DATETIME(6) NOT NULL,
  signs_from DATETIME(6) NOT NULL, -- until then, other services learn of the key
  expires_at DATETIME(6) NULL, -- NULL for the newest
  PRIMARY KEY (generation)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
-- Lost: the signing keys, and with them all access tokens

DROP TABLE signing_keys;
