package hostile

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/call"
)

// patience bounds every wait. It is far longer than any step takes.
const patience = time.Minute

// dial connects to a service at its base URL.
func dial(t *testing.T, base string) net.Conn {
	t.Helper()
	conn, err := net.DialTimeout("tcp", strings.TrimPrefix(base, "http://"), patience)
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// answer is a response. Close reports whether the service closes the connection after it.
type answer struct {
	call.Response
	Close bool
}

// exchange sends the whole text before it reads the response, as simple clients do.
func exchange(t *testing.T, base, text string) answer {
	t.Helper()
	conn := dial(t, base)
	if _, err := io.WriteString(conn, text); err != nil {
		t.Errorf("%s: cannot send: %v", clip(text), err)
		return answer{Response: call.Response{Err: err}}
	}
	return receive(t, conn, text)
}

// receive reads the response to text. If the service closes the connection, it checks that no data follows.
func receive(t *testing.T, conn net.Conn, text string) answer {
	t.Helper()
	r := bufio.NewReader(conn)
	method, _, _ := strings.Cut(text, " ")
	request := &http.Request{Method: method, GetBody: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(clip(text))), nil }}
	response, err := http.ReadResponse(r, request)
	for err == nil && response.StatusCode == http.StatusContinue {
		response, err = http.ReadResponse(r, request)
	}
	a := answer{Response: call.Read(response, err)}
	if a.Err != nil {
		t.Errorf("%s: no complete response: %v", clip(text), a.Err)
		return a
	}
	if a.Close = response.Close; a.Close {
		if rest, err := io.ReadAll(r); err != nil || len(rest) > 0 {
			t.Errorf("%s is followed by %d bytes and %v, want EOF", a, len(rest), err)
		}
	}
	return a
}

// clip shortens text for messages.
func clip(text string) string {
	return strings.ReplaceAll(text[:min(len(text), 100)], "\r\n", "⏎")
}
