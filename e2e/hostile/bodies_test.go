package hostile

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/program"
)

// TestBodiesWithManyFaults sends bodies of 1 MiB with as many faults as possible, several at once, to operations that read a
// body without a valid token and to operations that require one. Every answer must name at most a hundred faults, and the
// memory of the process must stay bounded.
func TestBodiesWithManyFaults(t *testing.T) {
	t.Parallel()
	const (
		atOnce = 6
		grows  = 128 << 20 // allowed growth in bytes: several times the size of the bodies
	)
	rounds := 1
	if *long {
		rounds = 50
	}
	s := program.Up(t, []string{"LOGIN_RATE=1000", "LOGIN_BURST=1000000", "LOG_LEVEL=WARN"}, t.TempDir(), program.FreePorts()...)
	forged := forgedToken(t)
	s.Hide(forged)
	token := s.Token(t, call.LocalPassword)
	before := s.PeakMemory(t)
	for round := range rounds {
		for _, target := range []struct {
			path, token string
			status      int
		}{
			{s.Customers + "/auth/login", "", http.StatusBadRequest},
			{s.Customers + "/customers", token, http.StatusBadRequest},
			{s.Orders + "/orders", token, http.StatusBadRequest},
			{s.Orders + "/orders", forged, http.StatusUnauthorized},
			{s.Orchestrator + "/orchestrator/create-and-confirm-order", "", http.StatusBadRequest}, // up allows anonymous callers
			{s.Orchestrator + "/orchestrator/create-and-confirm-order", forged, http.StatusBadRequest},
			{s.Orchestrator + "/orchestrator/create-and-confirm-order", "x", http.StatusUnauthorized},
		} {
			var all sync.WaitGroup
			for i := range atOnce {
				all.Go(func() {
					headers := []string{"Content-Type", "application/json"}
					if target.token != "" {
						headers = call.JSON(target.token)
					}
					a := call.Try(t.Context(), http.DefaultClient, http.MethodPost, target.path, strings.NewReader(faulty(round*atOnce+i)), headers...)
					var p call.Problem
					if err := a.Decode(target.status, &p); err != nil {
						t.Error(err)
						return
					}
					if n := faults(p); n > 100 || target.status == http.StatusBadRequest && n == 0 {
						t.Errorf("got %s with %d faults, want 1 to 100", a, n)
					}
				})
			}
			all.Wait()
		}
	}
	after := s.PeakMemory(t)
	t.Logf("peak memory: %d MiB before, %d MiB after", before>>20, after>>20)
	if after-before > grows {
		t.Errorf("peak memory: %d MiB before, %d MiB after, want a growth of %d MiB at most", before>>20, after>>20, grows>>20)
	}
	program.AwaitReady(t, s.Customers, s.Orders, s.Orchestrator)
}

// faulty returns a body of about 1 MiB with as many faults as possible. There are six kinds, selected by n.
func faulty(n int) string {
	const size = 1<<20 - 100
	names := func() string {
		var text strings.Builder
		for i := 0; text.Len() < size; i++ {
			fmt.Fprintf(&text, `"%x":1,`, i)
		}
		return text.String() + `"x":1`
	}
	const order = `{"customer_id":1,"idempotency_key":"x","items":[`
	switch n % 6 {
	case 0:
		return order + strings.Repeat("{},", size/3) + "{}]}"
	case 1:
		return "{" + names() + "}"
	case 2:
		return order + "{" + names() + "}]}"
	case 3:
		return `{"x":{` + names() + "}}"
	case 4:
		return `{"name":"` + strings.Repeat(" ", size) + `"}`
	}
	return `{"username":[` + strings.Repeat("[1],", size/4) + `1]}`
}

// forgedToken returns an access token with claims valid for an hour and an invalid signature.
func forgedToken(t *testing.T) string {
	t.Helper()
	part := func(v any) string {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(text)
	}
	now := time.Now()
	return part(map[string]string{"alg": "HS256", "typ": "JWT"}) + "." + part(map[string]any{
		"sub": "admin", "role": "admin", "iss": "pedidos", "aud": "pedidos", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}) + "." + part(strings.Repeat("x", 22))
}

// faults returns the number of errors in a problem.
func faults(p call.Problem) int {
	if p.Errors == nil {
		return 0
	}
	return len(*p.Errors)
}
