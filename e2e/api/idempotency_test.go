package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/engine"
	"github.com/pedidos-hq/pedidos/e2e/world"
	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/orchestrator"
	"github.com/pedidos-hq/pedidos/gen/orders"
	customersservice "github.com/pedidos-hq/pedidos/services/customers"
	ordersservice "github.com/pedidos-hq/pedidos/services/orders"
	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/platform/idempotency"
)

// TestIdempotency checks the rules of the design on every operation that takes a key. Each row quotes one rule and checks it;
// not lists the operations to which it does not apply, with the reason.
func TestIdempotency(t *testing.T) {
	t.Parallel()
	oneStep := map[string]string{}
	for _, o := range keyedOperations() {
		if o.name != "createAndConfirmOrder" {
			oneStep[o.name] = "it is one step, under the caller's own key"
		}
	}
	for _, rule := range []struct {
		words   string
		check   func(t *testing.T, x *keyedCase)
		not     map[string]string // reasons by operation
		options world.Options
	}{
		{words: "rule 1: A missing required key → 400", check: checkMissing},
		{words: "rule 1: A key is 1..255 visible ASCII characters", check: checkCharacters},
		{words: "rule 1: bare or as a quoted structured-field string: the same key either way", check: checkSpellings, not: map[string]string{
			"createAndConfirmOrder": "its key is a member of the body, where quotes are a part of it; how JSON may spell it is shown under rule 2",
		}},
		{words: "rule 2: Unique per caller", check: checkPerCaller},
		{words: "rule 2: the fingerprint is method + path + body. Same key, other fingerprint → 422", check: checkFingerprint},
		{words: "rule 3: First use executes, in ONE transaction with its effect", check: checkOneTransaction},
		{words: "rule 3: a repeat returns the same status and the same bytes, with Idempotency-Replayed: true, whether it was a success", check: checkSuccess},
		{words: "rule 3: or a business error", check: checkBusinessError},
		{words: "rule 4: N at once: one effect. The others wait a bounded time for the result and replay it", check: checkAtOnce},
		{words: "rule 4: or get 409 with Retry-After", check: checkInProgress, options: world.Options{Timeout: 20 * time.Second}, not: map[string]string{
			"createAndConfirmOrder": "the wait is that of createOrder; TestOrchestratorInvalidUpstreamAnswers has what becomes of its 409",
		}},
		{words: "rule 5: What never began is not stored: bad input, 401, 403", check: checkNeverBegan},
		{words: "rule 5: What never began is not stored: 429", check: checkLimited, options: world.Options{CallerRate: manyCalls}},
		{words: "rule 5: What never began is not stored: 5xx, where nothing answers", check: checkUnanswered, options: world.Options{Timeout: 2 * time.Second}},
		{words: "rule 5: What never began is not stored: 5xx, where something fails", check: checkFails},
		{words: "rule 5: After a crash at any instruction a retry finds either nothing or everything", check: checkLost, not: map[string]string{
			"createAndConfirmOrder": "its crashes are shown under rule 7",
		}},
		{words: "rule 6: Keys live 24 h", check: checkLives(24 * time.Hour)},
		{words: "rule 6: (configurable) and are swept", check: checkLives(time.Hour), options: world.Options{KeyTTL: time.Hour}},
		{words: "rule 6: After that the state machine still keeps confirm safe", check: checkStateMachine, not: map[string]string{
			"createCustomer":        "it has no states; that the address is unique is shown with the row before",
			"createIntegrator":      "it has no states; that the name is unique is shown with the row before",
			"createProduct":         "it has no states; that the SKU is unique is shown with the row before",
			"updateProduct":         "what it asks for is another change, as shown with the row before",
			"replaceCustomer":       "what it asks for is another change, as shown with the row before",
			"updateCustomer":        "what it asks for is another change, as shown with the row before",
			"updateUser":            "what it asks for is another change, as shown with the row before",
			"updateIntegrator":      "what it asks for is another change, as shown with the row before",
			"createOrder":           "what it asks for is another order, as shown with the row before",
			"createAndConfirmOrder": "the keys of its steps end one by one: TestOrchestratorKeysEnd",
		}},
		{words: "rule 7: The orchestrator derives one child key per step from the caller's key", check: checkChildKeys, not: oneStep},
		{words: "rule 7: so that a retry after a crash anywhere ends in the same single order and the same answer", check: checkCrash, not: oneStep},
	} {
		for _, operation := range keyedOperations() {
			t.Run(rule.words+"/"+operation.name, func(t *testing.T) {
				t.Parallel()
				if why, ok := rule.not[operation.name]; ok {
					t.Skip("does not apply: " + why)
				}
				x := startKeyed(t, operation, rule.options)
				rule.check(t, x)
				audit(t, x.w)
			})
		}
	}
}

// TestIdempotencyOperations compares keyedOperations with the operations of the contracts that take a key.
func TestIdempotencyOperations(t *testing.T) {
	t.Parallel()
	keyed := map[string]operation{}
	for _, o := range allOperations(t, newWorld(t, world.Options{})) {
		_, inBody := o.example(t)["idempotency_key"]
		secret := slices.Contains([]string{"createUser", "resetUser", "createKey"}, o.OperationID)
		if !secret && (inBody || o.Parameters.GetByInAndName("header", keyHeader) != nil) {
			keyed[o.OperationID] = o
		}
	}
	var names []string
	for _, o := range keyedOperations() {
		names = append(names, o.name)
		contract, ok := keyed[o.name]
		if !ok {
			continue
		}
		schemes, _ := contract.schemes()
		if takes := slices.Contains(schemes, "serviceToken") || o.inBody; contract.method != o.verb() || takes == o.users {
			t.Errorf("%s: got %s with the security schemes %q, which keyedOperations describes differently", o.name, contract.method, schemes)
		}
	}
	slices.Sort(names)
	if want := slices.Sorted(maps.Keys(keyed)); !slices.Equal(names, want) {
		t.Errorf("the table is about %q, the contracts have keys on %q", names, want)
	}
}

func checkMissing(t *testing.T, x *keyedCase) {
	got := x.send(t, x.admin, x.keyless(x.request))
	if x.required {
		got.WantInvalid(t, x.keyField())
		x.wantEffects(t, "no key", 0)
		return
	}
	if got.Status != x.status || got.Replayed() {
		t.Fatalf("no key: got %s, want a first %d", got, x.status)
	}
	x.wantAnew(t, "no key again", x.send(t, x.admin, x.keyless(x.request)), got)
	want := 1
	if x.repeats {
		want = 2
	}
	x.wantEffects(t, "no key, twice", want)
}

func checkCharacters(t *testing.T, x *keyedCase) {
	bad := map[string]keyedRequest{}
	for name, key := range map[string]string{
		"empty": "", "blank": " ", "256 characters": strings.Repeat("k", 256), "blank inside": "a b", "not ASCII": "ñ",
	} {
		bad[name] = x.under(key, x.request)
	}
	if x.inBody { // HTTP clients refuse to send these in a header
		for name, key := range map[string]string{"tab": "a\tb", "NUL": "\x00", "DEL": "a\x7f"} {
			bad[name] = x.under(key, x.request)
		}
	} else {
		for name, keys := range map[string]http.Header{
			"empty, quoted":          {keyHeader: {`""`}},
			"256 characters, quoted": {keyHeader: {`"` + strings.Repeat("k", 256) + `"`}},
			"blank inside, quoted":   {keyHeader: {`"a b"`}},
			"quote not closed":       {keyHeader: {`"a`}},
			"text after the quote":   {keyHeader: {`"a"b`}},
			"two strings":            {keyHeader: {`"a", "b"`}},
			"two headers":            {keyHeader: {"a", "b"}},
			"unknown escape":         {keyHeader: {`"a\n"`}},
			"alias, empty":           {keyAlias: {""}},
			"alias, not closed":      {keyAlias: {`"a`}},
			"alias that differs":     {keyHeader: {"a"}, keyAlias: {"b"}},
		} {
			r := x.request
			r.keys = keys
			bad[name] = r
		}
	}
	for name, r := range bad {
		t.Log(name)
		field := x.keyField()
		if r.keys[keyAlias] != nil {
			field = keyAlias
		}
		x.send(t, x.admin, r).WantInvalid(t, field)
	}
	x.wantEffects(t, "after the refusals", 0)

	var visible strings.Builder
	for c := byte('!'); c <= '~'; c++ {
		visible.WriteByte(c)
	}
	for name, key := range map[string]string{"one character": "!", "255 characters": strings.Repeat("~", 255), "all characters": visible.String()} {
		first := x.do(t, x.admin, key)
		if first.Status == http.StatusBadRequest || first.Replayed() {
			t.Errorf("%s: got %s, want the key accepted", name, first)
		}
		x.wantReplay(t, name, x.do(t, x.admin, key), first)
	}
}

func checkSpellings(t *testing.T, x *keyedCase) {
	for name, spellings := range map[string][]http.Header{
		"plain": {
			{keyHeader: {"k-1"}}, {keyHeader: {`"k-1"`}}, {keyAlias: {"k-1"}}, {keyAlias: {`"k-1"`}},
			{keyHeader: {"k-1"}, keyAlias: {"k-1"}}, {keyHeader: {"k-1"}, keyAlias: {`"k-1"`}},
		},
		"quoted first":   {{keyHeader: {`"k-2"`}}, {keyHeader: {"k-2"}}},
		"alias first":    {{keyAlias: {"k-3"}}, {keyHeader: {"k-3"}}},
		"quotes inside":  {{keyHeader: {`"a\"b\\c"`}}, {keyHeader: {`a"b\c`}}},
		"255 characters": {{keyHeader: {strings.Repeat("~", 255)}}, {keyHeader: {`"` + strings.Repeat("~", 255) + `"`}}},
		"255 escaped":    {{keyHeader: {`"` + strings.Repeat(`\\`, 255) + `"`}}, {keyHeader: {strings.Repeat(`\`, 255)}}},
		"one character":  {{keyHeader: {"!"}}, {keyHeader: {`"!"`}}},
	} {
		var first call.Response
		for i, keys := range spellings {
			r := x.request
			r.keys = keys
			got := x.send(t, x.admin, r)
			if i > 0 {
				x.wantReplay(t, name, got, first)
				continue
			}
			if first = got; got.Status == http.StatusBadRequest || got.Replayed() {
				t.Errorf("%s: got %s, want a first answer", name, got)
			}
		}
	}
}

func checkPerCaller(t *testing.T, x *keyedCase) {
	first := x.first(t, "first caller", x.admin, "k")
	x.wantAnew(t, "another key", x.do(t, x.admin, "K"), first) // keys are case-sensitive
	callers := map[string]*call.Client{"second": x.w.Login("second")}
	if !x.users {
		callers["service"] = x.w.With(world.ServiceToken)
	}
	for name, s := range callers {
		got := x.do(t, s, "k")
		x.wantAnew(t, name+", the same key", got, first)
		x.wantReplay(t, name+", the same key again", x.do(t, s, "k"), got)
		// The response does not reveal that another caller uses the key.
		if got := x.send(t, s, x.under("K", x.other[0])); got.Replayed() || got.Status == http.StatusUnprocessableEntity {
			t.Errorf("%s, another request under the first caller's key: got %s", name, got)
		}
		x.wantReplay(t, name+", the first key again", x.do(t, s, "k"), got)
	}
	// Another token of the same user is the same caller.
	x.wantReplay(t, "first caller, new token", x.do(t, x.w.Login("admin"), "k"), first)
	if !x.users {
		x.wantReplay(t, "service, the token before the last rotation", x.do(t, x.w.With(world.OldToken), "k"), x.do(t, callers["service"], "k"))
	}
}

func checkFingerprint(t *testing.T, x *keyedCase) {
	first := x.first(t, "first", x.admin, "k")
	for _, same := range x.same {
		x.wantReplay(t, same.path+" "+same.body, x.send(t, x.admin, x.under("k", same)), first)
	}
	for _, other := range x.other {
		for range 2 {
			got := x.send(t, x.admin, x.under("k", other))
			got.WantProblem(t, http.StatusUnprocessableEntity, common.CodeIdempotencyKeyReused, x.keyField())
			if got.Replayed() || x.inBody && !bytes.Contains(got.Body, []byte(`"step":"create_order"`)) {
				t.Errorf("%s %s: got %s", other.path, other.body, got)
			}
		}
	}
	x.wantEffects(t, "after the others", 1)
	x.wantReplay(t, "the first request again", x.do(t, x.admin, "k"), first)
}

// The response is stored after the effect. If storing it fails, the effect is rolled back.
func checkOneTransaction(t *testing.T, x *keyedCase) {
	x.wantFault(t, "INSERT ON "+x.keyTable(), "NEW.status <> 0")
}

func checkFails(t *testing.T, x *keyedCase) {
	x.wantFault(t, "INSERT ON "+x.keyTable(), "NEW.status = 0")
	startKeyed(t, x.keyedOperation, world.Options{}).wantFault(t, x.effect, "TRUE")
}

// keyTable returns the table that stores the keys.
func (x *keyedCase) keyTable() string {
	if x.service == "customers" {
		return "customers_idempotency"
	}
	return "orders_idempotency"
}

// wantFault makes a statement of the request fail in rows that meet a condition, such as "INSERT ON orders", "TRUE". It checks
// that the failure has no effect and that the same key works once the database does.
func (x *keyedCase) wantFault(t *testing.T, at, when string) {
	t.Helper()
	exec := func(statement string) {
		t.Helper()
		err := x.w.DB.Tx(t.Context(), func(conn database.Conn) error {
			_, err := conn.ExecContext(t.Context(), statement)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	plant := "CREATE TRIGGER planted BEFORE " + at + " FOR EACH ROW WHEN " + when + " BEGIN SELECT RAISE(ABORT, 'planted'); END"
	remove := "DROP TRIGGER planted"
	if engine.IsServer() { // TiDB has no triggers; SQLite can't add constraints
		_, table, _ := strings.Cut(at, " ON ")
		// TiDB checks the existing rows with NOT before the condition, which therefore has parentheses of its own.
		plant = fmt.Sprintf("ALTER TABLE %s ADD CONSTRAINT planted CHECK ((NOT (%s) OR %s <= '%s'))", table, strings.ReplaceAll(when, "NEW.", ""),
			changedAt(table), x.w.Clock.Now().UTC().Format("2006-01-02 15:04:05.000000"))
		remove = "ALTER TABLE " + table + " DROP CONSTRAINT planted"
	}
	exec(plant)
	got := x.do(t, x.admin, "k")
	exec(remove)
	status, code := http.StatusInternalServerError, common.CodeInternal
	if x.inBody { // the failure is in orders-api
		status, code = http.StatusServiceUnavailable, common.CodeOrdersUnavailable
	}
	got.WantProblem(t, status, code)
	x.wantEffects(t, at, 0)
	first := x.first(t, at+", the same key later", x.admin, "k")
	x.wantReplay(t, at+", repeat", x.do(t, x.admin, "k"), first)
	x.wantEffects(t, at+", in the end", 1)
}

// changedAt returns the column with the time of the last change of a row. A planted constraint must spare the rows that exist.
func changedAt(table string) string {
	switch table {
	case "api_keys":
		return "COALESCE(revoked_at, created_at)"
	case "customers":
		return "GREATEST(updated_at, COALESCE(deleted_at, updated_at))"
	case "customers_idempotency", "orders_idempotency":
		return "created_at"
	}
	return "updated_at"
}

func checkSuccess(t *testing.T, x *keyedCase) {
	first := x.first(t, "first", x.admin, "k")
	empty := x.status == http.StatusNoContent
	if empty != (len(first.Body) == 0) || !empty && first.Header.Get("Content-Type") != "application/json" {
		t.Errorf("first: got %s %v, want JSON or, with 204, no body", first, first.Header)
	}
	if !x.inBody && ((first.Header.Get("ETag") == "") != empty || (first.Header.Get("Location") != "") != (x.status == http.StatusCreated)) {
		t.Errorf("first: got %v, want ETag unless it is 204 and, with 201, Location", first.Header)
	}
	for range 3 {
		x.w.Clock.Advance(time.Minute)
		x.wantReplay(t, "repeat", x.do(t, x.admin, "k"), first)
	}
	x.wantEffects(t, "after the repeats", 1)
	if x.change == nil { // a canceled order or a revoked key stays as it is
		return
	}
	x.change(t)
	x.wantReplay(t, "repeat after the world has changed", x.do(t, x.admin, "k"), first)
	if now := x.do(t, x.admin, "k-2"); now.Status == first.Status {
		t.Errorf("another key after the world has changed: got %s: want another status after the change", now)
	}
}

// A refusal because of the state of the shop is stored and replayed even if the state changes. Another key is executed anew.
func checkBusinessError(t *testing.T, x *keyedCase) {
	for i, test := range x.refusals {
		t.Run(test.name, func(t *testing.T) {
			y := *x
			x := &y // a copy, since a refusal may change its base
			shop := &keyedShop{
				keyedCase: x,
				buyer:     x.admin.CreateCustomer(t, fmt.Sprintf("shop-%d@example.com", i)),
				product:   x.admin.CreateProduct(t, fmt.Sprintf("SHOP-%d", i), 100, 2),
			}
			r, change := test.prepare(t, shop)
			key := fmt.Sprintf("k-%d", i)
			first := x.wantOnce(t, x.admin, x.under(key, r), 8)
			first.WantProblem(t, test.status, test.code, test.fields...)
			if got := first.Header.Get("Content-Type"); got != "application/problem+json" {
				t.Errorf("first: got the Content-Type %s, want application/problem+json", got)
			}
			change()
			x.wantReplay(t, "repeat after the shop has changed", x.send(t, x.admin, x.under(key, r)), first)
			later := x.send(t, x.admin, x.under(key+"-later", r))
			if later.Status != test.later || later.Replayed() {
				t.Errorf("another key: got %s, want a first %d", later, test.later)
			}
		})
	}
}

func checkAtOnce(t *testing.T, x *keyedCase) {
	first := x.wantOnce(t, x.admin, x.under("k", x.request), 16)
	if first.Status != x.status {
		t.Errorf("got %s, want %d", first, x.status)
	}
	x.wantEffects(t, "after all", 1)
}

// wantOnce sends n concurrent requests and checks that one response is new and the others replay it. It returns that response.
func (x *keyedCase) wantOnce(t *testing.T, s *call.Client, r keyedRequest, n int) call.Response {
	t.Helper()
	answers := make([]call.Response, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { answers[i] = x.try(t.Context(), s, r) })
	}
	all.Wait()
	for _, a := range answers {
		if a.Err != nil {
			t.Fatal(a.Err)
		}
	}
	at := slices.IndexFunc(answers, func(a call.Response) bool { return !a.Replayed() })
	if at < 0 {
		t.Fatalf("got %d responses, all with Idempotency-Replayed", n)
	}
	for i, a := range answers {
		if i != at {
			x.wantReplay(t, "at once", a, answers[at])
		}
	}
	return answers[at]
}

// Another transaction has claimed the key and is slow. Once it fails, the next attempt can use the key.
func checkInProgress(t *testing.T, x *keyedCase) {
	if !engine.IsServer() {
		t.Skip("the embedded engine has one writer: requests wait for it, not for the key")
	}
	now := x.w.Clock.Now()
	entry := idempotency.Entry{
		Caller: "user:admin", Key: "k", Fingerprint: make([]byte, 32), Body: []byte{}, CreatedAt: now, ExpiresAt: now.Add(time.Hour),
	}
	keys := ordersservice.Keys()
	if x.service == "customers" {
		keys = customersservice.Keys()
	}
	ctx := context.WithoutCancel(t.Context())
	claimed, release, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	failed := errors.New("the first fails")
	go func() {
		done <- x.w.DB.Tx(ctx, func(conn database.Conn) error {
			err := keys.Claims([]idempotency.Entry{entry}).Insert(ctx, conn)
			close(claimed)
			<-release
			return errors.Join(err, failed)
		})
	}()
	<-claimed
	got := x.try(t.Context(), x.admin, x.under("k", x.request))
	close(release)
	if err := <-done; !errors.Is(err, failed) {
		t.Fatal(err)
	}
	got.WantProblem(t, http.StatusConflict, common.CodeRequestInProgress)
	if got.Header.Get("Retry-After") == "" {
		t.Errorf("meanwhile: got %v, want Retry-After", got.Header)
	}
	x.wantEffects(t, "meanwhile", 0)
	x.first(t, "afterwards", x.admin, "k")
}

func checkNeverBegan(t *testing.T, x *keyedCase) {
	request := x.under("k", x.request)
	with := func(contentType, body string) keyedRequest {
		r := request
		r.contentType, r.body = contentType, body
		return r
	}
	large := with("application/json", strings.Repeat(" ", maxBody+1)+request.body)
	unknown := x.under("k", jsonRequest(request.path, `{"no_such_field":1,"idempotency_key":KEY}`))
	noID := request
	noID.path += "x"
	type refused struct {
		name    string
		session *call.Client
		request keyedRequest
		status  int
	}
	tests := []refused{
		{"bad input", x.admin, unknown, http.StatusBadRequest},
		{"no JSON", x.admin, with("application/json", "{"), http.StatusBadRequest},
		{"large body", x.admin, large, http.StatusRequestEntityTooLarge},
		{"bad type", x.admin, with("text/plain", "x"), http.StatusUnsupportedMediaType},
	}
	if x.verb() == http.MethodDelete { // which has no body
		tests = []refused{{"bad input", x.admin, noID, http.StatusBadRequest}}
	}
	for _, test := range append(tests,
		refused{"no token", x.w.With(""), request, http.StatusUnauthorized},
		refused{"bad token", x.w.With("x.y.z"), request, http.StatusUnauthorized},
		refused{"viewer", x.w.Login("viewer"), request, http.StatusForbidden},
	) {
		for range 2 {
			if got := x.send(t, test.session, test.request); got.Status != test.status || got.Replayed() {
				t.Errorf("%s: got %s, want %d", test.name, got, test.status)
			}
		}
	}
	x.wantEffects(t, "after the refusals", 0)
	x.first(t, "the same key, corrected", x.admin, "k")
}

// checkLimited sends the request while its caller has sent too many.
func checkLimited(t *testing.T, x *keyedCase) {
	bad := x.under("k", jsonRequest(x.request.path, "x"))
	if x.verb() == http.MethodDelete { // which has no body
		bad = x.under("k", keyedRequest{path: x.request.path + "x"})
	}
	for calls := 0; x.send(t, x.admin, bad).Status != http.StatusTooManyRequests; calls++ {
		if calls > manyCalls {
			t.Fatalf("%d calls at once, want them limited", calls)
		}
	}
	for range 2 {
		got := x.do(t, x.admin, "k")
		got.WantProblem(t, http.StatusTooManyRequests, common.CodeTooManyRequests)
		if got.Replayed() || got.Header.Get("Retry-After") != "1" {
			t.Errorf("got %s %v, want Retry-After: 1 and no replay", got, got.Header)
		}
	}
	x.w.Clock.Advance(time.Second)
	x.wantEffects(t, "after the refusals", 0)
	x.first(t, "the same key, a second later", x.admin, "k")
}

// A dependency does not answer: another transaction blocks the database for longer than a request may take, or a service is
// down.
func checkUnanswered(t *testing.T, x *keyedCase) {
	away := func(service string) func() func() {
		return func() func() {
			x.w.Pause(service)
			return func() { x.w.Resume(service) }
		}
	}
	type outage struct {
		begin func() (end func())
		code  common.ProblemCode
	}
	outages := []outage{{func() func() { return engine.Busy(t, x.w.DB) }, common.CodeUnavailable}}
	switch x.name {
	case "createOrder":
		outages = append(outages, outage{away("customers"), common.CodeCustomersUnavailable})
	case "createAndConfirmOrder":
		outages = []outage{{away("orders"), common.CodeOrdersUnavailable}}
	}
	for _, o := range outages {
		end := o.begin()
		got := x.try(t.Context(), x.admin, x.under("k", x.request))
		end()
		got.WantProblem(t, http.StatusServiceUnavailable, o.code)
		x.wantEffects(t, "after the 503", 0)
	}
	x.first(t, "the same key, later", x.admin, "k")
}

// To the client, a crash anywhere is a lost request or a lost response. Other packages test crashes of processes.
func checkLost(t *testing.T, x *keyedCase) {
	always := func(*http.Request) bool { return true }
	for _, test := range []struct {
		name    string
		proxy   *lossyProxy
		effects int
	}{{"the request", &lossyProxy{loseRequest: always}, 0}, {"the answer", &lossyProxy{loseAnswer: always}, 1}} {
		y := *x
		y.base = test.proxy.listen(t, x.base)
		if got := y.try(t.Context(), x.admin, x.under("k", x.request)); got.Err == nil {
			t.Errorf("lost %s: got %s", test.name, got)
		}
		x.wantEffects(t, test.name+" is lost", test.effects)
	}
	retried := x.do(t, x.admin, "k")
	if retried.Status != x.status || !retried.Replayed() {
		t.Errorf("retry: got %s, want the response that was lost", retried)
	}
	x.wantReplay(t, "repeat", x.do(t, x.admin, "k"), retried)
	x.wantEffects(t, "in the end", 1)
}

func checkLives(ttl time.Duration) func(*testing.T, *keyedCase) {
	return func(t *testing.T, x *keyedCase) {
		first := x.first(t, "first", x.admin, "k")
		x.w.Clock.Advance(ttl - time.Minute)
		x.wantSwept(t, "a minute before the end", false)
		x.wantReplay(t, "a minute before the end", x.do(t, x.w.Login("admin"), "k"), first)

		x.w.Clock.Advance(time.Minute)
		s := x.w.Login("admin")
		later := x.wantOnce(t, s, x.under("k", x.request), 8) // the expired key is not swept yet but can be used anew
		x.wantAnew(t, "after the end", later, first)

		x.w.Clock.Advance(ttl)
		x.wantSwept(t, "after the end", true)
		x.wantAnew(t, "after the sweep", x.do(t, x.w.Login("admin"), "k"), later)
	}
}

// wantSwept checks that a sweep deletes all keys, or none.
func (x *keyedCase) wantSwept(t *testing.T, what string, all bool) {
	t.Helper()
	count := func() (n int64) {
		err := x.w.DB.Read(t.Context(), func(conn database.Conn) error {
			return conn.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+x.keyTable()).Scan(&n)
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	sweep := ordersservice.SweepKeys
	if x.service == "customers" {
		sweep = customersservice.SweepKeys
	}
	before := count()
	swept, err := sweep(t.Context(), x.w.DB, x.w.Clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	want := int64(0)
	if all {
		want = before
	}
	if after := count(); before == 0 || swept != want || after != before-want {
		t.Errorf("%s: %d keys, %d swept, %d left, want %d swept", what, before, swept, after, want)
	}
}

// checkStateMachine sweeps the keys. The status of the order must still prevent a second effect.
func checkStateMachine(t *testing.T, x *keyedCase) {
	first := x.first(t, "first", x.admin, "k")
	x.w.Clock.Advance(24 * time.Hour)
	x.wantSwept(t, "after 24 hours", true)
	x.wantAnew(t, "after 24 hours", x.do(t, x.w.Login("admin"), "k"), first)
	x.wantEffects(t, "after 24 hours", 1)
}

// checkChildKeys records the keys that orders-api receives from the orchestrator.
func checkChildKeys(t *testing.T, x *keyedCase) {
	// The caller has used the same key with orders-api directly. It must not collide with the child keys.
	x.admin.TryOrder(t.Context(), "k", 1, 1, 1).Want(t, http.StatusCreated)
	var mu sync.Mutex
	seen := map[string][]string{} // by path
	o := orchestratorBehind(t, x.w, x.admin, &lossyProxy{meanwhile: func(r *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		seen[r.URL.Path] = append(seen[r.URL.Path], r.Header.Get(keyHeader))
		return false
	}})
	for _, key := range []string{"k", "k", "k-2"} {
		o.Orchestrate(t.Context(), call.OrderRequest(key, 1, 1, 1)).Want(t, http.StatusCreated)
	}
	create, first, second := seen["/orders"], seen["/orders/2/confirm"], seen["/orders/3/confirm"]
	if len(create) != 3 || len(first) != 2 || len(second) != 1 || create[0] != create[1] || first[0] != first[1] {
		t.Fatalf("got the keys %q, want the same ones for the same order", seen)
	}
	keys := []string{"k", "k-2", create[0], create[2], first[0], second[0]}
	if slices.Sort(keys); len(slices.Compact(keys)) != 6 {
		t.Errorf("got the keys %q, want one of its own for each step of each order", seen)
	}
	x.admin.WantOrders(t, 3)
}

// checkCrash loses a request or response of each step, as a crash of the orchestrator or the network would. A retry must find
// or create one order. TestOrchestratorWithdraws covers the cancel of an order that can't be confirmed.
func checkCrash(t *testing.T, _ *keyedCase) {
	for name, test := range map[string]struct {
		proxy    func(while func() bool) *lossyProxy
		step     orchestrator.Step
		orders   int                // before the retry
		status   orders.OrderStatus // of the one order, before the retry
		replayed bool               // the retry
	}{
		"before create is executed": {func(while func() bool) *lossyProxy {
			return &lossyProxy{loseRequest: func(r *http.Request) bool { return while() && isCreate(r) }}
		}, orchestrator.StepCreateOrder, 0, "", false},
		"after create was executed": {func(while func() bool) *lossyProxy {
			return &lossyProxy{loseAnswer: func(r *http.Request) bool { return while() && isCreate(r) }}
		}, orchestrator.StepCreateOrder, 1, orders.StatusCreated, false},
		"before confirm is executed": {func(while func() bool) *lossyProxy {
			return &lossyProxy{loseRequest: func(r *http.Request) bool { return while() && isConfirm(r) }}
		}, orchestrator.StepConfirmOrder, 1, orders.StatusCreated, false},
		"after confirm was executed": {func(while func() bool) *lossyProxy {
			return &lossyProxy{loseAnswer: func(r *http.Request) bool { return while() && isConfirm(r) }}
		}, orchestrator.StepConfirmOrder, 1, orders.StatusConfirmed, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, world.Options{})
			s := w.Login("admin")
			buyer, p := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "A", 1, 100)
			var crashing, once atomic.Bool
			request := call.OrderRequest("k", buyer.ID, p.ID, 3)
			request.CorrelationID = new("run-1")

			crashing.Store(true)
			o := orchestratorBehind(t, w, s, test.proxy(crashing.Load))
			lost := o.Orchestrate(t.Context(), request)
			lost.WantFailure(t, http.StatusServiceUnavailable, common.CodeOrdersUnavailable, test.step)
			s.WantOrders(t, test.orders)
			if test.orders > 0 {
				if got := s.GetOrder(t, 1).Status; got != test.status {
					t.Errorf("after the crash: got %s, want %s", got, test.status)
				}
			}
			crashing.Store(false)
			retried := o.Orchestrate(t.Context(), request).Want(t, http.StatusCreated)
			if got := retried.Replayed(); got != test.replayed {
				t.Errorf("retry: got Idempotency-Replayed %v, want %v", got, test.replayed)
			}
			// Another orchestrator, as after a restart, has no state of the first.
			again := s.Orchestrate(t.Context(), request).Want(t, http.StatusCreated)
			if !bytes.Equal(again.Body, retried.Body) || !again.Replayed() {
				t.Errorf("repeat: got %s, want a replay of %s", again.Body, retried.Body)
			}
			s.WantOrders(t, 1)
			s.WantStock(t, p.ID, 97)

			// The orchestrator retries, so a single loss has no effect.
			o = orchestratorBehind(t, w, s, test.proxy(func() bool { return !once.Swap(true) }))
			request.IdempotencyKey = "k-2"
			o.Orchestrate(t.Context(), request).Want(t, http.StatusCreated)
			s.WantOrders(t, 2)
			s.WantStock(t, p.ID, 94)
			audit(t, w)
		})
	}
}
