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
	"github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/gen/orchestrator"
	"github.com/pedidos-hq/pedidos/gen/orders"
	customersservice "github.com/pedidos-hq/pedidos/services/customers"
	ordersservice "github.com/pedidos-hq/pedidos/services/orders"
)

// machine sends requests to the services and to the model.
type machine struct {
	model
	w        *world.World
	admin    *caller // the first administrator, with an access token that is renewed
	second   *caller // an administrator of whom only the access token is known, which is renewed
	service  *caller
	nobody   *caller   // without a token
	tokens   []*caller // the access tokens of all users, and all API keys
	sessions []*session
	setups   []string  // the setup tokens of all users
	failed   int       // logins
	sent     []request // the requests with a key
	cursors  []cursor
	outcomes map[string]int // counts over all runs
}

func newMachine(t *rapid.T, w *world.World, outcomes map[string]int) *machine {
	m := &machine{
		model: model{stored: map[keyName]storedAnswer{}}, w: w, outcomes: outcomes,
		admin:   &caller{label: "admin", renewed: true},
		second:  &caller{label: "second", renewed: true, actor: actor{name: "user:second"}, role: customers.RoleAdmin},
		service: &caller{label: "service", actor: actor{name: "service"}, client: w.With(world.ServiceToken)},
		nobody:  &caller{label: "nobody", client: w.With("")},
	}
	m.adopt(t)
	return m
}

// request is a request with the rule for its answer.
type request struct {
	name, text string // the operation, and its method, path and body
	note       string // more details for the log
	by         *caller
	access     access

	api      string // the API that answers, and to which the key belongs
	key      string
	spelling int
	needsKey bool

	moment time.Time // when to send it, if later than now
	send   func(ctx context.Context, s *call.Client, k keys) (*http.Response, error)
	rule   func(t *rapid.T, by actor, got reply) (outcome string)
}

// keys holds the values of the two headers for a key.
type keys struct{ header, alias *string }

// headers writes the key in one of its equivalent forms.
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

// GoString returns the text that rapid prints.
func (r request) GoString() string {
	text := r.by.label + ": " + r.text + r.note
	if r.key != "" {
		text += ", key " + r.key
	}
	return text
}

// keyName identifies the stored answer of the request.
func (r request) keyName() keyName { return keyName{r.api, r.by.name, r.key} }

// action returns an action that draws a request, sends it and checks the answer against the model. It is skipped unless all
// needs are met.
func (m *machine) action(draw func(*rapid.T) request, needs ...func() bool) func(*rapid.T) {
	generator := rapid.Custom(draw)
	return func(t *rapid.T) {
		for _, met := range needs {
			if !met() {
				t.Skip("too early")
			}
		}
		m.perform(t, generator.Draw(t, "request"))
	}
}

// perform is do for a request that may be repeated later.
func (m *machine) perform(t *rapid.T, r request) {
	m.do(t, r)
	if r.key != "" {
		m.sent = append(m.sent, r)
	}
}

func (m *machine) hasCustomer() bool { return len(m.present()) > 0 }
func (m *machine) hasProduct() bool  { return len(m.products) > 0 }
func (m *machine) hasOrder() bool    { return len(m.orders) > 0 }
func (m *machine) hasSent() bool     { return len(m.sent) > 0 }

// do sends a request and checks its answer against the model.
func (m *machine) do(t *rapid.T, r request) {
	m.renew(t, r.by)
	before, known := m.stored[r.keyName()]
	m.waitUntil(r.moment, before, known)
	m.waitUntil(r.known(), before, known)
	got := m.exchange(t, r)
	r.by.use(got)
	live := known && got.until.Before(before.first.from.Add(keyLife))
	var want string
	switch denied := r.denied(got.from); {
	case denied != "":
		want = denied
	case r.needsKey && r.key == "":
		want = refuse(400, common.CodeInvalidInput, "Idempotency-Key")
	case live && before.text != r.text && r.api == orchestratorAPI:
		want = refusal{
			status: 422, code: common.CodeIdempotencyKeyReused, step: orchestrator.StepCreateOrder, fields: []string{"idempotency_key"},
		}.String()
	case live && before.text != r.text:
		want = refuse(422, common.CodeIdempotencyKeyReused, "Idempotency-Key")
	case live:
		m.checkReplay(t, r, got, before.first)
		return
	default:
		want = r.rule(t, r.by.now(), got)
		if final := got.Status/100 == 2 || got.Status == 404 || got.Status == 409 || got.Status == 412 || got.Status == 422; final && r.key != "" {
			m.stored[r.keyName()] = storedAnswer{r.text, got.withoutSecret()}
		}
	}
	if got.Replayed() {
		t.Fatalf("%s: got a replayed %s, want no replay", r.name, got.outcome())
	}
	m.verify(t, r.name, got.outcome(), want)
}

// checkReplay compares the answer to a retry with the first answer.
func (m *machine) checkReplay(t *rapid.T, r request, got, first reply) {
	m.verify(t, r.name+", repeated,", got.outcome(), first.outcome())
	if got.replayed() != first.replayed() {
		t.Logf("    the first answer was %s", first.replayed())
		t.Fatalf("%s: the replay differs from the first answer", r.name)
	}
	// The orchestrator stores no answers and marks only its successes as replayed.
	if want := r.api != orchestratorAPI || got.Status == 201; got.Replayed() != want {
		t.Fatalf("%s: Idempotency-Replayed: got %t, want %t", r.name, got.Replayed(), want)
	}
}

// verify compares two outcomes and counts them by operation.
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

// margin is longer than a request takes by the clock, which moves only by a microsecond at each reading.
const margin = time.Millisecond

// waitUntil advances the clock to the moment of a request. It also moves past the expiry of the key if that may fall into the
// request, as then both answers would be correct.
func (m *machine) waitUntil(moment time.Time, before storedAnswer, known bool) {
	if ahead := moment.Sub(m.w.Clock.Now()); ahead > 0 {
		m.w.Clock.Advance(ahead)
	}
	if known && m.near(before.first.until.Add(keyLife)) {
		m.w.Clock.Advance(2 * margin)
	}
}

// near reports whether the clock is within margin of a time.
func (m *machine) near(at time.Time) bool { return at.Sub(m.w.Clock.Now()).Abs() <= margin }

// exchange sends a request and logs its answer.
func (m *machine) exchange(t *rapid.T, r request) reply {
	got := reply{to: r.name, from: m.w.Clock.Now()}
	got.Response = call.Read(r.send(t.Context(), r.by.client, r.headers()))
	if got.Err != nil {
		t.Logf("    %v", got.Err)
		t.Fatalf("%s: no answer", r.name)
	}
	got.until = m.w.Clock.Now()
	t.Logf("    %d %s", got.Status, bytes.TrimSpace(got.Body))
	return got
}

// wait moves the clock, which ends sessions.
func (m *machine) wait(t *rapid.T) {
	m.w.Clock.Advance(time.Duration(rapid.SampledFrom([]pause{
		pause(time.Second), pause(time.Minute), pause(cancelWindow / 2), pause(cancelWindow), pause(time.Hour), pause(sessionIdle + time.Minute), pause(keyLife - time.Minute),
		pause(keyLife),
	}).Draw(t, "wait")))
	m.tryEnded(t)
}

// pause is a duration that rapid prints in a readable form.
type pause time.Duration

func (p pause) GoString() string { return time.Duration(p).String() }

// sweep deletes expired keys, which must have no visible effect, and cancels stale orders.
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
	if len(stale) >= 20 { // canceling them takes more than one transaction, each with its own time
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
	m.renew(t, m.admin)
	first := m.exchange(t, m.getOrder(m.admin, stale[0].ID))
	body := decode[orders.Order](t, first, 200)
	m.canceledAsStale(stale, body.CancelReason, swept.instant(t, body.CanceledAt))
}
