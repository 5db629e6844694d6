// Package schema holds the SQL files: the schema of both engines, the migrations that lead to it, and the seed.
package schema

import (
	"embed"
	"io/fs"
)

//go:embed migrations
var migrations embed.FS

// Seed fills an empty database with a few customers and products. It can be run again without doubling them.
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
