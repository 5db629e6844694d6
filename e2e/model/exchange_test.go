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

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/orchestrator"
)

// reply is an answer, and readings of the clock before the request and after: those of the services are in between.
type reply struct {
	to          string // the name of the request
	status      int
	header      http.Header
	body        []byte
	from, until time.Time
}

// outcome is what counts of the answer, as the model writes it. No trace id is in it: to rapid a failure is the same only
// where its text is.
func (r reply) outcome() string {
	if r.status == http.StatusNoContent {
		return "204"
	}
	if r.status < http.StatusBadRequest {
		headers := slices.DeleteFunc([]string{r.header.Get("ETag"), r.header.Get("Location")}, func(h string) bool { return h == "" })
		return fmt.Sprintf("%d %s %s", r.status, strings.Join(headers, " "), bytes.TrimSpace(r.body))
	}
	var p struct {
		common.Problem
		Error *orchestrator.StepError // of the orchestrator
	}
	if err := json.Unmarshal(r.body, &p); err != nil {
		return fmt.Sprintf("%d, not a problem", r.status)
	}
	refused := refusal{status: r.status, code: p.Code}
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

func (r reply) replayed() bool { return r.header.Get("Idempotency-Replayed") == "true" }

// again is what a repeat under the same key gets again, byte for byte.
func (r reply) again() string {
	return fmt.Sprintf("%d %s %s %s\n%s", r.status, r.header.Get("Content-Type"), r.header.Get("ETag"), r.header.Get("Location"), r.body)
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
	if got.status != status {
		t.Fatalf("%s: got %s, want %d", got.to, got.outcome(), status)
	}
	if err := json.Unmarshal(got.body, &told); err != nil {
		t.Fatalf("%s: %v: %s", got.to, err, got.body)
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
