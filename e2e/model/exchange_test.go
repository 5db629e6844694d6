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

// reply is a response, and readings of the clock before the request and after it: those of the services are in between.
type reply struct {
	call.Response
	to          string // the name of the request
	from, until time.Time
}

// outcome is what counts of the answer, as the model writes it. No trace id is in it: to rapid a failure is the same only
// where its text is.
func (r reply) outcome() string {
	if r.Status == http.StatusNoContent {
		return "204"
	}
	if r.Status < http.StatusBadRequest {
		headers := slices.DeleteFunc([]string{r.Header.Get("ETag"), r.Header.Get("Location")}, func(h string) bool { return h == "" })
		return fmt.Sprintf("%d %s %s", r.Status, strings.Join(headers, " "), bytes.TrimSpace(r.Body))
	}
	var p call.Problem
	if err := json.Unmarshal(r.Body, &p); err != nil {
		return fmt.Sprintf("%d, not a problem", r.Status)
	}
	refused := refusal{status: r.Status, code: p.Code}
	if p.Error != nil {
		refused.step = p.Error.Step
	}
	if p.Errors != nil {
		for _, f := range *p.Errors {
			refused.fields = append(refused.fields, f.Field)
		}
	}
	if p.Shortages != nil {
		refused.shortages = *p.Shortages
	}
	return refused.String()
}

// again is what a repeat under the same key gets again, byte for byte.
func (r reply) again() string {
	return fmt.Sprintf("%d %s %s %s\n%s", r.Status, r.Header.Get("Content-Type"), r.Header.Get("ETag"), r.Header.Get("Location"), r.Body)
}

// instant returns a time of the answer, which must be from while the request was answered.
func (r reply) instant(t *rapid.T, at *common.Time) common.Time {
	if at == nil || !at.After(r.from) || !at.Before(r.until) {
		t.Fatalf("%s: got the time %v, want one between %v and %v", r.to, at, r.from, r.until)
	}
	return *at
}

// learn reads the answer of a success.
func learn[T any](t *rapid.T, got reply, status int) (told T) {
	if got.Status != status {
		t.Fatalf("%s: got %s, want %d", got.to, got.outcome(), status)
	}
	if err := json.Unmarshal(got.Body, &told); err != nil {
		t.Fatalf("%s: %v: %s", got.to, err, got.Body)
	}
	return told
}

// newID returns the id of something new: higher than all before it.
func newID[T any](t *rapid.T, all []*T, id func(*T) int64, told int64) int64 {
	if len(all) > 0 && told <= id(all[len(all)-1]) {
		t.Fatalf("got the id %d, want one above %d", told, id(all[len(all)-1]))
	}
	return told
}
