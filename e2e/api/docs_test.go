package api

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/world"
	"github.com/pedidos-hq/pedidos/gen/common"
)

// reference is a script, style sheet or image of a page.
var reference = regexp.MustCompile(`(?:src|href)="([^"]+)"`)

func TestDocs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	for _, s := range allServices(t, w) {
		for _, prefix := range s.prefixes() {
			t.Run(s.name+prefix, func(t *testing.T) {
				t.Parallel()
				page := call.Send(t, s.client, http.MethodGet, s.url+prefix+"/docs", nil)
				if media, _, _ := mime.ParseMediaType(page.Header.Get("Content-Type")); page.Status != http.StatusOK || media != "text/html" {
					t.Fatalf("got %d %s, want 200 text/html", page.Status, page.Header.Get("Content-Type"))
				}
				if !bytes.Contains(page.Body, []byte(`"`+prefix+`/openapi.json"`)) && !bytes.Contains(page.Body, []byte(`'`+prefix+`/openapi.json'`)) {
					t.Errorf("got %s, want a page that reads %s/openapi.json", page.Body, prefix)
				}
				checkGuarded(t, "the page", page)
				if bytes.Contains(page.Body, []byte("<script>")) {
					t.Errorf("got %s, want no script within the page: its policy forbids it", page.Body)
				}
				scripts, styles := 0, 0
				for _, match := range reference.FindAllSubmatch(page.Body, -1) {
					path := string(match[1])
					if !strings.HasPrefix(path, prefix+"/docs/") {
						t.Errorf("the page asks for %s, want all of its parts under %s/docs/: it has to work without the internet", path, prefix)
						continue
					}
					part := call.Send(t, s.client, http.MethodGet, s.url+path, nil)
					media, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type"))
					if part.Status != http.StatusOK || len(part.Body) < 100 {
						t.Errorf("GET %s: got %d and %d bytes, want the file", path, part.Status, len(part.Body))
					}
					checkGuarded(t, path, part)
					checkCached(t, s, path, part)
					switch {
					case strings.HasSuffix(path, ".js"):
						scripts++
						if media != "text/javascript" && media != "application/javascript" {
							t.Errorf("GET %s: got %q, want a script", path, media)
						}
					case strings.HasSuffix(path, ".css"):
						styles++
						if media != "text/css" {
							t.Errorf("GET %s: got %q, want a style sheet", path, media)
						}
					case media != "image/png":
						t.Errorf("GET %s: got %q, want a picture", path, media)
					}
				}
				if scripts == 0 || styles == 0 {
					t.Errorf("the page asks for %d scripts and %d style sheets, want some", scripts, styles)
				}

				for _, asset := range []string{"nope.js", "nope", "..", "...", "openapi.json", "index.html", "swagger-ui.css.gz"} {
					a := call.Send(t, s.client, http.MethodGet, s.url+prefix+"/docs/"+asset, nil)
					a.WantProblem(t, http.StatusNotFound, common.CodeNotFound)
				}
				bad := []string{"a%00.js", "%20", "index.html~", "%FF.js", strings.Repeat("a", 101)}
				if prefix == "" { // the contract's router takes no prefix off a path with an escaped slash
					bad = append(bad, "a%2Fb.js", "..%2F..%2Fetc%2Fpasswd")
				}
				for _, asset := range bad {
					call.Send(t, s.client, http.MethodGet, s.url+prefix+"/docs/"+asset, nil).WantInvalid(t, "asset")
				}
			})
		}
	}
}

// checkGuarded checks the security headers of a response.
func checkGuarded(t *testing.T, what string, a call.Response) {
	t.Helper()
	policy := a.Header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self';", "frame-ancestors 'none'", "base-uri 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("%s: the policy is %q, want %s in it", what, policy, want)
		}
	}
	if a.Header.Get("X-Content-Type-Options") != "nosniff" || a.Header.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("%s: got headers %v, want nosniff and no-referrer", what, a.Header)
	}
}

// checkCached checks a file of a page. Both encodings must have the same content and different ETags, and requests for a
// range must get the whole file.
func checkCached(t *testing.T, s service, path string, part call.Response) {
	t.Helper()
	get := func(headers ...string) call.Response {
		return call.Send(t, s.client, http.MethodGet, s.url+path, nil, headers...)
	}
	plain := get("Accept-Encoding", "identity")
	if !bytes.Equal(plain.Body, part.Body) || plain.Header.Get("Content-Encoding") != "" {
		t.Errorf("GET %s: got %d bytes without an encoding, %d with one", path, len(plain.Body), len(part.Body))
	}
	packed := get("Accept-Encoding", "gzip") // with an explicit header, the transport does not decompress
	compressed := packed.Header.Get("Content-Encoding") == "gzip"
	if isPicture := strings.HasSuffix(path, ".png"); compressed == isPicture && !strings.Contains(path, "/docs/docs.") {
		t.Errorf("GET %s: compressed %t", path, compressed)
	}
	if compressed {
		z, err := gzip.NewReader(bytes.NewReader(packed.Body))
		if err != nil {
			t.Fatal(err)
		}
		if unpacked, err := io.ReadAll(z); err != nil || !bytes.Equal(unpacked, plain.Body) {
			t.Errorf("GET %s: unpacked it has %d bytes (%v), want %d", path, len(unpacked), err, len(plain.Body))
		}
	}
	for _, a := range []call.Response{plain, packed} {
		tag, encoding := a.Header.Get("ETag"), cmp.Or(a.Header.Get("Content-Encoding"), "identity")
		if !entityTag.MatchString(tag) || (plain.Header.Get("ETag") == packed.Header.Get("ETag")) == compressed {
			t.Errorf("GET %s: the tags are %s and %s, want quoted ones, one for each encoding", path, plain.Header.Get("ETag"), packed.Header.Get("ETag"))
		}
		for _, known := range []string{tag, "W/" + tag, `"other", ` + tag, "*"} {
			again := get("If-None-Match", known, "Accept-Encoding", encoding)
			if again.Status != http.StatusNotModified || len(again.Body) > 0 || again.Header.Get("ETag") != tag {
				t.Errorf("GET %s with If-None-Match %s: got %d, %s and %d bytes, want 304", path, known, again.Status, again.Header.Get("ETag"), len(again.Body))
			}
		}
		for _, known := range []string{`"other"`, strings.Trim(tag, `"`)} {
			if again := get("If-None-Match", known, "Accept-Encoding", encoding); again.Status != http.StatusOK {
				t.Errorf("GET %s with If-None-Match %s: got %d, want 200", path, known, again.Status)
			}
		}
	}
	for _, asked := range []string{"bytes=0-9", "bytes=99999999-", "bytes=0-1,5-6", "lines=1-2"} {
		if ranged := get("Range", asked, "Accept-Encoding", "identity"); ranged.Status != http.StatusOK || !bytes.Equal(ranged.Body, plain.Body) {
			t.Errorf("GET %s with Range %s: got %d and %d bytes, want the whole file", path, asked, ranged.Status, len(ranged.Body))
		}
	}
}

var entityTag = regexp.MustCompile(`^"[0-9a-f]+(-gzip)?"$`)

// TestStart checks that / of a service redirects to its documentation page.
func TestStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	for _, s := range allServices(t, w) {
		for _, path := range []string{"", "/", "/dev", "/dev/"} {
			prefix := strings.TrimSuffix(path, "/")
			if !slices.Contains(s.prefixes(), prefix) {
				continue
			}
			s.client.CheckRedirect = nil
			page := call.Send(t, s.client, http.MethodGet, s.url+path, nil)
			if page.Status != http.StatusOK || !bytes.Contains(page.Body, []byte(`="`+prefix+`/docs/swagger-ui.css"`)) {
				t.Errorf("%s%s: got %d %s, want the page", s.name, path, page.Status, page.Body)
			}
			s.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			a := call.Send(t, s.client, http.MethodGet, s.url+path, nil)
			if a.Status != http.StatusSeeOther || a.Header.Get("Location") != prefix+"/docs" {
				t.Errorf("%s%s: got %d to %q, want 303 to %s/docs", s.name, path, a.Status, a.Header.Get("Location"), prefix)
			}
			if a := call.Send(t, s.client, http.MethodPost, s.url+path, nil); a.Status != http.StatusMethodNotAllowed {
				t.Errorf("POST %s%s: got %d, want 405", s.name, path, a.Status)
			}
		}
	}
}

func TestContractIsServed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	for _, s := range allServices(t, w) {
		for _, prefix := range s.prefixes() {
			a := call.Send(t, s.client, http.MethodGet, s.url+prefix+"/openapi.json", nil)
			if a.Status != http.StatusOK || !strings.HasPrefix(a.Header.Get("Content-Type"), "application/json") {
				t.Errorf("%s%s: got %d %s, want 200 application/json", s.name, prefix, a.Status, a.Header.Get("Content-Type"))
			}
			if !bytes.Equal(a.Body, s.raw) {
				t.Errorf("%s%s: got %d bytes, want the contract as it is in gen, %d bytes", s.name, prefix, len(a.Body), len(s.raw))
			}
			var doc struct {
				OpenAPI string
				Info    struct{ Title, Version string }
				Paths   map[string]any
			}
			if err := json.Unmarshal(a.Body, &doc); err != nil || doc.OpenAPI != "3.0.3" || !strings.Contains(doc.Info.Title, s.name) || len(doc.Paths) < 5 {
				t.Errorf("%s%s: got %v and %+v, want the contract of the service in OpenAPI 3.0.3", s.name, prefix, err, doc.Info)
			}
			if bytes.Contains(a.Body, []byte("common.yaml")) {
				t.Errorf("%s%s: the contract refers to another document, want it complete", s.name, prefix)
			}
			if err := s.doc.Validate(t.Context()); err != nil {
				t.Errorf("%s: the contract is not valid: %v", s.name, err)
			}
		}
	}
}
