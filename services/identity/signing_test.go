package identity_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	pedidos "github.com/pedidos-hq/pedidos/gen"
	"github.com/pedidos-hq/pedidos/gen/common"
	api "github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/gen/customers/client"
	"github.com/pedidos-hq/pedidos/services/customers"
	"github.com/pedidos-hq/pedidos/services/identity"
	"github.com/pedidos-hq/pedidos/services/internal/apitest"
	"github.com/pedidos-hq/pedidos/services/platform/auth"
	"github.com/pedidos-hq/pedidos/services/platform/config"
	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
)

const (
	oldSecret = "old-signing-secret-of-32-bytes-or-more"
	newSecret = "new-signing-secret-of-32-bytes-or-more"
	password  = "correct horse battery"
)

// replica is a process of customers-api.
type replica struct {
	*client.ClientWithResponses

	t   *testing.T
	url string
}

// start starts a replica, with JWT_SECRET too if hmac is set.
func start(t *testing.T, clock *apitest.Clock, db *database.DB, secrets string, hmac bool) replica {
	t.Helper()
	p := apitest.NewProcess(t, clock)
	p.Config.SigningSecret, p.Config.AdminPassword, p.Config.JWTTTL = config.Secret(secrets), password, time.Hour
	p.Config.LoginRate, p.Config.LoginBurst = 1, 1e6
	if !hmac {
		p.Config.JWTSecret = ""
	}
	handler, err := customers.New(p, db)
	url := apitest.Serve(t, handler, err)
	c, err := client.NewClientWithResponses(url)
	if err != nil {
		t.Fatal(err)
	}
	return replica{c, t, url}
}

// login returns an access token.
func (r replica) login() string {
	r.t.Helper()
	got, err := r.LoginWithResponse(r.t.Context(), api.Credentials{Username: "admin", Password: password})
	apitest.WantStatus(r.t, got, err, http.StatusOK)
	return got.JSON200.AccessToken
}

// accepts reports whether the replica accepts an access token.
func (r replica) accepts(token string) bool {
	r.t.Helper()
	got, err := r.GetMeWithResponse(r.t.Context(), pedidos.Bearer(token))
	if err != nil {
		r.t.Fatal(err)
	}
	return got.StatusCode() == http.StatusOK
}

// kids returns the key ids in the key set.
func (r replica) kids() (kids []string) {
	r.t.Helper()
	got, err := r.GetKeySetWithResponse(r.t.Context())
	apitest.WantStatus(r.t, got, err, http.StatusOK)
	for _, key := range got.JSON200.Keys {
		kids = append(kids, key.Kid)
	}
	return kids
}

// A new key is in the key set of every replica before it signs, and the old one until its tokens have expired.
func TestRotateSigningKey(t *testing.T) {
	t.Parallel()
	clock := apitest.NewClock()
	db, _ := apitest.NewDB(t)
	replicas := []replica{start(t, clock, db, oldSecret, false), start(t, clock, db, oldSecret, false)}
	tokens := map[string]bool{}
	check := func(when string) {
		t.Helper()
		for _, issuing := range replicas {
			tokens[issuing.login()] = true
		}
		for token := range tokens {
			for i, r := range replicas {
				if !r.accepts(token) {
					t.Errorf("%s: replica %d refuses a token", when, i)
				}
			}
		}
	}
	check("before the rotation")
	if kids := replicas[1].kids(); len(kids) != 1 {
		t.Fatalf("the key set is %q, want one key of both replicas", kids)
	}
	done, err := identity.RotateSigningKey(t.Context(), db, []string{oldSecret}, time.Hour, clock.Now, false)
	if err != nil {
		t.Fatal(err)
	}
	for step := range 13 { // in steps of 5 s to just behind the minute
		check(clock.Now().String())
		if kids := replicas[step%2].kids(); step >= 2 && !slices.Contains(kids, done.KeyID) {
			t.Errorf("%s: the key set is %q, want the new key in it", clock.Now(), kids)
		}
		clock.Advance(5 * time.Second)
	}
	header := replicas[0].login()
	if kids := replicas[0].kids(); len(kids) != 2 {
		t.Errorf("the key set is %q, want both keys", kids)
	}
	clear(tokens)
	tokens[header] = true
	clock.Set(done.Expires)
	clear(tokens)
	check("after the old key has expired")
	if kids := replicas[0].kids(); !slices.Equal(kids, []string{done.KeyID}) {
		t.Errorf("the key set is %q, want the new key alone", kids)
	}
}

func TestRotateSigningKeyAtOnce(t *testing.T) {
	t.Parallel()
	clock := apitest.NewClock()
	db, _ := apitest.NewDB(t)
	r := start(t, clock, db, oldSecret, false)
	before := r.login()
	if _, err := identity.RotateSigningKey(t.Context(), db, []string{oldSecret}, time.Hour, clock.Now, true); err != nil {
		t.Fatal(err)
	}
	clock.Advance(10 * time.Second)
	if r.accepts(before) {
		t.Error("a token of the key before is accepted")
	}
	if !r.accepts(r.login()) {
		t.Error("a new token is refused")
	}
}

// SIGNING_SECRET changes in three steps, without a refused token.
func TestChangeSigningSecret(t *testing.T) {
	t.Parallel()
	clock := apitest.NewClock()
	db, _ := apitest.NewDB(t)
	old := start(t, clock, db, oldSecret, false)
	before := old.login()
	both := start(t, clock, db, oldSecret+","+newSecret, false)
	if !both.accepts(before) || len(both.kids()) != 1 {
		t.Errorf("the second secret changes something: %q", both.kids())
	}
	first := start(t, clock, db, newSecret+","+oldSecret, false)
	if kids := first.kids(); len(kids) != 2 {
		t.Errorf("the key set is %q, want a key of each secret", kids)
	}
	for range 13 {
		token := first.login()
		if !both.accepts(token) || !first.accepts(token) || !first.accepts(before) {
			t.Errorf("%s: a token is refused", clock.Now())
		}
		clock.Advance(5 * time.Second)
	}
	after := start(t, clock, db, newSecret, false)
	if token := first.login(); !after.accepts(token) || !both.accepts(token) || after.accepts(before) {
		t.Error("the new secret alone does not decide")
	}
}

// A deployment with JWT_SECRET alone signs with HS256, and has no keys.
func TestHMAC(t *testing.T) {
	t.Parallel()
	clock := apitest.NewClock()
	db, _ := apitest.NewDB(t)
	r := start(t, clock, db, "", true)
	token := r.login()
	if !r.accepts(token) || r.kids() != nil || !strings.HasPrefix(token, "eyJhbGciOiJIUzI1NiI") {
		t.Errorf("got %s and the key set %q, want HS256 and no key", token, r.kids())
	}
	// On the way to EdDSA, a replica with both secrets signs with HS256 until the others may know the first key.
	both, alsoBoth := start(t, clock, db, newSecret, true), start(t, clock, db, newSecret, true)
	if early := both.login(); !r.accepts(early) || !both.accepts(token) {
		t.Error("the way from HS256 to EdDSA refuses a token")
	}
	clock.Advance(time.Minute)
	if later := both.login(); !strings.HasPrefix(later, "eyJhbGciOiJFZERTQSI") || !alsoBoth.accepts(later) || !both.accepts(token) {
		t.Errorf("got %s, want EdDSA, and both tokens accepted", later)
	}
}

// The first user of ADMIN_USER is created once, and the password is not looked at afterwards.
func TestFirstUsers(t *testing.T) {
	t.Parallel()
	clock := apitest.NewClock()
	db, _ := apitest.NewDB(t)
	p := apitest.NewProcess(t, clock)
	if _, err := customers.New(p, db); err == nil || !strings.Contains(err.Error(), "no active administrator") {
		t.Errorf("without ADMIN_PASSWORD: %v, want an error about the administrator", err)
	}
	p.Config.AdminPassword = "1234567890"
	if _, err := customers.New(p, db); err == nil || !strings.Contains(err.Error(), "is one of the most common passwords") {
		t.Errorf("with a common password: %v, want an error about it", err)
	}
	p.Config.AdminPassword = password
	if _, err := customers.New(p, db); err != nil {
		t.Fatal(err)
	}
	p.Config.AdminPassword = "another password"
	handler, err := customers.New(p, db)
	url := apitest.Serve(t, handler, err)
	c, err := client.NewClientWithResponses(url)
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.LoginWithResponse(t.Context(), api.Credentials{Username: "Admin", Password: password})
	apitest.WantStatus(t, got, err, http.StatusOK)
	got, err = c.LoginWithResponse(t.Context(), api.Credentials{Username: "admin", Password: "another password"})
	apitest.WantProblem(t, got, err, common.CodeInvalidCredentials)
}

// The commands manage users without a service.
func TestUsers(t *testing.T) {
	t.Parallel()
	db, _ := apitest.NewDB(t)
	users := identity.NewUsers(db, apitest.NewClock().Now)
	ctx := auth.WithCaller(context.Background(), auth.Caller{Name: "command"})
	if _, err := users.Add(ctx, "ana", "Ana", auth.Admin); err != nil {
		t.Fatal(err)
	}
	if _, err := users.Add(ctx, "ANA", "Ana", auth.Admin); !fault.Is(err, common.CodeUsernameTaken) {
		t.Errorf("the same name: %v, want username_taken", err)
	}
	if err := users.Disable(ctx, "Ana"); !fault.Is(err, common.CodeLastAdmin) {
		t.Errorf("the last administrator: %v, want last_admin", err)
	}
	if _, err := users.Add(ctx, "bo", "Bo", auth.Admin); err != nil {
		t.Fatal(err)
	}
	if err := users.Disable(ctx, "Ana"); err != nil {
		t.Error(err)
	}
	if _, err := users.Reset(ctx, "eva"); !fault.Is(err, common.CodeUserNotFound) {
		t.Errorf("an unknown user: %v, want user_not_found", err)
	}
	all, err := users.All(ctx)
	if err != nil || len(all) != 2 || all[0].State != api.StateDisabled || all[1].Username != "bo" {
		t.Errorf("All = %+v, %v", all, err)
	}
}
