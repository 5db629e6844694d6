// Package script tests the script of the backoffice: its types with TypeScript, and what it does in chromium.
package script

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/npm"
)

// typescript is the version that checks the types.
const typescript = "typescript@5.9.2"

// TestTypes checks the JSDoc types of the script.
func TestTypes(t *testing.T) {
	t.Parallel()
	script, err := filepath.Abs("../../services/backoffice/static/app.js")
	if err != nil {
		t.Fatal(err)
	}
	folder := npm.Install(t, typescript)
	c := exec.CommandContext(t.Context(), filepath.Join(folder, "node_modules/.bin/tsc"), "--allowJs", "--checkJs", "--strict", "--noUnusedLocals", "--noEmit",
		"--target", "es2022", "--lib", "es2022,dom,dom.iterable", script)
	c.Dir = folder
	if said, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", c, err, said)
	}
}
