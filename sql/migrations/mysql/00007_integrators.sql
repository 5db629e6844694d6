-- +goose Up

-- Programs that call with API keys.
CREATE TABLE integrators (
  id         BIGINT       NOT NULL AUTO_INCREMENT,
  name       VARCHAR(100) NOT NULL,
  name_key   VARCHAR(300) NOT NULL, -- name in lower case (Unicode case folding)
  role       VARCHAR(8)   NOT NULL,
  state      VARCHAR(8)   NOT NULL,
  version    BIGINT       NOT NULL,
  created_at DATETIME(6)  NOT NULL,
  updated_at DATETIME(6)  NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY integrators_name (name_key),
  CONSTRAINT integrators_role CHECK (role IN ('viewer', 'operator', 'manager', 'admin')),
  CONSTRAINT integrators_state CHECK (state IN ('active', 'disabled'))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin /*T![auto_id_cache] AUTO_ID_CACHE=1 */;

-- +goose Down
-- Lost: all integrators

DROP TABLE integrators;
