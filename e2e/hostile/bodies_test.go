package hostile

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/program"
	"github.com/pedidos-hq/pedidos/gen/common"
)

// TestBodiesOfManyFaults sends bodies of 1 MiB in which as much is wrong as can be, several at once, to whatever reads a
// body without a valid token, and to what asks for one. Each is answered, names a hundred faults at most, and all of them
// together don't make the process large.
func TestBodiesOfManyFaults(t *testing.T) {
	t.Parallel()
	const (
		atOnce = 6
		grows  = 128 << 20 // bytes that the process may grow by: several times what it takes to hold so many bodies
	)
	rounds := 1
	if *long {
		rounds = 50
	}
	s := program.Up(t, []string{"LOGIN_RATE=1000", "LOGIN_BURST=1000000", "LOG_LEVEL=WARN"}, t.TempDir(), program.FreePorts()...)
	forged := forgedToken(t)
	s.Hide(forged)
	login, err := post(t, s.Customers+"/auth/login", "", `{"username":"admin","password":"`+call.LocalPassword+`"}`)
	if err != nil {
		t.Fatal(err)
	}
	var token struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(login.body), &token); err != nil || login.StatusCode != http.StatusOK {
		t.Fatalf("login: %d %s", login.StatusCode, login.body)
	}
	before := s.PeakMemory(t)
	for round := range rounds {
		for _, target := range []struct {
			path, token string
			status      int
		}{
			{s.Customers + "/auth/login", "", http.StatusBadRequest},
			{s.Customers + "/customers", token.AccessToken, http.StatusBadRequest},
			{s.Orders + "/orders", token.AccessToken, http.StatusBadRequest},
			{s.Orders + "/orders", forged, http.StatusUnauthorized},
			{s.Orchestrator + "/orchestrator/create-and-confirm-order", "", http.StatusBadRequest}, // which up allows
			{s.Orchestrator + "/orchestrator/create-and-confirm-order", forged, http.StatusBadRequest},
			{s.Orchestrator + "/orchestrator/create-and-confirm-order", "x", http.StatusUnauthorized},
		} {
			var all sync.WaitGroup
			for i := range atOnce {
				all.Go(func() {
					body := faulty(round*atOnce + i)
					a, err := post(t, target.path, target.token, body)
					if err != nil {
						t.Errorf("POST %s %.60s…: %v", target.path, body, err)
						return
					}
					if a.StatusCode != target.status || len(a.faults()) > 100 || a.StatusCode == http.StatusBadRequest && len(a.faults()) == 0 {
						t.Errorf("POST %s %.60s…: got %d with %d faults, want %d with 1 to 100: %.300s", target.path, body, a.StatusCode, len(a.faults()), target.status, a.body)
					}
				})
			}
			all.Wait()
		}
	}
	after := s.PeakMemory(t)
	t.Logf("the process held %d MiB before, and %d MiB at its peak", before>>20, after>>20)
	if after-before > grows {
		t.Errorf("the process held %d MiB before, and %d MiB at its peak, want %d MiB more at most", before>>20, after>>20, grows>>20)
	}
	program.AwaitReady(t, s.Customers, s.Orders, s.Orchestrator)
}

// faulty is the nth kind of a body of 1 MiB in which as much is wrong as can be.
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

// forgedToken has the form of an access token that is valid for an hour, and a signature of nobody's.
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

// told is an answer, read to its end.
type told struct {
	*http.Response
	body string
}

func post(t *testing.T, url, token, body string) (told, error) {
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return told{}, err
	}
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return told{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return told{response, string(text)}, err
}

// faults are the fields at fault, of a problem document.
func (a told) faults() []common.FieldError {
	var document struct{ Errors []common.FieldError }
	_ = json.Unmarshal([]byte(a.body), &document) // what can't be read has none
	return document.Errors
}
