package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/engine"
	"github.com/pedidos-hq/pedidos/e2e/world"
	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/gen/identitydb"
	"github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/services/platform/auth"
	"github.com/pedidos-hq/pedidos/services/platform/database"
)

func TestUsers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	admin := w.Login("admin")
	var created customers.UserSetup
	in := customers.UserInput{Username: "Ana", Name: "Ana Pérez", Role: customers.RoleOperator}
	r := call.Read(admin.Customers.CreateUser(t.Context(), nil, in)).Want(t, http.StatusCreated, &created)
	if created.PasswordSet || created.State != customers.StateActive || created.LastLoginAt != nil || r.Header.Get("Location") != "/users/3" {
		t.Errorf("got %s %v, want the new user 3 without a password", r, r.Header)
	}
	if want := w.Clock.Now().Add(24 * time.Hour); created.SetupExpiresAt.Sub(want).Abs() > time.Second {
		t.Errorf("the setup token expires at %s, want %s", created.SetupExpiresAt, want)
	}
	in.Username = "ANA"
	call.Read(admin.Customers.CreateUser(t.Context(), nil, in)).WantProblem(t, http.StatusConflict, common.CodeUsernameTaken, "username")

	nobody := w.With("")
	login := func(password string) call.Response {
		return call.Read(nobody.Customers.Login(t.Context(), customers.Credentials{Username: "ana", Password: password}))
	}
	setUp := func(token, password string) call.Response {
		return call.Read(nobody.Customers.SetPassword(t.Context(), customers.Setup{Token: token, Password: password}))
	}
	login(userPassword).WantProblem(t, http.StatusUnauthorized, common.CodeInvalidCredentials)
	setUp(*created.SetupToken, "1234567890").WantInvalid(t, "password") // a common one
	setUp(*created.SetupToken, "ANA PÉREZ").WantInvalid(t, "password")
	mistyped := strings.Replace(*created.SetupToken, "pet_", "pes_", 1)
	setUp(mistyped, userPassword).WantInvalid(t, "token")
	setUp(*created.SetupToken, userPassword).Want(t, http.StatusNoContent)
	setUp(*created.SetupToken, userPassword).WantInvalid(t, "token") // it works once
	login(userPassword).Want(t, http.StatusOK)

	var reset customers.UserSetup
	call.Read(admin.Customers.ResetUser(t.Context(), created.ID, nil)).Want(t, http.StatusOK, &reset)
	login(userPassword).Want(t, http.StatusOK) // until another is set
	w.Clock.Advance(24 * time.Hour)
	setUp(*reset.SetupToken, "another password").WantInvalid(t, "token")
	admin = w.Login("admin")
	first := *reset.SetupToken
	call.Read(admin.Customers.ResetUser(t.Context(), created.ID, nil)).Want(t, http.StatusOK, &reset)
	setUp(first, "another password").WantInvalid(t, "token") // replaced
	setUp(*reset.SetupToken, "another password").Want(t, http.StatusNoContent)
	login(userPassword).WantProblem(t, http.StatusUnauthorized, common.CodeInvalidCredentials)
	login("another password").Want(t, http.StatusOK)

	var got customers.User
	call.Read(admin.Customers.GetUser(t.Context(), created.ID)).Want(t, http.StatusOK, &got)
	if got.LastLoginAt == nil || !got.PasswordSet || got.Username != "Ana" {
		t.Errorf("got %+v, want a login", got)
	}
	var page customers.UserPage
	call.Read(admin.Customers.ListUsers(t.Context(), &customers.ListUsersParams{Limit: new(int32(2))})).Want(t, http.StatusOK, &page)
	if len(page.Data) != 2 || page.NextCursor == nil || page.Data[0].Username != "admin" {
		t.Errorf("got %+v, want the first two users and a cursor", page)
	}
	call.Read(admin.Customers.ListUsers(t.Context(), &customers.ListUsersParams{Cursor: page.NextCursor})).Want(t, http.StatusOK, &page)
	if len(page.Data) != 1 || page.NextCursor != nil || page.Data[0].ID != got.ID {
		t.Errorf("got %+v, want Ana alone", page)
	}
}

// A change takes effect on sessions at once, and never takes the last administrator away.
func TestUserChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	admin := w.Login("admin")
	newUser(t, w, admin, "ana", customers.RoleOperator)
	update := func(id int64, ifMatch string, change customers.UserChange) call.Response {
		return call.Read(admin.Customers.UpdateUser(t.Context(), id, &customers.UpdateUserParams{IfMatch: &ifMatch}, change))
	}
	exchange := func(session string) int {
		return call.Read(w.With(session).Customers.ExchangeSession(t.Context())).Status
	}
	for _, test := range []struct {
		name   string
		change customers.UserChange
		ends   bool
	}{
		{"a name", customers.UserChange{Name: new("Ana")}, false},
		{"the same role", customers.UserChange{Role: new(customers.RoleOperator)}, false},
		{"another role", customers.UserChange{Role: new(customers.RoleManager)}, true},
		{"disabled", customers.UserChange{State: new(customers.StateDisabled)}, true},
	} {
		session := startSession(t, w, "ana", userPassword)
		if status := exchange(session.Token); status != http.StatusOK {
			t.Fatalf("%s: before the change: got %d", test.name, status)
		}
		update(3, "*", test.change).Want(t, http.StatusOK)
		want := http.StatusOK
		if test.ends {
			want = http.StatusUnauthorized
		}
		if status := exchange(session.Token); status != want {
			t.Errorf("%s: the session gets %d, want %d", test.name, status, want)
		}
	}
	login := func() call.Response {
		return call.Read(w.With("").Customers.Login(t.Context(), customers.Credentials{Username: "ana", Password: userPassword}))
	}
	login().WantProblem(t, http.StatusUnauthorized, common.CodeInvalidCredentials)
	update(3, `"1"`, customers.UserChange{State: new(customers.StateActive)}).WantProblem(t, http.StatusPreconditionFailed, common.CodePreconditionFailed)
	update(3, "*", customers.UserChange{State: new(customers.StateActive)}).Want(t, http.StatusOK)
	login().Want(t, http.StatusOK)

	for _, change := range []customers.UserChange{{State: new(customers.StateDisabled)}, {Role: new(customers.RoleViewer)}} {
		update(1, "*", change).WantProblem(t, http.StatusConflict, common.CodeLastAdmin)
	}
	update(3, "*", customers.UserChange{Role: new(customers.RoleAdmin)}).Want(t, http.StatusOK)
	update(1, "*", customers.UserChange{Role: new(customers.RoleViewer)}).Want(t, http.StatusOK)
	update(3, "*", customers.UserChange{State: new(customers.StateDisabled)}).WantProblem(t, http.StatusConflict, common.CodeLastAdmin)
}

// Two administrators who disable or demote each other at the same time do not both succeed.
func TestLastAdminRace(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]customers.UserChange{
		"disabled": {State: new(customers.StateDisabled)},
		"demoted":  {Role: new(customers.RoleManager)},
		"both":     {Role: new(customers.RoleViewer), State: new(customers.StateDisabled)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, world.Options{})
			admin := w.Login("admin")
			createUser(t, admin, "admin-2", customers.RoleAdmin)
			for range 5 {
				results := make(chan int, 2)
				for _, id := range []int64{1, 3} {
					go func() { results <- call.Read(admin.Customers.UpdateUser(t.Context(), id, nil, end)).Status }()
				}
				got := []int{<-results, <-results}
				slices.Sort(got)
				if !slices.Equal(got, []int{http.StatusOK, http.StatusConflict}) {
					t.Fatalf("got %v, want one success and one refusal", got)
				}
				for _, id := range []int64{1, 3} {
					changeUser(t, admin, id, customers.UserChange{Role: new(customers.RoleAdmin), State: new(customers.StateActive)})
				}
			}
		})
	}
}

// A change that ends no administrator does not wait for those that may.
func TestChangesBesideLockedAdministrators(t *testing.T) {
	t.Parallel()
	if !engine.IsServer() {
		t.Skip("the embedded engine has one writer: changes wait for it, not for rows")
	}
	w := newWorld(t, world.Options{})
	admin := w.Login("admin")
	ctx := context.WithoutCancel(t.Context())
	locked, release, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- w.DB.Tx(ctx, func(conn database.Conn) error {
			_, err := identitydb.New(conn).LockActiveAdmins(ctx)
			close(locked)
			<-release
			return err
		})
	}()
	<-locked
	renamed := call.Read(admin.Customers.UpdateUser(ctx, 2, nil, customers.UserChange{Name: new("Eva")}))
	promoted := call.Read(admin.Customers.UpdateUser(ctx, 2, nil, customers.UserChange{Role: new(customers.RoleAdmin), State: new(customers.StateActive)}))
	close(release)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	renamed.Want(t, http.StatusOK)
	promoted.Want(t, http.StatusOK)
}

func TestSessions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	admin := w.Login("admin")
	newUser(t, w, admin, "ana", customers.RoleOperator)
	start := func() customers.NewSession { t.Helper(); return startSession(t, w, "ana", userPassword) }
	first, second := start(), start()
	if first.IdleSeconds != 8*3600 || first.ExpiresAt.Sub(first.CreatedAt.Time) != 7*24*time.Hour {
		t.Errorf("got %+v, want 8 hours and 7 days", first)
	}
	var token customers.Token
	r := call.Read(w.With(first.Token).Customers.ExchangeSession(t.Context())).Want(t, http.StatusOK, &token)
	if token.ExpiresIn != 300 || r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("got %s %v, want a token of 5 minutes", r, r.Header)
	}
	ana := w.With(token.AccessToken)
	call.Read(ana.Orders.ListOrders(t.Context(), nil)).Want(t, http.StatusOK)
	call.Read(w.With(first.Token).Orders.ListOrders(t.Context(), nil)).WantProblem(t, http.StatusUnauthorized, common.CodeUnauthorized)
	var me customers.Me
	call.Read(ana.Customers.GetMe(t.Context())).Want(t, http.StatusOK, &me)
	if me.Caller != "user:ana" || me.Name != "Name of ana" || me.Role != customers.RoleOperator {
		t.Errorf("got %+v", me)
	}
	list := func(c *call.Client) (ids []int64, current []bool) {
		var page customers.SessionPage
		call.Read(c.Customers.ListSessions(t.Context(), nil)).Want(t, http.StatusOK, &page)
		for _, s := range page.Data {
			ids, current = append(ids, s.ID), append(current, s.Current)
		}
		return ids, current
	}
	if ids, current := list(ana); !slices.Equal(ids, []int64{first.ID, second.ID}) || !slices.Equal(current, []bool{true, false}) {
		t.Errorf("got the sessions %v, current: %v", ids, current)
	}
	adminSession := startSession(t, w, "admin", world.AdminPassword)
	call.Read(ana.Customers.EndSession(t.Context(), adminSession.ID)).WantProblem(t, http.StatusNotFound, common.CodeSessionNotFound)
	call.Read(ana.Customers.EndSession(t.Context(), second.ID)).Want(t, http.StatusNoContent)
	call.Read(w.With(second.Token).Customers.ExchangeSession(t.Context())).WantProblem(t, http.StatusUnauthorized, common.CodeUnauthorized)

	change := func(c *call.Client, current, next string) call.Response {
		return call.Read(c.Customers.ChangePassword(t.Context(), customers.PasswordChange{Current: current, New: next}))
	}
	third := start()
	change(ana, "wrong", "another password").WantInvalid(t, "current")
	change(ana, userPassword, "1234567890").WantInvalid(t, "new")
	change(ana, userPassword, "another password").Want(t, http.StatusNoContent)
	call.Read(w.With(first.Token).Customers.ExchangeSession(t.Context())).Want(t, http.StatusOK) // the one that changed it
	call.Read(w.With(third.Token).Customers.ExchangeSession(t.Context())).WantProblem(t, http.StatusUnauthorized, common.CodeUnauthorized)

	odd := w.With("").Send(t, "customers", http.MethodPost, "/auth/sessions",
		`{"username":"ana","password":"another password"}`, "User-Agent", "Mozilla \xff")
	if odd.Want(t, http.StatusCreated); !strings.Contains(string(call.Read(ana.Customers.ListSessions(t.Context(), nil)).Body), "Mozilla \uFFFD") {
		t.Error("no session has the name of the browser, repaired")
	}

	// Programs have neither passwords nor sessions.
	program := w.With(createKey(t, admin, createIntegrator(t, admin, "ERP", customers.RoleAdmin).ID))
	change(program, "x", "another password").WantProblem(t, http.StatusForbidden, common.CodeForbidden)
	call.Read(program.Customers.ListSessions(t.Context(), nil)).WantProblem(t, http.StatusForbidden, common.CodeForbidden)
	call.Read(program.Customers.EndSession(t.Context(), 1)).WantProblem(t, http.StatusForbidden, common.CodeForbidden)
}

// A login that has read the old password starts no session once another request has changed it.
func TestSessionDuringPasswordChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{Waiting: 100})
	newUser(t, w, w.Login("admin"), "ana", customers.RoleOperator)
	const id = 3 // after the two users of every world
	ctx := context.WithoutCancel(t.Context())
	locked, change, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- w.DB.Tx(ctx, func(conn database.Conn) error {
			q := identitydb.New(conn)
			row, err := q.LockUser(ctx, id)
			close(locked)
			<-change
			if err != nil {
				return err
			}
			return q.SetPassword(ctx, identitydb.SetPasswordParams{PasswordHash: row.PasswordHash, UpdatedAt: row.UpdatedAt, ID: id})
		})
	}()
	<-locked
	writers := func() float64 { return w.Metric(`pedidos_database_callers{pool="write"}`) }
	before := writers()
	started := make(chan call.Response, 1)
	go func() {
		started <- call.Read(w.With("").Customers.CreateSession(ctx, nil, customers.Credentials{Username: "ana", Password: userPassword}))
	}()
	call.Eventually(t, "the login waits to be recorded", func() bool { return writers() == before+1 })
	close(change)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	(<-started).WantProblem(t, http.StatusUnauthorized, common.CodeInvalidCredentials)
}

func TestSessionLimits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	exchange := func(s customers.NewSession) int {
		return call.Read(w.With(s.Token).Customers.ExchangeSession(t.Context())).Status
	}
	idle, used := startSession(t, w, "admin", world.AdminPassword), startSession(t, w, "admin", world.AdminPassword)
	var ages []time.Duration
	for age := time.Duration(0); age <= 7*24*time.Hour; age += 4 * time.Hour {
		ages = append(ages, age)
		w.Clock.Advance(4 * time.Hour)
		want := http.StatusOK
		if age+4*time.Hour >= 7*24*time.Hour {
			want = http.StatusUnauthorized
		}
		if status := exchange(used); status != want {
			t.Fatalf("a used session of %s gets %d, want %d", age+4*time.Hour, status, want)
		}
		if age == 8*time.Hour { // 12 hours without a use
			if status := exchange(idle); status != http.StatusUnauthorized {
				t.Errorf("an idle session gets %d, want 401", status)
			}
		}
	}
	if len(ages) < 40 {
		t.Fatal("the sessions were not followed for a week")
	}
}

// The keys of an integrator are one caller: whoever of them repeats a request gets the stored answer, and history names the
// integrator as it was called then.
func TestKeysOfOneIntegrator(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	admin := w.Login("admin")
	buyer, p := admin.CreateCustomer(t, "a@example.com"), admin.CreateProduct(t, "A", 1, 100)
	erp := createIntegrator(t, admin, "ERP", customers.RoleOperator)
	first, second := createKey(t, admin, erp.ID), createKey(t, admin, erp.ID)
	place := func(key string) call.Response {
		in := orders.OrderInput{CustomerID: buyer.ID, Items: []orders.OrderLineInput{{ProductID: p.ID, Qty: 1}}}
		return call.Read(w.With(key).Orders.CreateOrder(t.Context(), &orders.CreateOrderParams{IdempotencyKey: new("k")}, in))
	}
	placed := place(first).Want(t, http.StatusCreated)
	call.Read(admin.Customers.RevokeKey(t.Context(), erp.ID, 1, nil)).Want(t, http.StatusNoContent)
	again := place(second).Want(t, http.StatusCreated)
	if !again.Replayed() || !bytes.Equal(again.Body, placed.Body) {
		t.Errorf("the second key got %s %v, want a replay of %s", again, again.Header, placed)
	}
	w.Clock.Advance(5 * time.Second)
	place(first).WantProblem(t, http.StatusUnauthorized, common.CodeUnauthorized)
	call.Read(admin.Customers.UpdateIntegrator(t.Context(), erp.ID, nil, customers.IntegratorChange{Name: new("New ERP")})).Want(t, http.StatusOK)
	w.Clock.Advance(5 * time.Second)
	w.With(second).ConfirmOrder(t, 1, "c")
	var history orders.OrderEventPage
	call.Read(admin.Orders.ListOrderHistory(t.Context(), 1, nil)).Want(t, http.StatusOK, &history)
	for i, name := range []string{"ERP", "New ERP"} {
		e := history.Data[i]
		if *e.Caller != "integrator:1" || *e.CallerID != erp.ID || *e.CallerName != name {
			t.Errorf("change %d: got %v %v %v, want integrator:1, %d and %s", i, *e.Caller, *e.CallerID, *e.CallerName, erp.ID, name)
		}
	}
	ana := newUser(t, w, admin, "ana", customers.RoleManager)
	ana.ChangeProduct(t, p.ID, orders.ProductChange{Stock: new(int64(5))})
	var moved orders.StockMovementPage
	call.Read(admin.Orders.ListStockMovements(t.Context(), p.ID, nil)).Want(t, http.StatusOK, &moved)
	if m := moved.Data[0]; *m.Caller != "user:ana" || *m.CallerID != 3 || *m.CallerName != "Name of ana" {
		t.Errorf("got the movement of %v %v %v", *m.Caller, *m.CallerID, *m.CallerName)
	}
}

func TestIntegrators(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	admin := w.Login("admin")
	erp, other := createIntegrator(t, admin, "ERP", customers.RoleViewer), createIntegrator(t, admin, "Shop", customers.RoleViewer)
	program := w.With(createKey(t, admin, erp.ID))
	var me customers.Me
	call.Read(program.Customers.GetMe(t.Context())).Want(t, http.StatusOK, &me)
	if me != (customers.Me{Caller: "integrator:1", Kind: customers.KindIntegrator, ID: erp.ID, Name: "ERP", Role: customers.RoleViewer}) {
		t.Errorf("got %+v", me)
	}
	update := func(id int64, ifMatch string, change customers.IntegratorChange) call.Response {
		return call.Read(admin.Customers.UpdateIntegrator(t.Context(), id, &customers.UpdateIntegratorParams{IfMatch: &ifMatch}, change))
	}
	update(other.ID, "*", customers.IntegratorChange{Name: new("erp")}).WantProblem(t, http.StatusConflict, common.CodeIntegratorNameTaken, "name")
	update(erp.ID, `"9"`, customers.IntegratorChange{Name: new("x")}).WantProblem(t, http.StatusPreconditionFailed, common.CodePreconditionFailed)
	update(erp.ID, `"1"`, customers.IntegratorChange{State: new(customers.StateDisabled)}).Want(t, http.StatusOK)
	call.Read(program.Customers.GetMe(t.Context())).WantProblem(t, http.StatusUnauthorized, common.CodeUnauthorized)
	call.Read(program.Orders.ListOrders(t.Context(), nil)).WantProblem(t, http.StatusUnauthorized, common.CodeUnauthorized)
	update(erp.ID, "*", customers.IntegratorChange{State: new(customers.StateActive)}).Want(t, http.StatusOK)
	call.Read(program.Customers.GetMe(t.Context())).Want(t, http.StatusOK)

	create := func(expires time.Time) call.Response {
		return call.Read(admin.Customers.CreateKey(t.Context(), erp.ID, nil, customers.KeyInput{Name: "short", ExpiresAt: &expires}))
	}
	create(w.Clock.Now()).WantInvalid(t, "expires_at")
	create(time.Date(9999, 6, 1, 0, 0, 0, 0, time.UTC)).WantInvalid(t, "expires_at")
	var short customers.NewKey
	create(w.Clock.Now().Add(time.Hour)).Want(t, http.StatusCreated, &short)
	call.Read(w.With(*short.Key).Customers.GetMe(t.Context())).Want(t, http.StatusOK)
	w.Clock.Advance(time.Hour)
	call.Read(w.With(*short.Key).Customers.GetMe(t.Context())).WantProblem(t, http.StatusUnauthorized, common.CodeUnauthorized)

	admin = w.Login("admin")
	call.Read(admin.Customers.RevokeKey(t.Context(), other.ID, short.ID, nil)).WantProblem(t, http.StatusNotFound, common.CodeKeyNotFound)
	for range 2 {
		call.Read(admin.Customers.RevokeKey(t.Context(), erp.ID, short.ID, nil)).Want(t, http.StatusNoContent)
	}
	var page customers.KeyPage
	call.Read(admin.Customers.ListKeys(t.Context(), erp.ID, nil)).Want(t, http.StatusOK, &page)
	if k := page.Data; len(k) != 2 || k[0].LastUsedAt == nil || k[0].RevokedAt != nil || k[1].RevokedAt == nil || k[1].Prefix != fmt.Sprintf("ped_%d_", short.ID) || k[1].CreatedBy != "user:admin" {
		t.Errorf("got %+v", page)
	}
	var one customers.Integrator
	call.Read(admin.Customers.GetIntegrator(t.Context(), erp.ID)).Want(t, http.StatusOK, &one)
	if one.Name != "ERP" || one.State != customers.StateActive {
		t.Errorf("got %+v", one)
	}
}

func TestInternalKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	admin, service := w.Login("admin"), w.With(world.ServiceToken)
	key := createKey(t, admin, createIntegrator(t, admin, "ERP", customers.RoleManager).ID)
	id, hash, _ := auth.ParseKey(key)
	var got customers.KeyRecord
	call.Read(service.Customers.GetKeyInternal(t.Context(), id)).Want(t, http.StatusOK, &got)
	if want := fmt.Sprintf("%x", hash); got.Hash != want || got.IntegratorName != "ERP" || got.Role != customers.RoleManager || got.LastUsedAt != nil {
		t.Errorf("got %+v, want the hash %s", got, want)
	}
	call.Read(service.Customers.RecordKeyUse(t.Context(), id)).Want(t, http.StatusNoContent)
	call.Read(service.Customers.GetKeyInternal(t.Context(), id)).Want(t, http.StatusOK, &got)
	if got.LastUsedAt == nil || !got.LastUsedAt.Equal(w.Clock.Now().Truncate(time.Minute)) {
		t.Errorf("got the last use %v, want this minute", got.LastUsedAt)
	}
	call.Read(service.Customers.GetKeyInternal(t.Context(), id+1)).WantProblem(t, http.StatusNotFound, common.CodeKeyNotFound)
	call.Read(service.Customers.RecordKeyUse(t.Context(), id+1)).WantProblem(t, http.StatusNotFound, common.CodeKeyNotFound)
}

// Every operation that checks a password or a setup token has the limit of the login.
func TestLimitOfAttempts(t *testing.T) {
	t.Parallel()
	for path, body := range map[string]string{
		"/auth/login": rightLogin, "/auth/sessions": rightLogin, "/auth/setup": `{"token":"x","password":"correct horse"}`,
		"/auth/password": `{"current":"wrong","new":"correct horse"}`,
	} {
		w := newWorld(t, world.Options{LoginBurst: 2})
		admin := w.Login("admin") // the first attempt
		for _, limited := range []bool{false, true} {
			a := admin.Send(t, "customers", http.MethodPost, path, body)
			if limited {
				a.WantProblem(t, http.StatusTooManyRequests, common.CodeTooManyRequests)
			} else if a.Status == http.StatusTooManyRequests {
				t.Errorf("POST %s: got %s at the second attempt", path, a)
			}
		}
	}
}

// After failures, an account waits longer and longer, and so do those who use its password. The answer does not tell whether the account
// exists.
func TestGuessing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	try := func(user, password string) call.Response {
		return call.Read(w.With("").Customers.Login(t.Context(), customers.Credentials{Username: user, Password: password}))
	}
	for _, user := range []string{"viewer", "nobody"} {
		for range 5 {
			try(user, "wrong").WantProblem(t, http.StatusUnauthorized, common.CodeInvalidCredentials)
		}
		a := try(user, world.ViewerPassword)
		if a.WantProblem(t, http.StatusTooManyRequests, common.CodeTooManyRequests); a.Header.Get("Retry-After") != "1" {
			t.Errorf("%s: got %s %v, want a wait of a second", user, a, a.Header)
		}
	}
	w.Clock.Advance(time.Second)
	try("viewer", world.ViewerPassword).Want(t, http.StatusOK)
	for range 6 {
		try("viewer", world.ViewerPassword).Want(t, http.StatusOK)
	}
	if n := w.Metric("pedidos_logins_failed_total"); n != 10 {
		t.Errorf("pedidos_logins_failed_total is %v, want 10", n)
	}
	if n := w.Metric(`pedidos_logins_refused_total{by="account"}`); n != 2 {
		t.Errorf("pedidos_logins_refused_total is %v, want 2", n)
	}
}

// A repeat under the same idempotency key gets the answer without its secret, which is stored nowhere.
func TestSecretsAreReturnedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	admin := w.Login("admin")
	createIntegrator(t, admin, "ERP", customers.RoleViewer)
	for _, test := range []struct{ path, body, other, member string }{
		{"/users", `{"username":"ana","name":"Ana","role":"viewer"}`, `{"username":"bo","name":"Ana","role":"viewer"}`, "setup_token"},
		{"/users/2/reset", "", "", "setup_token"},
		{"/integrators/1/keys", `{"name":"a"}`, `{"name":"b"}`, "key"},
	} {
		send := func(body string) (call.Response, map[string]any) {
			t.Helper()
			a := admin.Send(t, "customers", http.MethodPost, test.path, body, keyHeader, "k"+test.path)
			var members map[string]any
			if err := json.Unmarshal(a.Body, &members); err != nil {
				t.Fatal(err)
			}
			return a, members
		}
		first, members := send(test.body)
		secret, _ := members[test.member].(string)
		if len(secret) < 60 || first.Replayed() {
			t.Errorf("%s: got %s, want a first answer with a secret", test.path, first)
		}
		for range 2 {
			again, repeated := send(test.body)
			if !again.Replayed() || again.Status != first.Status || repeated[test.member] != nil || repeated["id"] != members["id"] || again.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: the repeat got %s %v, want %s without its secret", test.path, again, again.Header, first)
			}
		}
		if test.other != "" {
			other, _ := send(test.other)
			other.WantProblem(t, http.StatusUnprocessableEntity, common.CodeIdempotencyKeyReused, keyHeader)
		}
	}
	reused := admin.Send(t, "customers", http.MethodPost, "/users/1/reset", "", keyHeader, "k/users/2/reset")
	reused.WantProblem(t, http.StatusUnprocessableEntity, common.CodeIdempotencyKeyReused, keyHeader)
}

// The database holds hashes in place of secrets. Every other test checks the same at its end, for the secrets that it made.
func TestStoredSecrets(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	admin := w.Login("admin")
	people := newPeople(t, w, admin)
	newUser(t, w, admin, "ana", customers.RoleViewer)
	dump, err := world.Dump(t.Context(), w.DB)
	if err != nil {
		t.Fatal(err)
	}
	for _, stored := range []string{"user:admin", "newcomer", "$argon2id$v=19$m=8,t=1,p=1$"} {
		if !strings.Contains(dump, stored) {
			t.Errorf("the dump does not contain %s", stored)
		}
	}
	for name, secret := range map[string]string{
		"session": people.session, "API key": people.key, "setup token": people.setup, "password": userPassword, "access token": admin.Token,
		"password of the administrator": world.AdminPassword, "signing secret": world.SigningSecret, "JWT secret": world.JWTSecret,
	} {
		if strings.Contains(dump, secret) {
			t.Errorf("the database contains the %s %s", name, secret)
		}
	}
}

func TestAudit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	admin := w.Login("admin")
	w.Clock.Advance(time.Minute)
	before := w.Clock.Now()
	newUser(t, w, admin, "ana", customers.RoleViewer)
	call.Read(admin.Customers.UpdateUser(t.Context(), 3, nil, customers.UserChange{Role: new(customers.RoleOperator)})).Want(t, http.StatusOK)
	session := startSession(t, w, "ana", userPassword)
	call.Read(w.With(session.Token).Customers.EndSession(t.Context(), session.ID)).Want(t, http.StatusNoContent)
	createKey(t, admin, createIntegrator(t, admin, "ERP", customers.RoleViewer).ID)
	call.Read(admin.Customers.RevokeKey(t.Context(), 1, 1, nil)).Want(t, http.StatusNoContent)

	list := func(p customers.ListAuditParams) (all []string) {
		t.Helper()
		for {
			var page customers.AuditPage
			call.Read(admin.Customers.ListAudit(t.Context(), &p)).Want(t, http.StatusOK, &page)
			for _, e := range page.Data {
				all = append(all, e.Actor+" "+e.Action+" "+e.Target)
			}
			if page.NextCursor == nil {
				slices.Reverse(all)
				return all
			}
			p.Cursor = page.NextCursor
		}
	}
	want := []string{
		"user:admin user.created user:ana", "user:ana user.password_set user:ana", "user:admin user.changed user:ana",
		"user:ana session.started session:1", "user:ana session.ended session:1",
		"user:admin integrator.created integrator:1", "user:admin key.created key:1", "user:admin key.revoked key:1",
	}
	from := before.Format(time.RFC3339)
	for _, test := range []struct {
		name string
		p    customers.ListAuditParams
		want []string
	}{
		{"since then", customers.ListAuditParams{From: &from}, want},
		{"in pages of 2", customers.ListAuditParams{From: &from, Limit: new(int32(2))}, want},
		{"of ana", customers.ListAuditParams{Actor: new("user:ana")}, []string{want[1], want[3], want[4]}},
		{"one action", customers.ListAuditParams{Action: new("key.created")}, []string{want[6]}},
		{"one action of ana", customers.ListAuditParams{Actor: new("user:ana"), Action: new("session.ended")}, []string{want[4]}},
		{"the start", customers.ListAuditParams{Actor: new("start"), Action: new("user.created")}, []string{"start user.created user:admin", "start user.created user:viewer"}},
		{"the days after", customers.ListAuditParams{From: new("2026-01-16")}, nil},
		{"the days before", customers.ListAuditParams{To: new("2026-01-14")}, nil},
	} {
		if got := list(test.p); !slices.Equal(got, test.want) {
			t.Errorf("%s: got\n%q, want\n%q", test.name, got, test.want)
		}
	}
	var page customers.AuditPage
	call.Read(admin.Customers.ListAudit(t.Context(), &customers.ListAuditParams{Action: new("user.changed")})).Want(t, http.StatusOK, &page)
	e := page.Data[0]
	if len(e.Changes) != 1 || e.Changes[0].Field != "role" || *e.Changes[0].From != "viewer" || *e.Changes[0].To != "operator" ||
		e.ActorName == nil || *e.ActorName != "admin" || e.Address == nil || *e.Address != "127.0.0.1" {
		t.Errorf("got %+v, want the change of the role", e)
	}
}

// While customers-api is down, orders-api serves the tokens and API keys that it knows.
func TestCallersWhileCustomersIsDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	admin := w.Login("admin")
	erp := createIntegrator(t, admin, "ERP", customers.RoleViewer)
	known, unknown := w.With(createKey(t, admin, erp.ID)), w.With(createKey(t, admin, erp.ID))
	list := func(c *call.Client) call.Response { return call.Read(c.Orders.ListOrders(t.Context(), nil)) }
	list(known).Want(t, http.StatusOK)
	list(admin).Want(t, http.StatusOK)
	w.Pause("customers")
	w.Clock.Advance(4 * time.Minute)
	list(known).Want(t, http.StatusOK)
	list(admin).Want(t, http.StatusOK)
	for _, c := range []*call.Client{unknown, known} {
		if c == known {
			w.Clock.Advance(2 * time.Minute)
		}
		a := list(c)
		if a.WantProblem(t, http.StatusServiceUnavailable, common.CodeCustomersUnavailable); a.Header.Get("Retry-After") == "" {
			t.Errorf("got %s without Retry-After", a)
		}
	}
	list(admin).Want(t, http.StatusOK)
}
