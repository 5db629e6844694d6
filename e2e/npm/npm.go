// Package npm installs tools from npm for tests, at the versions that the tests name.
package npm

import (
	"os"
	"os/exec"
	"testing"
)

// Install installs packages, such as "typescript@5.9.2", and returns the folder that has them in node_modules. npm verifies what it
// downloads, and keeps it for the next time. Install skips the test without npm, except in CI.
func Install(t *testing.T, packages ...string) (folder string) {
	t.Helper()
	npm, err := exec.LookPath("npm")
	if err != nil && os.Getenv("CI") != "" {
		t.Fatal(err)
	}
	if err != nil {
		t.Skipf("%q need npm, which is not installed", packages)
	}
	folder = t.TempDir()
	args := []string{"install", "--silent", "--no-audit", "--no-fund", "--no-save", "--prefer-offline", "--ignore-scripts", "--prefix", folder}
	c := exec.CommandContext(t.Context(), npm, append(args, packages...)...)
	c.Dir = folder
	if said, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", c, err, said)
	}
	return folder
}
