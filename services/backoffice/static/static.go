// Package static holds the stylesheet and the script of the backoffice.
package static

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"path"
	"strings"
)

//go:embed style.css app.js icon.svg
var files embed.FS

// Files holds the files by name. The URL of a file changes with its content, so that browsers keep it forever.
type Files struct {
	byPath map[string]File
	urls   map[string]string
}

// File is a file with its media type.
type File struct {
	Type    string
	Content []byte
}

// Read reads the files.
func Read() (*Files, error) {
	f := &Files{byPath: map[string]File{}, urls: map[string]string{}}
	for name, media := range map[string]string{
		"style.css": "text/css; charset=utf-8", "app.js": "text/javascript; charset=utf-8", "icon.svg": "image/svg+xml",
	} {
		content, err := files.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		sum := sha256.Sum256(content)
		at := hex.EncodeToString(sum[:8]) + "/" + name
		f.byPath[at], f.urls[name] = File{media, content}, path.Join("/static", at)
	}
	return f, nil
}

// URL returns the URL of the file with a name.
func (f *Files) URL(name string) string { return f.urls[name] }

// Find returns the file at a path, and whether there is one.
func (f *Files) Find(at string) (File, bool) {
	file, ok := f.byPath[strings.TrimPrefix(at, "/static/")]
	return file, ok
}
