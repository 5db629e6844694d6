package model

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/gen/customers"
)

// The callers. The first two are administrators, and the last two are API keys of one integrator.
const (
	admin   = "admin"
	second  = "second" // of another deployment with the same JWT_SECRET
	viewer  = "viewer"
	service = "service"
	ana     = "ana"
	erp     = "erp"
	spare   = "spare key of erp"
)

const anasPassword = "correct horse battery staple"

// noticed is how long the services may remember an API key.
const noticed = 5 * time.Second

// person is what the services know of a caller. A token keeps the role and the name that its user had at the login.
type person struct {
	caller   string
	id       int64 // 0 if it is not in the token
	name     string
	role     customers.Role
	revoked  bool // of an API key
	disabled bool // of an integrator
}

// actor is the caller of a change as the history names it.
type actor struct {
	caller string
	id     *int64
	name   *string
}

func (p *person) actor() actor {
	a := actor{caller: p.caller}
	if p.id != 0 {
		a.id, a.name = new(p.id), new(p.name)
	}
	return a
}

var roles = []customers.Role{customers.RoleViewer, customers.RoleOperator, customers.RoleManager, customers.RoleAdmin}

// rank orders the roles. Each role may do what the ones before it may.
func rank(role customers.Role) int { return slices.Index(roles, role) }

// addPeople creates Ana and the integrator ERP with two keys.
func (m *machine) addPeople(t *rapid.T) {
	m.people[admin] = &person{caller: "user:admin", id: 1, name: admin, role: customers.RoleAdmin}
	m.people[second] = &person{caller: "user:second", role: customers.RoleAdmin}
	m.people[viewer] = &person{caller: "user:viewer", id: 2, name: viewer, role: customers.RoleViewer}
	m.people[service] = &person{caller: service}
	m.people[ana] = &person{caller: "user:ana", id: 3, name: "Ana", role: customers.RoleOperator}
	for _, key := range []string{erp, spare} {
		m.people[key] = &person{caller: "integrator:1", id: 1, name: "ERP", role: customers.RoleOperator}
	}
	m.send(t, http.MethodPost, "/users", customers.UserInput{Username: ana, Name: "Ana", Role: customers.RoleOperator}, 201)
	m.setUp(t)
	m.user = customers.User{Name: "Ana", Role: customers.RoleOperator, State: customers.StateActive}
	m.send(t, http.MethodPost, "/integrators", customers.IntegratorInput{Name: "ERP", Role: customers.RoleOperator}, 201)
	m.addKey(t, erp)
	m.addKey(t, spare)
}

// send sends a request of the administrator to customers-api. The answer must have the status.
func (m *machine) send(t *rapid.T, method, path string, body any, status int) call.Response {
	text := ""
	if body != nil {
		text = encode(body)
	}
	var headers []string
	if method == http.MethodPost {
		m.posts++
		headers = append(headers, "Idempotency-Key", fmt.Sprintf("people-%d", m.posts))
	}
	t.Logf("admin: %s %s %s", method, path, text)
	got := m.session(admin).Send(m.tb, "customers", method, path, text, headers...)
	if got.Status != status {
		t.Fatalf("%s %s: got status %d %s, want %d", method, path, got.Status, got.Body, status)
	}
	m.outcomes[fmt.Sprintf("%s %s %d", method, number.ReplaceAllString(path, "/{id}"), status)]++
	if method == http.MethodPost { // a repeat has the same members, with null in place of the secret
		again := m.session(admin).Send(m.tb, "customers", method, path, text, headers...)
		if !again.Replayed() || withoutSecrets(t, again.Body) != withoutSecrets(t, got.Body) || secretOf(t, again.Body) != "" {
			t.Fatalf("%s %s: the repeat got %d %s, want the answer without its secret", method, path, again.Status, again.Body)
		}
	}
	return got
}

var number = regexp.MustCompile(`/\d+`)

// secrets are the members of answers that a repeat has as null.
var secrets = []string{"setup_token", "key"}

func withoutSecrets(t *rapid.T, body []byte) string {
	var members map[string]any
	if err := json.Unmarshal(body, &members); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	for _, name := range secrets {
		delete(members, name)
	}
	return encode(members)
}

func secretOf(t *rapid.T, body []byte) string {
	var members map[string]any
	if err := json.Unmarshal(body, &members); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	for _, name := range secrets {
		if secret, ok := members[name].(string); ok {
			return secret
		}
	}
	return ""
}

// setUp lets Ana set the password.
func (m *machine) setUp(t *rapid.T) {
	reset := m.send(t, http.MethodPost, "/users/3/reset", nil, 200)
	in := customers.Setup{Token: secretOf(t, reset.Body), Password: anasPassword}
	for _, want := range []int{204, 400} { // it works once
		if got := call.Read(m.w.With("").Customers.SetPassword(t.Context(), in)); got.Status != want {
			t.Fatalf("setPassword: got %d %s, want %d", got.Status, got.Body, want)
		}
	}
}

// addKey gives a caller a new API key.
func (m *machine) addKey(t *rapid.T, by string) {
	created := m.send(t, http.MethodPost, "/integrators/1/keys", customers.KeyInput{Name: by}, 201)
	m.sessions[by] = session{m.w.With(secretOf(t, created.Body)), never}
	m.keyIDs[by] = decode[customers.NewKey](t, reply{Response: created, to: "createKey"}, 201).ID
	m.people[by].revoked = false
}

// login returns a client of a user. Ana, if she is disabled, is refused, and then enabled.
func (m *machine) login(by string) *call.Client {
	if by != ana {
		return m.w.Login(by)
	}
	in := customers.Credentials{Username: "ANA", Password: anasPassword}
	got := call.Read(m.w.With("").Customers.Login(m.tb.Context(), in))
	if m.user.State == customers.StateDisabled {
		if got.Status != 401 {
			m.tb.run.Fatalf("login of a disabled user: got %d %s, want 401", got.Status, got.Body)
		}
		m.changeUser(m.tb.run, customers.UserChange{State: new(customers.StateActive)})
		got = call.Read(m.w.With("").Customers.Login(m.tb.Context(), in))
	}
	var token customers.Token
	if err := json.Unmarshal(got.Body, &token); err != nil || got.Status != 200 {
		m.tb.run.Fatalf("login: got %d %s", got.Status, got.Body)
	}
	m.people[ana].role, m.people[ana].name = m.user.Role, m.user.Name
	return m.w.With(token.AccessToken)
}

func (m *machine) changeUser(t *rapid.T, in customers.UserChange) {
	m.send(t, http.MethodPatch, "/users/3", in, 200)
	if in.Name != nil {
		m.user.Name = *in.Name
	}
	if in.Role != nil {
		m.user.Role = *in.Role
	}
	if in.State != nil {
		m.user.State = *in.State
	}
}

// changePeople draws a change of Ana, the integrator or a key. The services notice it within 5 seconds. Ana's token keeps what it says.
func (m *machine) changePeople(t *rapid.T) {
	role := rapid.SampledFrom(roles)
	key := rapid.SampledFrom([]string{erp, spare}).Draw(t, "key")
	switch rapid.IntRange(0, 7).Draw(t, "change") {
	case 0:
		m.changeUser(t, customers.UserChange{Role: new(role.Draw(t, "role")), Name: new("Ana " + names.Draw(t, "name"))})
	case 1:
		m.changeUser(t, customers.UserChange{State: new(customers.StateDisabled)})
	case 2:
		m.changeUser(t, customers.UserChange{State: new(customers.StateActive)})
	case 3:
		if m.user.Role != customers.RoleAdmin || m.user.State == customers.StateDisabled { // then user 1 is the last administrator
			m.send(t, http.MethodPatch, "/users/1", customers.UserChange{State: new(customers.StateDisabled)}, 409)
		}
	case 4:
		in := customers.IntegratorChange{Role: new(role.Draw(t, "role")), Name: new("ERP " + names.Draw(t, "name"))}
		m.send(t, http.MethodPatch, "/integrators/1", in, 200)
		m.people[erp].role, m.people[erp].name = *in.Role, *in.Name
		m.people[spare].role, m.people[spare].name = *in.Role, *in.Name
	case 5:
		disabled := rapid.Bool().Draw(t, "disabled")
		state := customers.StateActive
		if disabled {
			state = customers.StateDisabled
		}
		m.send(t, http.MethodPatch, "/integrators/1", customers.IntegratorChange{State: &state}, 200)
		m.people[erp].disabled, m.people[spare].disabled = disabled, disabled
	case 6:
		m.send(t, http.MethodDelete, fmt.Sprintf("/integrators/1/keys/%d", m.keyIDs[key]), nil, 204)
		m.people[key].revoked = true
	case 7:
		m.send(t, http.MethodDelete, fmt.Sprintf("/integrators/1/keys/%d", m.keyIDs[key]), nil, 204)
		m.addKey(t, key)
	}
	m.w.Clock.Advance(noticed)
}
