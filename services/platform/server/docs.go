package server

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	_ "embed" // docs.js and docs.css
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"
	"github.com/swaggest/swgui/v5/static"
	"golang.org/x/net/http/httpguts"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
)

var (
	//go:embed docs.js
	docsScript []byte
	//go:embed docs.css
	docsStyle []byte
)

// docsPolicy is the Content-Security-Policy of the page. It allows only the page's own files, calls of its own service and the
// login. Swagger UI needs inline styles.
const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// addDocs adds Swagger UI for the contract under a prefix. login is the path or URL of the login, or "".
func addDocs(e *echo.Echo, prefix, title, login string, assets map[string]*asset) {
	policy := docsPolicy
	if strings.HasPrefix(login, "http") { // another origin
		policy = strings.Replace(policy, "connect-src 'self'", "connect-src 'self' "+login, 1)
	}
	e.GET(prefix+"/docs", func(c echo.Context) error {
		guard(c.Response().Header(), policy)
		c.Response().Header().Set(echo.HeaderContentType, echo.MIMETextHTMLCharsetUTF8)
		return docsPage(prefix, title, login).Render(c.Request().Context(), c.Response())
	})
	e.GET(prefix+"/docs/:asset", func(c echo.Context) error {
		a, ok := assets[c.Param("asset")]
		if !ok {
			return fault.New(common.CodeNotFound, "There is no such file.")
		}
		return a.serve(c)
	})
}

// guard sets headers that prevent foreign code in the page, framing and guessing of media types.
func guard(h http.Header, policy string) {
	h.Set(echo.HeaderContentSecurityPolicy, policy)
	h.Set(echo.HeaderXContentTypeOptions, "nosniff")
	h.Set(echo.HeaderReferrerPolicy, "no-referrer")
}

// asset is a file of the page.
type asset struct {
	mediaType, tag string
	packed         []byte                 // with gzip; nil for an image
	plain          func() ([]byte, error) // unpacks once, for clients that do not accept gzip
}

// docsAssets returns the files of the page by name: those of Swagger UI, and the script that starts it.
func docsAssets() (map[string]*asset, error) {
	files, err := fs.ReadDir(static.FS, ".")
	if err != nil {
		return nil, fmt.Errorf("read the files of the page: %w", err)
	}
	all := map[string]*asset{"docs.js": newAsset("docs.js", docsScript), "docs.css": newAsset("docs.css", docsStyle)}
	for _, file := range files {
		content, err := fs.ReadFile(static.FS, file.Name())
		if err != nil {
			return nil, fmt.Errorf("read the files of the page: %w", err)
		}
		name, packed := strings.CutSuffix(file.Name(), ".gz")
		a := newAsset(name, content)
		if packed {
			a.packed, a.plain = content, sync.OnceValues(func() ([]byte, error) { return unpack(content) })
		}
		all[name] = a
	}
	return all, nil
}

func newAsset(name string, content []byte) *asset {
	sum := sha256.Sum256(content)
	return &asset{
		mediaType: mime.TypeByExtension(path.Ext(name)), tag: hex.EncodeToString(sum[:8]),
		plain: func() ([]byte, error) { return content, nil },
	}
}

func unpack(packed []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// serve answers with the whole file. It ignores Range, which is optional (RFC 9110, 14.2), as the files are small.
func (a *asset) serve(c echo.Context) error {
	h := c.Response().Header()
	tag, content := a.tag, a.packed
	packed := a.packed != nil && httpguts.HeaderValuesContainsToken(c.Request().Header[echo.HeaderAcceptEncoding], "gzip")
	if packed {
		tag += "-gzip"
	} else {
		var err error
		if content, err = a.plain(); err != nil {
			return fmt.Errorf("unpack a file of the page: %w", err)
		}
	}
	tag = `"` + tag + `"`
	guard(h, docsPolicy)
	h.Set("ETag", tag)
	h.Set("Accept-Ranges", "none")
	if a.packed != nil {
		h.Add(echo.HeaderVary, echo.HeaderAcceptEncoding)
	}
	if matches(c.Request().Header.Values("If-None-Match"), tag) {
		return c.NoContent(http.StatusNotModified)
	}
	if packed {
		h.Set(echo.HeaderContentEncoding, "gzip")
	}
	h.Set(echo.HeaderContentLength, strconv.Itoa(len(content)))
	return c.Blob(http.StatusOK, a.mediaType, content)
}

// matches reports whether If-None-Match names the tag, by weak comparison (RFC 9110, 13.1.2).
func matches(header []string, tag string) bool {
	for one := range strings.SplitSeq(strings.Join(header, ","), ",") {
		if one = strings.TrimSpace(one); one == "*" || strings.TrimPrefix(one, "W/") == tag {
			return true
		}
	}
	return false
}
