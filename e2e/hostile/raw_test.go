package hostile

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/gen/common"
)

// patience bounds every wait. It is far above what anything here takes.
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

// answer is what came back, to the end of the connection where the service closes it.
type answer struct {
	*http.Response
	body    string
	problem common.Problem // where it is one
}

// exchange sends text as it is, all of it before it reads, as simple clients do.
func exchange(t *testing.T, base, text string) answer {
	t.Helper()
	conn := dial(t, base)
	if _, err := io.WriteString(conn, text); err != nil {
		t.Errorf("%s: it can't be sent: %v", clip(text), err)
		return answer{Response: &http.Response{}}
	}
	return receive(t, conn, text)
}

func receive(t *testing.T, conn net.Conn, text string) answer {
	t.Helper()
	r := bufio.NewReader(conn)
	method, _, _ := strings.Cut(text, " ")
	response, err := http.ReadResponse(r, &http.Request{Method: method})
	for err == nil && response.StatusCode == http.StatusContinue {
		response, err = http.ReadResponse(r, &http.Request{Method: method})
	}
	if err != nil {
		t.Errorf("%s: no answer: %v", clip(text), err)
		return answer{Response: &http.Response{}}
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Errorf("%s: %d, but no whole body: %v", clip(text), response.StatusCode, err)
	}
	a := answer{Response: response, body: string(body)}
	if response.Header.Get("Content-Type") == "application/problem+json" {
		if err := json.Unmarshal(body, &a.problem); err != nil {
			t.Errorf("%s: %v\n%s", clip(text), err, body)
		}
	}
	if response.Close {
		if rest, err := io.ReadAll(r); err != nil || len(rest) > 0 {
			t.Errorf("%s: %d, and then %d bytes and %v, want the end", clip(text), response.StatusCode, len(rest), err)
		}
	}
	return a
}

func clip(text string) string {
	return strings.ReplaceAll(text[:min(len(text), 100)], "\r\n", "⏎")
}

// refused checks that the answer is a problem document with a status and a code.
func refused(t *testing.T, what string, a answer, status int, code common.ProblemCode) {
	t.Helper()
	if a.StatusCode != status || a.problem.Code != code || int(a.problem.Status) != status || len(a.problem.TraceID) != 32 {
		t.Errorf("%s: got %d %s %s, want %d %s as a problem document", clip(what), a.StatusCode, a.Header, a.body, status, code)
	}
}
