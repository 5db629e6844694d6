package process

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/document"
	"github.com/pedidos-hq/pedidos/e2e/load"
	"github.com/pedidos-hq/pedidos/e2e/program"
	"github.com/pedidos-hq/pedidos/e2e/sdk"
)

// TestBackup pastes the lines of docs/operations.md: a shop is backed up while orders are placed, and restored into other
// folders. Each order that was there when the backup began is there, and all adds up. The shop goes on as if nothing were.
func TestBackup(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("bash is not here, so the lines can't be pasted")
	}
	lines := document.Blocks(document.Section(t, "../../docs/operations.md", "### The embedded engine"), "sh")
	if len(lines) != 2 {
		t.Fatalf("there are %d blocks to paste, want one that backs up and one that restores:\n%q", len(lines), lines)
	}
	backUp, restore := lines[0], lines[1]
	folder, path := t.TempDir(), program.Folder(t)
	s := program.Up(t, nil, folder, append(program.FreePorts(), "--no-seed")...)
	client := s.Login(t, sdk.LocalPassword)
	l := load.New(t, load.Config{Seed: *seed}, client)

	l.Start(t)
	for range 3 {
		l.AwaitMore(t, 100)
		here := t.TempDir()
		before := client.AllOrders(t, 0)
		pasteIn(t, here, path, "DATA_DIR="+folder, backUp)
		if printed := pasteIn(t, here, path, "", restore); !strings.HasSuffix(printed, "Stock and totals add up.\n") {
			t.Errorf("the lines that restore print\n%s", printed)
		}
		restored := program.Up(t, nil, filepath.Join(here, "restored"), append(program.FreePorts(), "--no-seed")...)
		after := restored.Login(t, sdk.LocalPassword)
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

// pasteIn pastes lines into a shell in a folder.
func pasteIn(t *testing.T, folder, path, variable, lines string) string {
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

// TestBackupReplacesNothing: what is refused leaves the files as they were.
func TestBackupReplacesNothing(t *testing.T) {
	t.Parallel()
	folder, here := t.TempDir(), t.TempDir()
	env := []string{"DATA_DIR=" + folder}
	if r := program.Run(t, env, "seed"); r.Code != 0 {
		t.Fatal(r.Stderr)
	}
	file := filepath.Join(here, "b")
	if r := program.Run(t, env, "backup", file); r.Code != 0 || r.Stdout != "The backup is in "+file+".\n" {
		t.Fatalf("exit code %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	first, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if first.Mode().Perm() != 0o600 { // customers are in it
		t.Errorf("the backup has the mode %s", first.Mode())
	}
	for _, tc := range []struct {
		env       string
		to, wants string
	}{
		{"DATA_DIR=" + folder, file, file + " is there already"},
		{"DATA_DIR=" + folder, here, here + " is there already"},
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
		t.Errorf("the backup was touched: %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(here, "*")); err != nil || fmt.Sprint(left) != fmt.Sprint([]string{file}) {
		t.Errorf("there are %q, want the one backup: %v", left, err)
	}
}
