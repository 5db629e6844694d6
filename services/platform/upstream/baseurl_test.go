package upstream_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/pedidos-hq/pedidos/services/platform/upstream"
)

func TestBaseURL(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ raw, want string }{
		{"http://localhost:3002", "http://localhost:3002"},
		{"http://localhost:3002/", "http://localhost:3002"},
		{"http://localhost:3002///", "http://localhost:3002"},
		{"https://api.example.com", "https://api.example.com"},
		{"HTTPS://api.example.com", "https://api.example.com"},
		{" http://localhost:3002\n", "http://localhost:3002"},

		{"http://gateway/dev", "http://gateway/dev"},
		{"http://gateway/dev/", "http://gateway/dev"},
		{"http://gateway/a/b/", "http://gateway/a/b"},
		{"http://gateway/a%20b", "http://gateway/a%20b"},
		{"http://gateway/a b", "http://gateway/a%20b"},
		{"http://gateway/a%2Fb", "http://gateway/a%2Fb"},

		{"http://localhost:3002/orders", "http://localhost:3002"},
		{"http://localhost:3002/orders/", "http://localhost:3002"},
		{"http://localhost:3002/products//", "http://localhost:3002"},
		{"http://gateway/dev/orders", "http://gateway/dev"},
		{"http://gateway/dev/orders/", "http://gateway/dev"},
		{"http://gateway/dev//orders", "http://gateway/dev"},
		{"http://gateway/orders/orders", "http://gateway"},
		{"http://gateway/products/orders/", "http://gateway"},
		{"http://gateway/orders/dev", "http://gateway/orders/dev"},
		{"http://gateway/reorders", "http://gateway/reorders"},
		{"http://gateway/Orders", "http://gateway/Orders"},

		{"http://[::1]:3002/orders", "http://[::1]:3002"},
		{"http://host/#", "http://host"},
	} {
		got, err := upstream.BaseURL(test.raw, "orders", "products")
		if err != nil || got != test.want {
			t.Errorf("BaseURL(%q) = %q, %v, want %q", test.raw, got, err, test.want)
		}
	}
	if got, err := upstream.BaseURL("http://host/orders"); err != nil || got != "http://host/orders" {
		t.Errorf("BaseURL without resources = %q, %v", got, err)
	}
}

func TestBaseURLRefuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ raw, why string }{
		{"", "must start with http:// or https://"},
		{"  ", "must start with http:// or https://"},
		{"localhost", "must start with http:// or https://"},
		{"orders:3002", "must start with http:// or https://"},
		{"//localhost:3002", "must start with http:// or https://"},
		{"/orders", "must start with http:// or https://"},
		{"ftp://localhost", "must start with http:// or https://"},
		{"file:///etc/passwd", "must start with http:// or https://"},
		{"localhost:3002", "must start with http:// or https://"},
		{"127.0.0.1:3002", "is not a URL"},
		{"http://local host", "is not a URL"},
		{"http://host:port", "is not a URL"},
		{"http://host/%zz", "is not a URL"},
		{"http://host/\x00", "is not a URL"},
		{"http:host", "has no host"},
		{"http://", "has no host"},
		{"http:///orders", "has no host"},
		{"http://:3002", "has no host"},
		{"http://[fe80::1%25eth0]:3002", "has a percent sign in its host"},
		{"http://host?a=1", "must consist of scheme, host, port and path"},
		{"http://host/?", "must consist of scheme, host, port and path"},
		{"http://host/#part", "must consist of scheme, host, port and path"},
		{"http://ana@host", "must consist of scheme, host, port and path"},
		{"http://ana:hunter2@host", "must consist of scheme, host, port and path"},
		{"ftp://ana:hunter2@host", "must start with http:// or https://"},
		{"http://ana:hunter2@ho st", "is not a URL"},
		{"http://host/a//b", "has an empty or a dot segment"},
		{"http://host//dev", "has an empty or a dot segment"},
		{"http://host/a/../b", "has an empty or a dot segment"},
		{"http://host/a/./b", "has an empty or a dot segment"},
		{"http://host/..", "has an empty or a dot segment"},
		{"http://host/.", "has an empty or a dot segment"},
		{"http://host/../orders", "has an empty or a dot segment"},
	} {
		got, err := upstream.BaseURL(test.raw, "orders", "products")
		if got != "" || err == nil || !strings.Contains(err.Error(), test.why) {
			t.Errorf("BaseURL(%q) = %q, %v, want the error %q", test.raw, got, err, test.why)
			continue
		}
		if strings.ContainsAny(err.Error(), "\n\x00") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("BaseURL(%q): %v, want one line without a password", test.raw, err)
		}
	}
}

func FuzzBaseURL(f *testing.F) {
	for _, raw := range []string{
		"http://localhost:3002", "http://localhost:3002/orders/", "https://gateway/dev//orders//", "http://gateway/orders/orders",
		"http://gateway/products/orders", "http://host/%6frders", "http://host/a%2f%2fb/", "http://host/a/../b", "http://host/ /orders",
		"http://[::1]:3002/", "http://[fe80::1%25eth0]/", "http://h%25/", "http://%c3%a4/ä", "http://host/;a=1:2/", "http://host/%40\"", "http://host:/", "http:host", "//", "",
	} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		base, err := upstream.BaseURL(raw, "orders", "products")
		if err != nil {
			return
		}
		if again, err := upstream.BaseURL(base, "orders", "products"); err != nil || again != base {
			t.Errorf("BaseURL(%q) = %q, which BaseURL normalizes to %q, %v", raw, base, again, err)
		}
		// The generated client joins base URL and path like this.
		u, err := url.Parse(base + "/")
		if err != nil {
			t.Fatalf("BaseURL(%q) = %q: %v", raw, base, err)
		}
		if u, err = u.Parse("./orders"); err != nil {
			t.Fatalf("BaseURL(%q) = %q, joined: %v", raw, base, err)
		}
		path := u.EscapedPath()
		before, ends := strings.CutSuffix(path, "/orders")
		if !ends || strings.HasSuffix(before, "/orders") || strings.Contains(path, "//") {
			t.Errorf("BaseURL(%q) = %q, joined with ./orders: path %q", raw, base, path)
		}
	})
}
