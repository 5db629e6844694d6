// Package script tests the script of the backoffice: its types with TypeScript, and what it does in chromium.
package script

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// typescript is the version that checks the types. npm verifies what it downloads, and keeps it.
const typescript = "typescript@5.9.2"

// TestTypes checks the JSDoc types of the script.
func TestTypes(t *testing.T) {
	t.Parallel()
	npm, err := exec.LookPath("npm")
	if err != nil && os.Getenv("CI") != "" {
		t.Fatal(err)
	}
	if err != nil {
		t.Skip("TypeScript needs npm, which is not installed")
	}
	script, err := filepath.Abs("../../services/backoffice/static/app.js")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	run := func(name string, args ...string) {
		t.Helper()
		c := exec.CommandContext(t.Context(), name, args...)
		c.Dir = folder
		if said, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", c, err, said)
		}
	}
	run(npm, "install", "--silent", "--no-audit", "--no-fund", "--no-save", "--prefer-offline", "--ignore-scripts", "--prefix", folder, typescript)
	run(filepath.Join(folder, "node_modules/.bin/tsc"), "--allowJs", "--checkJs", "--strict", "--noUnusedLocals", "--noEmit",
		"--target", "es2022", "--lib", "es2022,dom,dom.iterable", script)
}
