// Package schema embeds the SQL files: the schema of both engines, the migrations that lead to it, and the sample data.
package schema

import (
	"embed"
	"io/fs"
)

//go:embed migrations
var migrations embed.FS

// Seed adds sample customers and products. Running it again adds only what is missing.
//
//go:embed seed.sql
var Seed string

// MySQL is the schema of the production engine.
//
//go:embed schema.sql
var MySQL string

// SQLite is the same schema for the embedded engine.
//
//go:embed sqlite.sql
var SQLite string

// Migrations returns the numbered migrations of an engine: "mysql" or "sqlite".
func Migrations(engine string) (fs.FS, error) { return fs.Sub(migrations, "migrations/"+engine) }
