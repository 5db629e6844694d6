// Package sdk tests the SDKs against the real services, on the embedded engine. Every exchange is checked against the contracts.
package sdk

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/backoffice/browser"
	"github.com/pedidos-hq/pedidos/e2e/world"
)

var (
	folder   string // is removed after the tests
	examples string // the program of the Go SDK's examples
)

func TestMain(m *testing.M) { os.Exit(browser.Main(func() int { return testMain(m) })) }

func testMain(m *testing.M) int {
	var err error
	if folder, err = os.MkdirTemp("", "pedidos-sdk-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	examples = filepath.Join(folder, "examples")
	build := exec.Command("go", "test", "-c", "-o", examples, "github.com/pedidos-hq/pedidos/sdk/go")
	if output, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n%s", build, err, output)
		return 1
	}
	return m.Run()
}

// newDoor serves the services of a world at one address.
func newDoor(t *testing.T, w *world.World) *httptest.Server {
	t.Helper()
	return newDoorOf(t, w.Checked)
}

// newDoorOf serves the services, whose URLs a function returns, at one address.
func newDoorOf(t *testing.T, urlOf func(service string) string) *httptest.Server {
	t.Helper()
	services := map[string]*httputil.ReverseProxy{}
	for _, service := range []string{"customers", "orders", "orchestrator"} {
		at, err := url.Parse(urlOf(service))
		if err != nil {
			t.Fatal(err)
		}
		services[service] = &httputil.ReverseProxy{
			Rewrite:      func(r *httputil.ProxyRequest) { r.SetURL(at) },
			ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
		}
	}
	door := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		service := "customers"
		switch first := strings.Split(r.URL.Path, "/")[1]; first {
		case "orchestrator":
			service = first
		case "orders", "products", "reports":
			service = "orders"
		}
		services[service].ServeHTTP(rw, r)
	}))
	t.Cleanup(door.Close)
	return door
}

// example returns the command that runs an example of the Go SDK.
func example(t *testing.T, name string, env ...string) *exec.Cmd {
	t.Helper()
	c := exec.CommandContext(t.Context(), examples, "-test.v", "-test.run", "^"+name+"$")
	c.Dir, c.Env = t.TempDir(), env
	return c
}
