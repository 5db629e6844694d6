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

	"github.com/pedidos-hq/pedidos/e2e/world"
)

// examples is the program of the Go SDK's examples.
var examples string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	folder, err := os.MkdirTemp("", "pedidos-examples-")
	if err != nil {
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
	services := map[string]*httputil.ReverseProxy{}
	for _, service := range []string{"customers", "orders", "orchestrator"} {
		at, err := url.Parse(w.Checked(service))
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

// example returns the command that runs an example against the services at an address.
func example(t *testing.T, name, address string, env ...string) *exec.Cmd {
	t.Helper()
	c := exec.CommandContext(t.Context(), examples, "-test.v", "-test.run", "^"+name+"$")
	c.Dir = t.TempDir()
	c.Env = append([]string{"PEDIDOS_URL=" + address, "PEDIDOS_PASSWORD=" + world.AdminPassword}, env...)
	return c
}

// wantPass runs an example, which must pass.
func wantPass(t *testing.T, name, address string, env ...string) {
	t.Helper()
	c := example(t, name, address, env...)
	if out, err := c.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: "+name+" ") {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}
