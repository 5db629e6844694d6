package faults

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/load"
	"github.com/pedidos-hq/pedidos/e2e/program"
	"github.com/pedidos-hq/pedidos/e2e/wire"
	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/gen/orders"
)

// quickHashes makes a password hash take microseconds.
const quickHashes = "PASSWORD_MEMORY_KIB=8"

const userPassword = "seven wild horses"

// created is the answer of a request that creates a secret.
type created struct {
	ID         int64
	Key        *string
	SetupToken *string `json:"setup_token"`
}

// secret returns the secret, or "".
func (c created) secret() string {
	for _, text := range []*string{c.Key, c.SetupToken} {
		if text != nil {
			return *text
		}
	}
	return ""
}

// secretRequest is a request that creates a secret.
type secretRequest struct {
	status    int
	statement string // in its transaction
	send      func(ctx context.Context, c *call.Client, target int64, key string) call.Response
	replace   func(t *testing.T, admin *call.Client, target int64, lost created, orders string) // the lost secret
}

// TestLostSecret loses the answer of a request that creates a secret, or its COMMIT or the answer of that. The caller retries under
// the key. A repeat has the same ID and no secret, which is kept nowhere; the caller then replaces it.
func TestLostSecret(t *testing.T) {
	t.Parallel()
	db, _ := ownMySQL(t)
	s := newMigratedShop(t, db, quickHashes, "REQUEST_TIMEOUT=5s")
	mysql := wire.NewMySQL(t, net.JoinHostPort(db.Host, strconv.Itoa(db.Port)))
	host, port, err := net.SplitHostPort(mysql.Addr())
	if err != nil {
		t.Fatal(err)
	}
	s.customers = s.serve(t, "customers", "DB_HOST="+host, "DB_PORT="+port, "DB_TLS=off")
	other := s.serve(t, "customers") // another replica
	orders := s.serve(t, "orders", "CUSTOMERS_API_BASE="+other.url)
	program.AwaitReady(t, s.customers.url, other.url, orders.url)
	front := wire.New(t, strings.TrimPrefix(s.customers.url, "http://"))
	token := call.URLs{Customers: other.url}.Token(t, adminPassword)

	faults := map[string]struct {
		at       *wire.Wire
		kind     wire.Kind
		answered bool // the caller gets 503, otherwise nothing
		replayed bool // the retry finds that the request took effect
	}{
		"the answer":      {front, wire.AnswerLost, false, true},
		"COMMIT":          {mysql, wire.CommitLost, true, false},
		"COMMIT's answer": {mysql, wire.CommitAnswerLost, true, true},
	}
	for name, r := range secretRequests() {
		for fault, f := range faults {
			t.Run(name+", "+fault, func(t *testing.T) {
				t.Parallel()
				admin := call.URLs{Customers: other.url, Orders: orders.url}.Client(t, token)
				through := call.URLs{Customers: "http://" + front.Addr()}.Client(t, token)
				target, key := newTarget(t, admin, name), rand.Text()
				send := func(ctx context.Context, c *call.Client) call.Response { return r.send(ctx, c, target, key) }
				texts := []string{key}
				if f.at == mysql {
					texts = append(texts, r.statement)
				}
				stop := f.at.Lose(f.kind, 1, texts...)
				switch lost := send(t.Context(), through); {
				case f.answered && !lost.Later(), !f.answered && lost.Err == nil:
					t.Errorf("violation: got %s, want it lost", lost)
				}
				if n := stop(); n != 1 {
					t.Errorf("lost %d times, want 1", n)
				}
				callers := &race{clients: [2]*call.Client{through, admin}}
				got := callers.ask(t, 0, send).Want(t, r.status)
				first := decoded[created](t, got)
				if got.Replayed() != f.replayed || (first.secret() == "") != f.replayed {
					t.Errorf("violation: got %s, want replayed %t, and a secret only otherwise", got, f.replayed)
				}
				for replica := range callers.clients {
					again := callers.ask(t, replica, send).Want(t, r.status)
					if repeated := decoded[created](t, again); !again.Replayed() || repeated.ID != first.ID || repeated.secret() != "" {
						t.Errorf("violation: repeated, got %s, want the ID %d and no secret", again, first.ID)
					}
				}
				r.replace(t, admin, target, first, orders.url)
			})
		}
	}
}

// newTarget creates what a request is about: an integrator for a key, a user for a reset.
func newTarget(t *testing.T, admin *call.Client, request string) int64 {
	t.Helper()
	switch request {
	case "create key":
		return newIntegrator(t, admin, customers.RoleOperator)
	case "reset user":
		return newUser(t, admin, rand.Text(), customers.RoleOperator).ID
	}
	return 0
}

func secretRequests() map[string]secretRequest {
	return map[string]secretRequest{
		"create key": {
			status: http.StatusCreated, statement: "INSERT INTO api_keys",
			send: func(ctx context.Context, c *call.Client, integrator int64, key string) call.Response {
				return call.Read(c.Customers.CreateKey(ctx, integrator, &customers.CreateKeyParams{IdempotencyKey: &key}, customers.KeyInput{Name: "a key"}))
			},
			replace: func(t *testing.T, admin *call.Client, integrator int64, lost created, orders string) {
				if n := len(keysOf(t, admin, integrator)); n != 1 {
					t.Errorf("violation: there are %d keys, want 1", n)
				}
				call.Read(admin.Customers.RevokeKey(t.Context(), integrator, lost.ID, nil)).Want(t, http.StatusNoContent)
				_, key := newKey(t, admin, integrator)
				call.Read(call.URLs{Orders: orders}.Client(t, key).Orders.ListProducts(t.Context(), nil)).Want(t, http.StatusOK)
				if keys := keysOf(t, admin, integrator); len(keys) != 2 || keys[0].RevokedAt == nil || keys[1].RevokedAt != nil {
					t.Errorf("violation: got the keys %+v, want a revoked one and its replacement", keys)
				}
			},
		},
		"create user": {
			status: http.StatusCreated, statement: "INSERT INTO users",
			send: func(ctx context.Context, c *call.Client, _ int64, key string) call.Response {
				in := customers.UserInput{Username: "user-" + key, Name: "A user", Role: customers.RoleOperator}
				return call.Read(c.Customers.CreateUser(ctx, &customers.CreateUserParams{IdempotencyKey: &key}, in))
			},
			replace: resetAndLogIn,
		},
		"reset user": {
			status: http.StatusOK, statement: "SET setup_hash",
			send: func(ctx context.Context, c *call.Client, user int64, key string) call.Response {
				return call.Read(c.Customers.ResetUser(ctx, user, &customers.ResetUserParams{IdempotencyKey: &key}))
			},
			replace: resetAndLogIn,
		},
	}
}

// resetAndLogIn replaces a lost setup token. The lost one, if it is known after all, no longer works.
func resetAndLogIn(t *testing.T, admin *call.Client, _ int64, lost created, _ string) {
	t.Helper()
	var user customers.UserSetup
	call.Read(admin.Customers.ResetUser(t.Context(), lost.ID, nil)).Want(t, http.StatusOK, &user)
	if lost.secret() != "" {
		call.Read(admin.Customers.SetPassword(t.Context(), customers.Setup{Token: lost.secret(), Password: userPassword})).WantInvalid(t, "token")
	}
	call.Read(admin.Customers.SetPassword(t.Context(), customers.Setup{Token: *user.SetupToken, Password: userPassword})).Want(t, http.StatusNoContent)
	admin.LogIn(t, user.Username, userPassword)
}

// TestKeyRotatedBetweenRetries loses the answer of an order that was placed with an API key. The key is replaced before the retry:
// both keys are the same caller, so the retry at the other replica replays the answer.
func TestKeyRotatedBetweenRetries(t *testing.T) {
	t.Parallel()
	db, server := ownMySQL(t)
	s := newWired(t, db, "REQUEST_TIMEOUT=5s", quickHashes)
	admin := call.URLs{Customers: s.customers.url}.Client(t, s.token)
	t.Run("cases", func(t *testing.T) {
		for name, test := range map[string]struct {
			hop    hop
			send   func(*purchase) request
			status orders.OrderStatus
		}{
			"place":             {clientToOrders, (*purchase).place, orders.StatusCreated},
			"place and confirm": {clientToOrchestrator, (*purchase).placeAndConfirm, orders.StatusConfirmed},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				integrator := newIntegrator(t, admin, customers.RoleManager)
				id, key := newKey(t, admin, integrator)
				p := newPurchase(t, s.callersWith(t, key), server)
				send := test.send(p)
				stop := s.wires[0][test.hop].Lose(wire.AnswerLost, 1, p.key)
				if got := send(t.Context(), p.clients[0]); got.Err == nil {
					t.Errorf("the answer was not lost: %s", got)
				}
				if n := stop(); n != 1 {
					t.Errorf("lost %d times, want 1", n)
				}
				first := p.ask(t, 1, send)

				_, second := newKey(t, admin, integrator)
				call.Read(admin.Customers.RevokeKey(t.Context(), integrator, id, nil)).Want(t, http.StatusNoContent)
				p.clients = s.callersWith(t, second)
				for replica := range p.clients {
					p.ask(t, replica, send).WantReplay(t, first)
				}
				p.expect(t, test.status)
			})
		}
	})
	s.audit(t)
}

// TestKeysRotatedUnderLoad replaces the API key of an integrator again and again, while it places orders on two replicas and repeats
// some requests. No request fails, and no order is placed twice.
func TestKeysRotatedUnderLoad(t *testing.T) {
	t.Parallel()
	rotations := rounds(5)
	db, _ := ownMySQL(t)
	s := newShop(t, db, quickHashes)
	admin := s.clients(t)[0]
	integrator := newIntegrator(t, admin, customers.RoleManager)
	id, key := newKey(t, admin, integrator)
	sender := &sender{token: key}
	clients := s.sending(t, sender)
	l := load.New(t, load.Config{Seed: *seed, Callers: 8, LoseOneIn: 5, Once: true}, clients[:]...)
	l.Start(t)
	for range rotations {
		l.AwaitMore(t, 40)
		next, key := newKey(t, admin, integrator)
		sender.use(key)
		call.Read(admin.Customers.RevokeKey(t.Context(), integrator, id, nil)).Want(t, http.StatusNoContent)
		id = next
	}
	l.AwaitMore(t, 40)
	l.Pause(t)
	l.CheckAll(t)
	s.audit(t)
	revoked := 0
	for _, k := range keysOf(t, admin, integrator) {
		if k.RevokedAt != nil {
			revoked++
		}
	}
	if revoked != rotations {
		t.Errorf("%d keys are revoked, want %d", revoked, rotations)
	}
	t.Logf("seed %d: %d keys replaced; %s", *seed, rotations, l.Counts())
}

// TestRevokedUnderLoad takes the access of an integrator away, while it places orders on two replicas. Each replica accepts orders for
// a few seconds at most, and then none. Every order that it acknowledged exists once, and no other.
func TestRevokedUnderLoad(t *testing.T) {
	t.Parallel()
	db, server := ownMySQL(t)
	s := newShop(t, db, quickHashes)
	admin := s.clients(t)[0]
	t.Run("cases", func(t *testing.T) {
		for name, revoke := range map[string]func(t *testing.T, integrator, key int64){
			"key revoked": func(t *testing.T, integrator, key int64) {
				call.Read(admin.Customers.RevokeKey(t.Context(), integrator, key, nil)).Want(t, http.StatusNoContent)
			},
			"integrator disabled": func(t *testing.T, integrator, _ int64) {
				in := customers.IntegratorChange{State: new(customers.StateDisabled)}
				call.Read(admin.Customers.UpdateIntegrator(t.Context(), integrator, nil, in)).Want(t, http.StatusOK)
			},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				integrator := newIntegrator(t, admin, customers.RoleOperator)
				id, key := newKey(t, admin, integrator)
				p := newPurchase(t, s.clients(t), server)
				admin.ChangeProduct(t, p.product, orders.ProductChange{Stock: new(int64(1_000_000))})
				p.clients = s.clientsWith(t, key)

				ctx, stop := context.WithTimeout(t.Context(), time.Minute)
				defer stop()
				var placed atomic.Int64
				var refused [2]time.Time
				var revokedAt time.Time
				ready, revoked := make(chan struct{}, 2), make(chan struct{})
				var working sync.WaitGroup
				for replica, client := range p.clients {
					working.Go(func() {
						for n := 0; ; n++ {
							got := client.TryOrder(ctx, fmt.Sprintf("%s-%d-%d", p.key, replica, n), p.customer, p.product, 1)
							switch {
							case got.Status == http.StatusCreated:
								placed.Add(1)
							case got.Status == http.StatusUnauthorized && isClosed(revoked):
								refused[replica] = time.Now()
								return
							default:
								t.Errorf("violation: got %s", got)
								ready <- struct{}{}
								return
							}
							if n == 10 {
								ready <- struct{}{}
							}
						}
					})
				}
				<-ready
				<-ready
				close(revoked) // a request may already be refused before the answer arrives here
				revoke(t, integrator, id)
				revokedAt = time.Now()
				working.Wait()
				for _, client := range p.clients {
					for range 20 {
						client.TryOrder(t.Context(), rand.Text(), p.customer, p.product, 1).WantProblem(t, http.StatusUnauthorized, common.CodeUnauthorized)
					}
				}
				if all := admin.AllOrders(t, p.customer); int64(len(all)) != placed.Load() {
					t.Errorf("violation: there are %d orders, but %d were acknowledged", len(all), placed.Load())
				}
				admin.WantStock(t, p.product, 1_000_000-placed.Load())
				t.Logf("%d orders placed; refused on the two replicas %d ms and %d ms after the answer", placed.Load(),
					refused[0].Sub(revokedAt).Milliseconds(), refused[1].Sub(revokedAt).Milliseconds())
			})
		}
	})
	s.audit(t)
}

// TestUserDisabledUnderLoad disables a user whose browser exchanges its session for access tokens, while it places orders. The session
// and the password are refused at once. The access token of the last exchange still works, for its five minutes.
func TestUserDisabledUnderLoad(t *testing.T) {
	t.Parallel()
	db, _ := ownMySQL(t)
	s := newShop(t, db, quickHashes)
	admin := s.clients(t)[0]
	user := newUser(t, admin, "ana", customers.RoleManager)
	exchange := s.newSession(t, "ana", userPassword)
	sender := &sender{token: accessToken(t, exchange())}
	clients := s.sending(t, sender)
	l := load.New(t, load.Config{Seed: *seed, LoseOneIn: 5, Once: true}, clients[:]...)
	l.Start(t)
	for range rounds(5) {
		l.AwaitMore(t, 20)
		sender.use(accessToken(t, exchange()))
	}
	in := customers.UserChange{State: new(customers.StateDisabled)}
	call.Read(admin.Customers.UpdateUser(t.Context(), user.ID, nil, in)).Want(t, http.StatusOK)
	exchange().WantProblem(t, http.StatusUnauthorized, common.CodeUnauthorized)
	credentials := customers.Credentials{Username: "ana", Password: userPassword}
	call.Read(admin.Customers.Login(t.Context(), credentials)).WantProblem(t, http.StatusUnauthorized, common.CodeInvalidCredentials)
	call.Read(admin.Customers.CreateSession(t.Context(), nil, credentials)).WantProblem(t, http.StatusUnauthorized, common.CodeInvalidCredentials)
	l.AwaitMore(t, 20)
	l.Pause(t)
	l.CheckAll(t)
	s.audit(t)
	t.Logf("seed %d: %s", *seed, l.Counts())
}

// TestSigningKeysRotatedUnderLoad runs `pedidos keys rotate` under load. The new key signs after a minute, in real time. One client
// exchanges a session for access tokens all the time, the other one keeps its first token. No request fails, and no order is placed twice.
func TestSigningKeysRotatedUnderLoad(t *testing.T) {
	if !*long {
		t.Skip("needs -args -long, and takes two minutes")
	}
	t.Parallel()
	db, _ := ownMySQL(t)
	s := newMigratedShop(t, db, quickHashes)
	s.env = slices.DeleteFunc(s.env, func(setting string) bool { return strings.HasPrefix(setting, "JWT_SECRET=") })
	signing := "SIGNING_SECRET=faults-signing-secret-of-more-than-32-bytes"
	s.startAll(t, signing) // only customers-api has the secret
	exchange, first := s.newSession(t, "admin", adminPassword), call.URLs{Customers: s.customers.url}.Token(t, adminPassword)
	senders := [2]*sender{{token: accessToken(t, exchange())}, {token: first}}
	before := keyIDOf(t, first)
	clients := s.sending(t, senders[0])
	clients[1] = s.sending(t, senders[1])[1]
	l := load.New(t, load.Config{Seed: *seed, Callers: 4, LoseOneIn: 20, Once: true}, clients[:]...)
	l.Start(t)
	l.AwaitMore(t, 100)
	r := program.Run(t, slices.Concat(s.env, []string{signing}), "keys", "rotate")
	if r.Code != 0 {
		t.Fatalf("keys rotate: exit code %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	rotated, now, exchanges := time.Now(), before, 0
	for now == before {
		if time.Since(rotated) > 3*time.Minute {
			t.Fatal("the new key does not sign")
		}
		l.AwaitMore(t, 20)
		token := accessToken(t, exchange())
		senders[0].use(token)
		now = keyIDOf(t, token)
		exchanges++
	}
	took := time.Since(rotated)
	l.AwaitMore(t, 200) // with tokens of both keys
	l.Pause(t)
	l.CheckAll(t)
	s.audit(t)
	t.Logf("seed %d: %s signs instead of %s after %s and %d exchanges; %s", *seed, now, before, took.Round(time.Second), exchanges, l.Counts())
}

// newSession starts a session. Exchange exchanges it for an access token.
func (s *shop) newSession(t *testing.T, user, password string) (exchange func() call.Response) {
	t.Helper()
	at := call.URLs{Customers: s.customers.url}
	var session customers.NewSession
	in := customers.Credentials{Username: user, Password: password}
	call.Read(at.Client(t, "").Customers.CreateSession(t.Context(), nil, in)).Want(t, http.StatusCreated, &session)
	browser := at.Client(t, session.Token)
	return func() call.Response { return call.Read(browser.Customers.ExchangeSession(t.Context())) }
}

func accessToken(t *testing.T, exchanged call.Response) string {
	t.Helper()
	return decoded[customers.Token](t, exchanged.Want(t, http.StatusOK)).AccessToken
}

// keyIDOf returns the kid of an access token.
func keyIDOf(t *testing.T, token string) string {
	t.Helper()
	encoded, _, _ := strings.Cut(token, ".")
	text, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		t.Fatal(err)
	}
	var header struct{ Kid string }
	if err := json.Unmarshal(text, &header); err != nil || header.Kid == "" {
		t.Fatalf("the header %s has no kid: %v", text, err)
	}
	return header.Kid
}

// sender sends requests with a token that can be replaced.
type sender struct {
	http.Transport
	sending sync.RWMutex // held by requests, so that none uses a token after its replacement
	token   string
}

// RoundTrip implements http.RoundTripper.
func (s *sender) RoundTrip(r *http.Request) (*http.Response, error) {
	s.sending.RLock()
	defer s.sending.RUnlock()
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+s.token)
	return s.Transport.RoundTrip(r)
}

// use replaces the token. When it returns, no request with the earlier one is in progress.
func (s *sender) use(token string) {
	s.sending.Lock()
	defer s.sending.Unlock()
	s.token = token
}

// sending returns one client for each orders-api and its orchestrator, which send the token of the sender.
func (s *shop) sending(t *testing.T, sender *sender) (over [2]*call.Client) {
	t.Helper()
	t.Cleanup(sender.CloseIdleConnections)
	for i := range over {
		over[i] = call.New(t, s.urls(i), "", func(string) *http.Client { return &http.Client{Transport: sender, Timeout: 15 * time.Second} })
	}
	return over
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// newUser creates a user with userPassword.
func newUser(t *testing.T, admin *call.Client, username string, role customers.Role) (user customers.UserSetup) {
	t.Helper()
	call.Read(admin.Customers.CreateUser(t.Context(), nil, customers.UserInput{Username: username, Name: username, Role: role})).Want(t, http.StatusCreated, &user)
	call.Read(admin.Customers.SetPassword(t.Context(), customers.Setup{Token: *user.SetupToken, Password: userPassword})).Want(t, http.StatusNoContent)
	return user
}

func newIntegrator(t *testing.T, admin *call.Client, role customers.Role) (id int64) {
	t.Helper()
	var i customers.Integrator
	call.Read(admin.Customers.CreateIntegrator(t.Context(), nil, customers.IntegratorInput{Name: rand.Text(), Role: role})).Want(t, http.StatusCreated, &i)
	return i.ID
}

func newKey(t *testing.T, admin *call.Client, integrator int64) (id int64, key string) {
	t.Helper()
	var k customers.NewKey
	call.Read(admin.Customers.CreateKey(t.Context(), integrator, nil, customers.KeyInput{Name: "a key"})).Want(t, http.StatusCreated, &k)
	return k.ID, *k.Key
}

// keysOf returns the first hundred keys of an integrator.
func keysOf(t *testing.T, admin *call.Client, integrator int64) []customers.Key {
	t.Helper()
	var page customers.KeyPage
	call.Read(admin.Customers.ListKeys(t.Context(), integrator, &customers.ListKeysParams{Limit: new(int32(100))})).Want(t, http.StatusOK, &page)
	return page.Data
}
