package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/getkin/kin-openapi/openapi3"
)

// writeTypeScript writes the types of the TypeScript SDK with openapi-typescript, which runs in Node. Without npm it leaves them as they
// are, except in CI.
func writeTypeScript(ctx context.Context, root string, doc *openapi3.T) error {
	npm, err := exec.LookPath("npm")
	if err != nil && os.Getenv("CI") == "" {
		fmt.Fprintln(os.Stderr, "generate: without npm, the types of the TypeScript SDK are not generated")
		return nil
	}
	if err != nil {
		return err
	}
	text, err := json.Marshal(doc)
	if err != nil {
		return err
	}
	folder := filepath.Join(root, "sdk/typescript")
	for _, args := range [][]string{
		{"ci", "--silent", "--no-audit", "--no-fund", "--prefer-offline", "--ignore-scripts"},
		{"run", "--silent", "generate"},
	} {
		command := exec.CommandContext(ctx, npm, args...)
		command.Dir, command.Stdin, command.Stdout, command.Stderr = folder, bytes.NewReader(text), os.Stdout, os.Stderr
		if err := command.Run(); err != nil {
			return fmt.Errorf("npm %s: %w", args[0], err)
		}
	}
	return nil
}
