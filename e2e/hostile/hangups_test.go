package hostile

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/program"
)

// TestHangUps calls the orchestrator with an unsigned token and closes each connection at once, during the orchestrator's
// call to orders-api. This must not affect other callers.
func TestHangUps(t *testing.T) {
	t.Parallel()
	calls := 80
	if *long {
		calls = 5_000
	}
	s := program.Up(t, nil, t.TempDir(), program.FreePorts()...)
	part := base64.RawURLEncoding.EncodeToString
	token := part([]byte(`{"alg":"HS256"}`)) + "." + part([]byte(`{"sub":"a","exp":9999999999}`)) + "." + part([]byte("unsigned"))
	body := `{"customer_id":1,"items":[{"product_id":1,"qty":1}],"idempotency_key":"hang-up"}`
	request := fmt.Sprintf("POST /orchestrator/create-and-confirm-order HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", token, len(body), body)
	for range calls {
		conn := dial(t, s.Orchestrator)
		if _, err := io.WriteString(conn, request); err != nil {
			t.Fatal(err)
		}
		if err := conn.Close(); err != nil {
			t.Fatal(err)
		}
	}
	s.AwaitMatch(t, s.Stderr, regexp.MustCompile(fmt.Sprintf(`(?s)(createAndConfirmOrder.*){%d}`, min(calls, 1000))))

	c := s.Login(t, call.LocalPassword)
	c.CreateAndConfirm(t, "good", 1, 1, 1)
	if status, body := program.Get(t, s.Orchestrator+"/ready"); status != http.StatusOK {
		t.Errorf("/ready after %d hang-ups: %d %s", calls, status, body)
	}
}
