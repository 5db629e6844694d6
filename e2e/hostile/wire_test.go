package hostile

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/program"
	"github.com/pedidos-hq/pedidos/gen/common"
)

// TestMalformedRequests sends malformed and unsupported HTTP, with and without 2 MiB of data after it, before it reads. The
// answer must be a problem document, and the connection must not be reset.
func TestMalformedRequests(t *testing.T) {
	t.Parallel()
	s := program.Up(t, nil, t.TempDir(), program.FreePorts()...)
	const host = "Host: localhost\r\n"
	long := strings.Repeat("a", 40<<10)
	for what, test := range map[string]struct {
		head string
		code common.ProblemCode
	}{
		"percent sign":            {"GET /customers/%zz HTTP/1.1\r\n" + host, common.CodeInvalidInput},
		"percent sign at the end": {"GET /customers/% HTTP/1.1\r\n" + host, common.CodeInvalidInput},
		"blank in the path":       {"GET /customers/a b HTTP/1.1\r\n" + host, common.CodeInvalidInput},
		"control character":       {"GET /customers/\x01 HTTP/1.1\r\n" + host, common.CodeInvalidInput},
		"path without a slash":    {"GET customers HTTP/1.1\r\n" + host, common.CodeInvalidInput},
		"method":                  {"GE(T /customers HTTP/1.1\r\n" + host, common.CodeInvalidInput},
		"nothing like HTTP":       {"hello\r\n", common.CodeInvalidInput},
		"TLS":                     {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n", common.CodeInvalidInput},
		"no Host":                 {"GET /customers HTTP/1.1\r\n", common.CodeInvalidInput},
		"two Hosts":               {"GET /customers HTTP/1.1\r\n" + host + host, common.CodeInvalidInput},
		"Host":                    {"GET /customers HTTP/1.1\r\nHost: a b\r\n", common.CodeInvalidInput},
		"header without a colon":  {"GET /customers HTTP/1.1\r\n" + host + "nonsense\r\n", common.CodeInvalidInput},
		"header name":             {"GET /customers HTTP/1.1\r\n" + host + "a(b: c\r\n", common.CodeInvalidInput},
		"header value":            {"GET /customers HTTP/1.1\r\n" + host + "a: \x00\r\n", common.CodeInvalidInput},
		"Content-Length":          {"POST /customers HTTP/1.1\r\n" + host + "Content-Length: many\r\n", common.CodeInvalidInput},
		"two Content-Lengths":     {"POST /customers HTTP/1.1\r\n" + host + "Content-Length: 1\r\nContent-Length: 2\r\n", common.CodeInvalidInput},
		"Transfer-Encoding":       {"POST /customers HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip\r\n", common.CodeNotImplemented},
		"HTTP/2.0":                {"GET /customers HTTP/2.0\r\n" + host, common.CodeHTTPVersionNotSupported},
		"HTTP/1.x":                {"GET /customers HTTP/1.x\r\n" + host, common.CodeInvalidInput},
		"Expect":                  {"POST /customers HTTP/1.1\r\n" + host + "Expect: 200-ok\r\nContent-Length: 2097152\r\n", common.CodeExpectationFailed},
		"long path":               {"GET /" + long + " HTTP/1.1\r\n" + host, common.CodeHeadersTooLarge},
		"long header":             {"GET /customers HTTP/1.1\r\n" + host + "a: " + long + "\r\n", common.CodeHeadersTooLarge},
		"many headers":            {"GET /customers HTTP/1.1\r\n" + host + strings.Repeat("a: b\r\n", 10_000), common.CodeHeadersTooLarge},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			for _, rest := range []string{"", strings.Repeat("x", 2<<20)} {
				text := test.head + "\r\n" + rest
				a := exchange(t, s.Customers, text)
				var about []string
				if test.code == common.CodeInvalidInput {
					about = []string{"request"}
				}
				a.WantProblem(t, statuses[test.code], test.code, about...)
				if !a.Close {
					t.Errorf("%s: %s, want the connection closed", clip(text), a.Header)
				}
			}
		})
	}
}

var statuses = map[common.ProblemCode]int{
	common.CodeInvalidInput: 400, common.CodeExpectationFailed: 417, common.CodeHeadersTooLarge: 431,
	common.CodeNotImplemented: 501, common.CodeHTTPVersionNotSupported: 505,
}

// TestUnreadBodies sends bodies that the service does not read, or not completely, before it answers. A client that sends the
// whole body before it reads must get the answer and no reset.
func TestUnreadBodies(t *testing.T) {
	t.Parallel()
	s := program.Up(t, nil, t.TempDir(), program.FreePorts()...)
	token := "Authorization: Bearer " + s.Token(t, call.LocalPassword) + "\r\n"
	sizes := []int{1 << 10, 1<<20 + 1, 8 << 20}
	if *long {
		sizes = append(sizes, 32<<20)
	}
	for _, size := range sizes {
		body := strings.Repeat(" ", size)
		length := fmt.Sprintf("Content-Length: %d\r\n\r\n%s", size, body)
		for framing, tail := range map[string]string{
			"length":           length,
			"chunks":           fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", size, body),
			"length, to close": "Connection: close\r\n" + length,
			"length, expected": "Expect: 100-continue\r\n" + length,
		} {
			for _, test := range []struct {
				line, token string
				status      int
			}{
				{"POST /customers", "", http.StatusUnauthorized},
				{"POST /customers", token, http.StatusRequestEntityTooLarge},
				{"POST /nope", "", http.StatusNotFound},
				{"DELETE /customers", token, http.StatusMethodNotAllowed},
			} {
				if test.status == http.StatusRequestEntityTooLarge && size <= 1<<20 {
					continue
				}
				t.Run(fmt.Sprintf("%d bytes, %s, %d", size, framing, test.status), func(t *testing.T) {
					t.Parallel()
					text := test.line + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" + test.token + tail
					if a := exchange(t, s.Customers, text); a.Status != test.status {
						t.Errorf("got %s, want %d", a, test.status)
					} else {
						a.Problem(t)
					}
				})
			}
		}
	}
}
