package model

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/world"
	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/orchestrator"
	"github.com/pedidos-hq/pedidos/gen/orders"
	customersservice "github.com/pedidos-hq/pedidos/services/customers"
	ordersservice "github.com/pedidos-hq/pedidos/services/orders"
)

// machine sends requests to the services and to the model.
type machine struct {
	model
	w        *world.World
	sessions map[string]session
	sent     []request // those with a key
	cursors  []cursor
	outcomes map[string]int // of all runs
}

// session is a login and when it was.
type session struct {
	*call.Client
	since time.Time
}

func newMachine(w *world.World, outcomes map[string]int) *machine {
	return &machine{
		model: model{kept: map[keyName]kept{}}, w: w, outcomes: outcomes,
		sessions: map[string]session{service: {w.With(world.ServiceToken), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}},
	}
}

// request is a request that was drawn.
type request struct {
	name, text string // the operation; method, path and body
	note       string // what more there is to say to people
	by         string
	may        access

	api      string // whose keys its key is one of; "" where it takes none
	key      string
	spelling int
	needsKey bool

	moment time.Time // to wait for before it is sent
	send   func(ctx context.Context, s *call.Client, k keys) (*http.Response, error)
	rule   func(t *rapid.T, by string, got reply) (outcome string)
}

// keys are the two headers for a key.
type keys struct{ header, alias *string }

// headers spells the key in one of the ways in which it is the same key.
func (r request) headers() keys {
	switch quoted := `"` + r.key + `"`; {
	case r.key == "":
		return keys{}
	case r.spelling == 1:
		return keys{header: &quoted}
	case r.spelling == 2:
		return keys{alias: &r.key}
	}
	return keys{header: &r.key}
}

// GoString is how rapid prints it.
func (r request) GoString() string {
	text := r.by + ": " + r.text + r.note
	if r.key != "" {
		text += ", key " + r.key
	}
	return text
}

// The callers. The first two may do everything.
const (
	admin   = "admin"
	second  = "second"
	viewer  = "viewer"
	service = "service"
)

// access is who may: administrators, and besides them.
type access struct{ viewers, services bool }

// keyName is where the answer is kept.
func (r request) keyName() keyName { return keyName{r.api, r.caller(), r.key} }

// barred returns the refusal of who may not, or "".
func (r request) barred() string {
	var refused refusal
	if r.api == orchestratorAPI {
		refused.step = orchestrator.StepValidateInput
	}
	switch {
	case r.by == viewer && !r.may.viewers:
		refused.status, refused.code = 403, common.CodeForbidden
		return refused.String()
	case r.by == service && !r.may.services:
		refused.status, refused.code = 401, common.CodeUnauthorized
		return refused.String()
	}
	return ""
}

// caller is how the services name who sends the request.
func (r request) caller() string {
	if r.by == service {
		return service
	}
	return "user:" + r.by
}

// sending makes an action of what draws a request: it is sent, and its answer is held to the model. There is no such action
// without what it needs.
func (m *machine) sending(draw func(*rapid.T) request, needs ...func() bool) func(*rapid.T) {
	generator := rapid.Custom(draw)
	return func(t *rapid.T) {
		for _, there := range needs {
			if !there() {
				t.Skip("too early")
			}
		}
		r := generator.Draw(t, "request")
		m.do(t, r)
		if r.key != "" {
			m.sent = append(m.sent, r)
		}
	}
}

func (m *machine) hasCustomer() bool { return len(m.present()) > 0 }
func (m *machine) hasProduct() bool  { return len(m.products) > 0 }
func (m *machine) hasOrder() bool    { return len(m.orders) > 0 }
func (m *machine) hasSent() bool     { return len(m.sent) > 0 }

// do sends a request and holds its answer to the model.
func (m *machine) do(t *rapid.T, r request) {
	s := m.session(r.by)
	before, known := m.kept[r.keyName()]
	m.pass(r.moment, before, known)
	got := m.exchange(t, r, s)
	live := known && got.until.Before(before.first.from.Add(keyLife))
	var want string
	switch barred := r.barred(); {
	case barred != "":
		want = barred
	case r.needsKey && r.key == "":
		want = refuse(400, common.CodeInvalidInput, "Idempotency-Key")
	case live && before.text != r.text && r.api == orchestratorAPI:
		want = refusal{
			status: 422, code: common.CodeIdempotencyKeyReused, step: orchestrator.StepCreateOrder, fields: []string{"idempotency_key"},
		}.String()
	case live && before.text != r.text:
		want = refuse(422, common.CodeIdempotencyKeyReused, "Idempotency-Key")
	case live:
		m.repeated(t, r, got, before.first)
		return
	default:
		want = r.rule(t, r.caller(), got)
		if final := got.Status/100 == 2 || got.Status == 404 || got.Status == 409 || got.Status == 422; final && r.key != "" {
			m.kept[r.keyName()] = kept{r.text, got}
		}
	}
	if got.Replayed() {
		t.Fatalf("%s: got a replay of %s, want no replay", r.name, got.outcome())
	}
	m.verify(t, r.name, got.outcome(), want)
}

// repeated holds the answer to a repeat to the first answer.
func (m *machine) repeated(t *rapid.T, r request, got, first reply) {
	m.verify(t, r.name+", repeated,", got.outcome(), first.outcome())
	if got.again() != first.again() {
		t.Logf("    the first answer was %s", first.again())
		t.Fatalf("%s: the repeat has other bytes than the first answer", r.name)
	}
	// The orchestrator keeps nothing itself, and says so of its successes alone.
	if want := r.api != orchestratorAPI || got.Status == 201; got.Replayed() != want {
		t.Fatalf("%s: Idempotency-Replayed: got %t, want %t", r.name, got.Replayed(), want)
	}
}

// verify compares outcomes, and counts them.
func (m *machine) verify(t *rapid.T, name, got, want string) {
	if got != want {
		t.Fatalf("%s:\ngot  %s\nwant %s", name, got, want)
	}
	words := strings.Fields(want)
	if words[0] >= "400" {
		words[0] += " " + strings.Trim(words[1], ",")
	}
	m.outcomes[name+" "+words[0]]++
}

// margin is more than a request takes by the clock, which its readings alone move on.
const margin = time.Millisecond

// pass lets the time pass that a request is to wait for. None is sent when its key may end while it is answered: either
// answer would be right.
func (m *machine) pass(moment time.Time, before kept, known bool) {
	if ahead := moment.Sub(m.w.Clock.Now()); ahead > 0 {
		m.w.Clock.Advance(ahead)
	}
	if known && m.near(before.first.until.Add(keyLife)) {
		m.w.Clock.Advance(2 * margin)
	}
}

// near reports whether it is that time, or nearly.
func (m *machine) near(at time.Time) bool { return at.Sub(m.w.Clock.Now()).Abs() <= margin }

// session returns the clients of a caller, whose token is good for at least 20 minutes.
func (m *machine) session(by string) *call.Client {
	s, ok := m.sessions[by]
	if now := m.w.Clock.Now(); !ok || now.Sub(s.since) > 40*time.Minute {
		s = session{m.w.Login(by), now}
		m.sessions[by] = s
	}
	return s.Client
}

// exchange sends a request and logs its answer.
func (m *machine) exchange(t *rapid.T, r request, s *call.Client) reply {
	got := reply{to: r.name, from: m.w.Clock.Now()}
	got.Response = call.Read(r.send(t.Context(), s, r.headers()))
	if got.Err != nil {
		t.Logf("    %v", got.Err)
		t.Fatalf("%s: there is no answer", r.name)
	}
	got.until = m.w.Clock.Now()
	t.Logf("    %d %s", got.Status, bytes.TrimSpace(got.Body))
	return got
}

// wait moves the clock.
func (m *machine) wait(t *rapid.T) {
	m.w.Clock.Advance(time.Duration(rapid.SampledFrom([]pause{
		pause(time.Second), pause(time.Minute), pause(cancelWindow / 2), pause(cancelWindow), pause(time.Hour), pause(keyLife - time.Minute), pause(keyLife),
	}).Draw(t, "wait")))
}

// pause is a duration that rapid prints for people.
type pause time.Duration

func (p pause) GoString() string { return time.Duration(p).String() }

// sweep forgets the keys whose time is over, which no request may notice, and cancels stale orders.
func (m *machine) sweep(t *rapid.T) {
	age := time.Duration(rapid.SampledFrom([]pause{pause(24 * time.Hour), pause(time.Hour)}).Draw(t, "age"))
	for _, sweepKeys := range []func() (int64, error){
		func() (int64, error) { return customersservice.SweepKeys(t.Context(), m.w.DB, m.w.Clock.Now) },
		func() (int64, error) { return ordersservice.SweepKeys(t.Context(), m.w.DB, m.w.Clock.Now) },
	} {
		if _, err := sweepKeys(); err != nil {
			t.Fatalf("sweep keys: %v", err)
		}
	}
	due := func(o *order) time.Time { return o.CreatedAt.Add(age) }
	for slices.ContainsFunc(m.orders, func(o *order) bool { return m.near(due(o)) }) {
		m.w.Clock.Advance(margin)
	}
	swept := reply{to: "sweep", from: m.w.Clock.Now()}
	var stale []*order
	for _, o := range m.orders {
		if o.Status == orders.StatusCreated && due(o).Before(swept.from) {
			stale = append(stale, o)
		}
	}
	if len(stale) >= 20 { // which takes more than one transaction
		return
	}
	n, err := ordersservice.CancelStale(t.Context(), m.w.DB, age, m.w.Clock.Now)
	swept.until = m.w.Clock.Now()
	if err != nil || n != int64(len(stale)) {
		t.Fatalf("sweep: canceled %d orders, %v, want %d", n, err, len(stale))
	}
	if len(stale) == 0 {
		return
	}
	first := m.exchange(t, m.getOrder(admin, stale[0].ID), m.session(admin))
	told := learn[orders.Order](t, first, 200)
	m.canceledAsStale(stale, told.CancelReason, swept.instant(t, told.CanceledAt))
}
