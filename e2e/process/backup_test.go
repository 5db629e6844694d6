package process

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/document"
	"github.com/pedidos-hq/pedidos/e2e/load"
	"github.com/pedidos-hq/pedidos/e2e/program"
)

// TestBackup runs the commands of docs/operations.md, which back up a shop under load and restore it into another folder.
// The restored database must hold every order placed before the backup began and pass the audit. The shop keeps running.
func TestBackup(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("bash is not installed")
	}
	lines := document.Blocks(document.Section(t, "../../docs/operations.md", "### The embedded engine"), "sh")
	if len(lines) != 2 {
		t.Fatalf("the document has %d blocks, want one that backs up and one that restores:\n%q", len(lines), lines)
	}
	backUp, restore := lines[0], lines[1]
	folder, path := t.TempDir(), program.Folder(t)
	s := program.Up(t, unlimited(), folder, append(program.FreePorts(), "--no-seed")...)
	client := s.Login(t, call.LocalPassword)
	l := load.New(t, load.Config{Seed: *seed}, client)

	l.Start(t)
	for range 3 {
		l.AwaitMore(t, 100)
		here := t.TempDir()
		before := client.AllOrders(t, 0)
		runIn(t, here, path, "DATA_DIR="+folder, backUp)
		if printed := runIn(t, here, path, "", restore); !strings.HasSuffix(printed, "Stock and totals add up.\n") {
			t.Errorf("restoring printed\n%s", printed)
		}
		restored := program.Up(t, unlimited(), filepath.Join(here, "restored"), append(program.FreePorts(), "--no-seed")...)
		after := restored.Login(t, call.LocalPassword)
		load.Kept(t, before, after.AllOrders(t, 0))
		after.HangUp()
		restored.Interrupt(t)
	}
	l.Pause(t)
	l.CheckAll(t)
	t.Log(l.Counts())
	client.HangUp()
	s.Interrupt(t)
}

// unlimited returns the setting with which the load, which is one caller, may send as much as it can.
func unlimited() []string { return []string{"CALLER_RATE=0"} }

// runIn runs lines in bash, in folder, with path prepended to PATH and variable added to the environment.
func runIn(t *testing.T, folder, path, variable, lines string) string {
	t.Helper()
	shell := exec.CommandContext(t.Context(), "bash", "-euc", lines)
	shell.Dir = folder
	shell.Env = append(os.Environ(), "PATH="+path+":"+os.Getenv("PATH"), variable)
	printed, err := shell.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, lines, printed)
	}
	return string(printed)
}

// TestBackupOfAnyName checks that a backup has exactly the given file name, the mode 0600 and the data, and leaves no other
// file behind. Some of the names mean something else to SQLite, to a URL or to the command line.
func TestBackupOfAnyName(t *testing.T) {
	t.Parallel()
	folder, path := t.TempDir(), program.Folder(t)
	if r := program.Run(t, []string{"DATA_DIR=" + folder}, "seed"); r.Code != 0 {
		t.Fatal(r.Stderr)
	}
	for _, name := range []string{"file:x", "file:///tmp/x", "file:x?mode=memory", ":memory:", "a?b#c%20d", "with spaces", "-dash", "--data", "ñandú"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			here := t.TempDir()
			file := filepath.Join(here, name)
			if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
				t.Fatal(err)
			}
			shell := exec.CommandContext(t.Context(), "sh", "-c", `umask 000; exec "$0" backup -- "$1"`, filepath.Join(path, "pedidos"), name)
			shell.Dir, shell.Env = here, []string{"DATA_DIR=" + folder}
			printed, err := shell.CombinedOutput()
			want := "Backed up to " + name + " and verified: customers: 2, products: 3, orders: 0, schema version: "
			if err != nil || !strings.HasPrefix(string(printed), want) {
				t.Fatalf("%v\n%swant %s", err, printed, want)
			}
			found, err := os.ReadDir(filepath.Dir(file))
			if err != nil || len(found) != 1 || found[0].Name() != filepath.Base(name) {
				t.Fatalf("the folder holds %v, want only the backup: %v", found, err)
			}
			if info, err := os.Stat(file); err != nil || info.Mode() != 0o600 {
				t.Errorf("the backup: %v, %v, want mode 0600", info.Mode(), err)
			}
			restored := t.TempDir()
			if err := os.Rename(file, filepath.Join(restored, "pedidos.db")); err != nil {
				t.Fatal(err)
			}
			if n := number(t, databaseFile(t, restored), "SELECT COUNT(*) FROM products"); n != 3 {
				t.Errorf("the backup holds %d products, want 3", n)
			}
		})
	}
}

// TestBackupVerifiesCopy checks that backup fails, and leaves no file, if the copy is damaged.
func TestBackupVerifiesCopy(t *testing.T) {
	t.Parallel()
	folder, here := t.TempDir(), t.TempDir()
	env := []string{"DATA_DIR=" + folder}
	if r := program.Run(t, env, "seed"); r.Code != 0 {
		t.Fatal(r.Stderr)
	}
	db := databaseFile(t, folder)
	db.SetMaxOpenConns(1)
	const strict, lax = "name        TEXT     NOT NULL", "name        TEXT     "
	for _, statement := range []string{ // they write a row that violates a constraint, which the copy then has too
		"PRAGMA writable_schema = ON", "UPDATE sqlite_master SET sql = replace(sql, '" + strict + "', '" + lax + "') WHERE name = 'products'",
		"PRAGMA writable_schema = RESET", "UPDATE products SET name = NULL WHERE id = 1",
		"PRAGMA writable_schema = ON", "UPDATE sqlite_master SET sql = replace(sql, '" + lax + "', '" + strict + "') WHERE name = 'products'",
		"PRAGMA writable_schema = RESET",
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	r := program.Run(t, env, "backup", filepath.Join(here, "b"))
	if r.Code != 1 || r.Stdout != "" || !strings.Contains(r.Stderr, "the copy is damaged: NULL value in products.name") {
		t.Errorf("exit code %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	if left, err := os.ReadDir(here); err != nil || len(left) != 0 {
		t.Errorf("%v is left, %v", left, err)
	}
}

// TestFilesArePrivate checks that the files of data and secrets have mode 0600 whatever the umask and their previous mode.
func TestFilesArePrivate(t *testing.T) {
	t.Parallel()
	folder, path := filepath.Join(t.TempDir(), "data"), program.Folder(t)
	if err := os.Mkdir(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	modes := func(when string) {
		t.Helper()
		for _, name := range []string{"pedidos.db", "pedidos.db-wal", "pedidos.db-shm", "signing-secret", "service-token"} {
			if info, err := os.Stat(filepath.Join(folder, name)); err != nil || info.Mode() != 0o600 {
				t.Errorf("%s: %s has mode %v, %v, want 0600", when, name, info.Mode(), err)
			}
		}
	}
	seed := exec.CommandContext(t.Context(), "sh", "-c", `umask 000; exec "$0" seed`, filepath.Join(path, "pedidos"))
	seed.Env = []string{"DATA_DIR=" + folder}
	if printed, err := seed.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, printed)
	}
	s := program.Up(t, nil, folder, program.FreePorts()...)
	modes("new")
	s.Kill(t) // a shutdown would remove the write-ahead log and its index
	for _, name := range []string{"pedidos.db", "pedidos.db-wal", "pedidos.db-shm", "signing-secret", "service-token"} {
		if err := os.Chmod(filepath.Join(folder, name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s = program.Up(t, nil, folder, program.FreePorts()...)
	modes("opened again")
	s.Interrupt(t)
}

// TestBackupOverwritesNothing checks that backup overwrites no file, and that a failed backup leaves none.
func TestBackupOverwritesNothing(t *testing.T) {
	t.Parallel()
	folder, here := t.TempDir(), t.TempDir()
	env := []string{"DATA_DIR=" + folder}
	if r := program.Run(t, env, "seed"); r.Code != 0 {
		t.Fatal(r.Stderr)
	}
	file := filepath.Join(here, "b")
	if r := program.Run(t, env, "backup", file); r.Code != 0 || !strings.HasPrefix(r.Stdout, "Backed up to "+file+" and verified: ") {
		t.Fatalf("exit code %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	first, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if first.Mode().Perm() != 0o600 { // it holds personal data of customers
		t.Errorf("the backup has the mode %s", first.Mode())
	}
	for _, tc := range []struct {
		env       string
		to, wants string
	}{
		{"DATA_DIR=" + folder, file, file + " exists already"},
		{"DATA_DIR=" + folder, here, here + " exists already"},
		{"DATA_DIR=" + folder, filepath.Join(here, "none", "b"), "no such file or directory"},
		{"DATA_DIR=" + here, filepath.Join(here, "c"), "no database in the data folder " + here},
		{"DB_HOST=127.0.0.1", filepath.Join(here, "c"), "mysqldump"},
	} {
		r := program.Run(t, []string{tc.env}, "backup", tc.to)
		if r.Code != 1 || r.Stdout != "" || strings.Count(r.Stderr, "\n") != 1 || !strings.Contains(r.Stderr, tc.wants) {
			t.Errorf("%s to %s: exit code %d, want %q:\n%s%s", tc.env, tc.to, r.Code, tc.wants, r.Stdout, r.Stderr)
		}
	}
	again, err := os.Stat(file)
	if err != nil || again.ModTime() != first.ModTime() || again.Size() != first.Size() {
		t.Errorf("the backup was modified: %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(here, "*")); err != nil || fmt.Sprint(left) != fmt.Sprint([]string{file}) {
		t.Errorf("the folder holds %q, want only the backup: %v", left, err)
	}
}
