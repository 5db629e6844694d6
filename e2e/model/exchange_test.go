package model

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/gen/common"
)

// reply is a response with readings of the clock before the request and after it. The readings of the services lie between
// them.
type reply struct {
	call.Response
	to          string // the name of the request
	from, until time.Time
}

// outcome returns the parts of the answer that the model predicts, as text. It omits trace IDs and secrets, as rapid considers
// two failures the same only if their texts are equal.
func (r reply) outcome() string {
	if r.Status == http.StatusNoContent {
		return "204"
	}
	if r.Status < http.StatusBadRequest {
		headers := slices.DeleteFunc([]string{r.Header.Get("ETag"), r.Header.Get("Location")}, func(h string) bool { return h == "" })
		return fmt.Sprintf("%d %s %s", r.Status, strings.Join(headers, " "), secret.ReplaceAll(bytes.TrimSpace(r.Body), []byte(`"`+hidden+`"`)))
	}
	var p call.Problem
	if err := json.Unmarshal(r.Body, &p); err != nil {
		return fmt.Sprintf("%d, not a problem document", r.Status)
	}
	problem := refusal{status: r.Status, code: p.Code}
	if p.Error != nil {
		problem.step = p.Error.Step
	}
	if p.Errors != nil {
		for _, f := range *p.Errors {
			problem.fields = append(problem.fields, f.Field)
		}
	}
	if p.Shortages != nil {
		problem.shortages = *p.Shortages
	}
	return problem.String()
}

// replayed returns the parts of the answer that a retry under the same key must repeat byte for byte.
func (r reply) replayed() string {
	return fmt.Sprintf("%d %s %s %s\n%s", r.Status, r.Header.Get("Content-Type"), r.Header.Get("ETag"), r.Header.Get("Location"), r.Body)
}

// instant returns a time from the answer, which must lie between the readings of the clock.
func (r reply) instant(t *rapid.T, at *common.Time) common.Time {
	if at == nil || !at.After(r.from) || !at.Before(r.until) {
		t.Fatalf("%s: got the time %v, want one between %v and %v", r.to, at, r.from, r.until)
	}
	return *at
}

// decode returns the body of a successful answer.
func decode[T any](t *rapid.T, got reply, status int) (body T) {
	if got.Status != status {
		t.Fatalf("%s: got %s, want %d", got.to, got.outcome(), status)
	}
	if err := json.Unmarshal(got.Body, &body); err != nil {
		t.Fatalf("%s: %v: %s", got.to, err, got.Body)
	}
	return body
}

// newID returns created, the ID of a new resource, which must be higher than all IDs before it.
func newID[T any](t *rapid.T, all []*T, id func(*T) int64, created int64) int64 {
	if len(all) > 0 && created <= id(all[len(all)-1]) {
		t.Fatalf("got the ID %d, want one above %d", created, id(all[len(all)-1]))
	}
	return created
}
