package database_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pedidos-hq/pedidos/services/platform/database"
)

func TestSQLiteIsDurableAndChecksReferences(t *testing.T) {
	t.Parallel()
	db, _ := migrated(t)
	if db.Engine() != "sqlite" {
		t.Errorf("Engine = %q", db.Engine())
	}
	pragmas := func(names ...string) (got map[string]string, of func(database.Conn) error) {
		got = map[string]string{}
		return got, func(conn database.Conn) error {
			for _, name := range names {
				var value string
				if err := conn.QueryRowContext(t.Context(), "PRAGMA "+name).Scan(&value); err != nil {
					return err
				}
				got[name] = value
			}
			return nil
		}
	}
	got, writer := pragmas("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
	want := map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "10000"}
	if err := db.Tx(t.Context(), writer); err != nil || !maps.Equal(got, want) {
		t.Errorf("pragmas of the writer: %v, %v, want %v", got, err, want)
	}
	got, reader := pragmas("journal_mode", "query_only", "busy_timeout")
	want = map[string]string{"journal_mode": "wal", "query_only": "1", "busy_timeout": "10000"}
	if err := db.Read(t.Context(), reader); err != nil || !maps.Equal(got, want) {
		t.Errorf("pragmas of a reader: %v, %v, want %v", got, err, want)
	}
}

func TestSQLiteKeepsItsRows(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "a b?c=d#e%20ñ&_pragma=foreign_keys(OFF).db") // none of the characters is special
	db, err := database.OpenSQLite(file, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	addProduct(t, db, product("DRILL", 1))
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
	if got := skus(t, open(t, file)); !slices.Equal(got, []string{"DRILL"}) {
		t.Errorf("products %q after reopening, want DRILL", got)
	}
}

func TestOpenSQLiteInAMissingFolder(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "missing", "test.db")
	if _, err := database.OpenSQLite(file, database.Options{}); err == nil || !strings.HasPrefix(err.Error(), "open "+file+": ") {
		t.Errorf("OpenSQLite = %v, want an error that names the file", err)
	}
}

func TestLockFolder(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "new", "data")
	release, err := database.LockFolder(folder)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := database.LockFolder(folder); err == nil || !strings.Contains(err.Error(), folder+" is in use by another pedidos") {
		t.Errorf("second lock: %v, want an error that says the folder is in use", err)
	}
	if other, err := database.LockFolder(t.TempDir()); err != nil {
		t.Errorf("another folder: %v", err)
	} else if err := other(); err != nil {
		t.Error(err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	release, err = database.LockFolder(folder)
	if err != nil {
		t.Fatalf("after the release: %v", err)
	}
	if err := release(); err != nil {
		t.Error(err)
	}
}

func TestLockFolderErrors(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	taken := t.TempDir()
	if err := os.Mkdir(filepath.Join(taken, "pedidos.lock"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ folder, want string }{ // these fail for root too, who ignores permissions
		{file, "create the data folder " + file + ": not a directory"},
		{filepath.Join(file, "data"), "create the data folder " + filepath.Join(file, "data") + ": not a directory"},
		{taken, "lock the data folder " + taken + ": is a directory"},
	} {
		release, err := database.LockFolder(test.folder)
		if release != nil || err == nil || err.Error() != test.want {
			t.Errorf("LockFolder = %v, want %q", err, test.want)
		}
	}
}
