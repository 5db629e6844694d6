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

// TestSecretsAreMasked checks that the logged configuration masks its secrets. Every process of these tests logs at DEBUG,
// and its output is searched for secrets and tokens when it ends; this test makes the calls most likely to leak them.
func TestSecretsAreMasked(t *testing.T) {
	t.Parallel()
	const wrong = "wrong-password-of-a-user"
	service, customersURL := program.Serve(t, "customers", append(planted, "DATA_DIR="+t.TempDir())...)
	service.Hide(wrong)
	configuration := service.AwaitMatch(t, service.Stderr, regexp.MustCompile(`"msg":"configuration".*`))[0]
	for _, name := range []string{"JWT_SECRET", "SERVICE_TOKEN", "ADMIN_PASSWORD", "VIEWER_PASSWORD"} {
		if !strings.Contains(configuration, `"`+name+`":"(set)"`) {
			t.Errorf("%s is not masked in %s", name, configuration)
		}
	}

	u := call.URLs{Customers: customersURL}
	u.Login(t, plantedPassword)
	login := call.Read(u.Client(t, "").Customers.Login(t.Context(), customers.Credentials{Username: "admin", Password: wrong}))
	login.WantProblem(t, http.StatusUnauthorized, common.CodeInvalidCredentials)
	for token, want := range map[string]int{
		"planted-service-token-2":  http.StatusNotFound,
		"planted-service-token-":   http.StatusUnauthorized,
		"eyJhbGciOiJIUzI1NiJ9.e.s": http.StatusUnauthorized,
	} {
		service.Hide(token)
		call.Read(u.Client(t, token).Customers.GetCustomerInternal(t.Context(), 1)).Want(t, want)
	}
	service.Interrupt(t)
}

func TestSecretsOfUpAreMasked(t *testing.T) {
	t.Parallel()
	s := program.Up(t, planted, t.TempDir(), program.FreePorts()...)
	if strings.Contains(s.Script, call.LocalPassword) {
		t.Errorf("the greeting shows a password that is not the administrator's:\n%s", s.Stdout)
	}
	s.Login(t, plantedPassword).CreateAndConfirm(t, "key", 1, 1, 1)
	s.Interrupt(t)
}

// TestDatabasePasswordIsMasked connects to a MySQL that does not run.
func TestDatabasePasswordIsMasked(t *testing.T) {
	t.Parallel()
	port := program.ClosedPort(t)
	r := program.Run(t, []string{
		"DB_HOST=127.0.0.1", "DB_PORT=" + port, "DB_USER=pedidos", "DB_NAME=pedidos", "DB_PASSWORD=planted-database-password", "DB_WAIT=50ms",
	}, "migrate", "status")
	if r.Code != 1 || !strings.Contains(r.Stderr, "the database did not answer within 50ms") {
		t.Errorf("exit code %d\n%s", r.Code, r.Stderr)
	}
}
