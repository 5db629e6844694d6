package lambda_test

import (
	"archive/zip"
	"bytes"
	"context"
	"debug/elf"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// TestZip builds the deployed zip with the commands of task build:lambda in two folders, one of which looks like a Git
// repository. Both builds must give the same bytes.
func TestZip(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("the Lambda's zip can't be built: go is not on PATH")
	}
	first, second := copyTree(t), copyTree(t)
	if err := os.Mkdir(filepath.Join(second, ".git"), 0o755); err != nil { // not a valid repository: reading it fails
		t.Fatal(err)
	}
	packed := buildZip(t, first)
	if again := buildZip(t, second); !bytes.Equal(packed, again) {
		t.Errorf("the builds differ: %d and %d bytes", len(packed), len(again))
	}

	archive, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	if err != nil {
		t.Fatal(err)
	}
	if len(archive.File) != 1 {
		t.Fatalf("the zip has %d files, want 1", len(archive.File))
	}
	file := archive.File[0]
	if file.Name != "bootstrap" || file.Mode() != 0o755 {
		t.Errorf("the zip contains %s %s, want an executable bootstrap", file.Mode(), file.Name)
	}
	unpacked, err := file.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer unpacked.Close()
	content, err := io.ReadAll(unpacked)
	if err != nil {
		t.Fatal(err)
	}
	executable, err := elf.NewFile(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	if executable.Machine != elf.EM_AARCH64 {
		t.Errorf("the bootstrap is for %s", executable.Machine)
	}
	for _, part := range executable.Progs {
		if part.Type == elf.PT_INTERP {
			t.Error("the bootstrap is not statically linked")
		}
	}
	t.Logf("the zip has %d bytes, the bootstrap in it %d", len(packed), len(content))
}

// copyTree copies the sources of the zip into a new folder.
func copyTree(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for _, name := range []string{"gen", "services", "sql", "tools"} {
		if err := os.CopyFS(filepath.Join(root, name), os.DirFS(filepath.Join("../..", name))); err != nil {
			t.Fatal(err)
		}
	}
	for _, module := range []string{"e2e", "sdk/go"} {
		if err := os.MkdirAll(filepath.Join(root, module), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"go.work", "go.work.sum", "e2e/go.mod", "e2e/go.sum", "sdk/go/go.mod"} {
		content, err := os.ReadFile(filepath.Join("../..", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// buildZip runs the commands of the task and returns the zip that the template deploys.
func buildZip(t *testing.T, root string) []byte {
	t.Helper()
	content, err := os.ReadFile("../../Taskfile.yml")
	if err != nil {
		t.Fatal(err)
	}
	var taskfile struct {
		Tasks map[string]struct{ Cmds []any }
	}
	if err := yaml.Unmarshal(content, &taskfile); err != nil {
		t.Fatal(err)
	}
	var script strings.Builder
	for _, command := range taskfile.Tasks["build:lambda"].Cmds {
		fmt.Fprintln(&script, command)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	shell := exec.CommandContext(ctx, "sh", "-e", "-c", script.String())
	shell.Dir = root
	shell.Env = append(os.Environ(), "GOFLAGS=-buildvcs=auto") // the default of go, whatever this environment sets
	if output, err := shell.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}

	source, err := os.ReadFile(templateFile)
	if err != nil {
		t.Fatal(err)
	}
	tmpl, _ := read(t, string(source), nil)
	packed, err := os.ReadFile(filepath.Join(root, "deploy/lambda", tmpl.Resources.Orchestrator.Properties.CodeURI))
	if err != nil {
		t.Fatal(err)
	}
	return packed
}
