package process

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/program"
	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/customers"
)

// signing are the secrets of a deployment that signs with EdDSA and has no administrator in its environment.
var signing = []string{"SIGNING_SECRET=planted-signing-secret-of-more-than-32-bytes", "SERVICE_TOKEN=planted-service-token", "PASSWORD_MEMORY_KIB=8"}

// Somebody who is locked out creates and resets users with commands.
func TestUsersCommands(t *testing.T) {
	t.Parallel()
	env := append([]string{"DATA_DIR=" + t.TempDir(), "HOST=127.0.0.1", "PORT=0"}, signing...)
	run := func(code int, want string, args ...string) string {
		t.Helper()
		r := program.Run(t, env, args...)
		if r.Code != code || !strings.Contains(r.Stdout+r.Stderr, want) {
			t.Errorf("%q: exit code %d, want %d and %q:\n%s%s", args, r.Code, code, want, r.Stdout, r.Stderr)
		}
		return r.Stdout
	}
	run(0, "", "migrate", "up")
	run(1, "there is no active administrator", "customers")
	token := func(printed string) string { // of the link to the backoffice and of the command
		found := regexp.MustCompile(`(?s)http://127\.0\.0\.1:3000/setup#(pet_[A-Z2-7]+)\n.*"token":"(pet_[A-Z2-7]+)"`).FindStringSubmatch(printed)
		if found == nil || found[1] != found[2] {
			t.Fatalf("got no link or another token in the command:\n%s", printed)
		}
		return found[1]
	}
	first := token(run(0, "within 24 hours", "users", "add", "ana", "--role", "admin", "--name", "Ana Pérez"))
	run(1, "Another user has this user name.", "users", "add", "Ana")
	run(1, "--role is \"root\"", "users", "add", "bo", "--role", "root")
	run(1, "This is the last active administrator.", "users", "disable", "ana")
	run(1, `There is no user "eva".`, "users", "reset", "eva")
	run(1, "users add needs one user name", "users", "add")
	run(1, "users needs add, list, disable or reset", "users")
	second := token(run(0, "within 24 hours", "users", "reset", "ANA"))
	run(0, "ana       Ana Pérez  admin  active  never", "users", "list")

	s, url := program.Serve(t, "customers", env...)
	nobody := call.URLs{Customers: url}.Client(t, "")
	setUp := func(token string) call.Response {
		return call.Read(nobody.Customers.SetPassword(t.Context(), customers.Setup{Token: token, Password: plantedPassword}))
	}
	setUp(first).WantInvalid(t, "token") // replaced by the reset
	setUp(second).Want(t, http.StatusNoContent)
	admin := call.URLs{Customers: url}.Client(t, nobody.LogIn(t, "Ana", plantedPassword))
	var entries customers.AuditPage
	call.Read(admin.Customers.ListAudit(t.Context(), &customers.ListAuditParams{Actor: new("command")})).Want(t, http.StatusOK, &entries)
	if len(entries.Data) != 2 || entries.Data[0].Action != "user.reset" || entries.Data[1].Action != "user.created" {
		t.Errorf("the commands left %+v, want the creation and the reset", entries.Data)
	}
	nobody.HangUp()
	admin.HangUp()
	s.Interrupt(t)

	run(0, "", "users", "add", "bo", "--role", "admin")
	run(0, "ana is disabled.", "users", "disable", "ana")
	run(0, "ana       Ana Pérez  admin  disabled", "users", "list")
	run(0, "signs from", "keys", "rotate")
	if listed := run(0, "KEY", "keys", "list"); strings.Count(listed, "\n") != 3 {
		t.Errorf("got the keys\n%s, want two", listed)
	}
	env = []string{env[0], "SERVICE_TOKEN=planted-service-token"}
	run(1, "SIGNING_SECRET is not set", "keys", "rotate")
	run(1, "keys needs rotate or list", "keys")
}

// A hundred logins at once use less than 256 MiB, with the default memory of argon2id and the GOMEMLIMIT of Compose. Logins that would wait too long are refused with
// Retry-After.
func TestLoginMemory(t *testing.T) {
	t.Parallel()
	s, url := program.Serve(t, "customers", "DATA_DIR="+t.TempDir(), signing[0], signing[1], "ADMIN_PASSWORD="+plantedPassword, "LOGIN_RATE=1000", "LOGIN_BURST=1000", "GOMEMLIMIT=200MiB")
	c := call.URLs{Customers: url}.Client(t, "")
	c.LogIn(t, "admin", plantedPassword) // so that the address is known
	before := s.PeakMemory(t)
	results := make(chan call.Response)
	const logins = 150
	for range logins {
		go func() {
			results <- call.Read(c.Customers.Login(t.Context(), customers.Credentials{Username: "admin", Password: plantedPassword}))
		}()
	}
	in := 0
	for range logins {
		a := <-results
		if a.Status == http.StatusOK {
			in++
			continue
		}
		if a.WantProblem(t, http.StatusServiceUnavailable, common.CodeUnavailable); a.Header.Get("Retry-After") == "" {
			t.Errorf("got %s without Retry-After", a)
		}
	}
	peak := s.PeakMemory(t)
	t.Logf("%d of %d logins at once got in; peak memory %d MiB, %d MiB before", in, logins, peak>>20, before>>20)
	if in == 0 || peak > 256<<20 {
		t.Errorf("%d logins, peak memory %d MiB, want some and at most 256 MiB", in, peak>>20)
	}
	c.HangUp()
	s.Interrupt(t)
}
