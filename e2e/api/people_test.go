package api

import (
	"net/http"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/world"
	"github.com/pedidos-hq/pedidos/gen/customers"
)

// people holds tokens of a world: of a session of the administrator, which has the id 1, of the API key 1 of the integrator 1, an
// administrator too, and the setup token of a user.
type people struct{ session, key, setup string }

func newPeople(t *testing.T, w *world.World, admin *call.Client) people {
	t.Helper()
	session := startSession(t, w, "admin", w.Password())
	erp := createIntegrator(t, admin, "people", customers.RoleAdmin)
	return people{
		session: session.Token, key: createKey(t, admin, erp.ID),
		setup: createUser(t, admin, "newcomer", customers.RoleViewer),
	}
}

func startSession(t *testing.T, w *world.World, user, password string) (session customers.NewSession) {
	t.Helper()
	in := customers.Credentials{Username: user, Password: password}
	call.Read(w.With("").Customers.CreateSession(t.Context(), nil, in)).Want(t, http.StatusCreated, &session)
	return session
}

// createUser creates a user and returns the setup token.
func createUser(t *testing.T, admin *call.Client, username string, role customers.Role) (setup string) {
	t.Helper()
	var user customers.UserSetup
	in := customers.UserInput{Username: username, Name: "Name of " + username, Role: role}
	call.Read(admin.Customers.CreateUser(t.Context(), nil, in)).Want(t, http.StatusCreated, &user)
	if user.SetupToken == nil {
		t.Fatal("the first answer has no setup token")
	}
	return *user.SetupToken
}

const userPassword = "correct horse battery staple"

// newUser creates a user with userPassword and returns a client with an access token.
func newUser(t *testing.T, w *world.World, admin *call.Client, username string, role customers.Role) *call.Client {
	t.Helper()
	in := customers.Setup{Token: createUser(t, admin, username, role), Password: userPassword}
	call.Read(w.With("").Customers.SetPassword(t.Context(), in)).Want(t, http.StatusNoContent)
	return w.With(w.With("").LogIn(t, username, userPassword))
}

func createIntegrator(t *testing.T, admin *call.Client, name string, role customers.Role) (created customers.Integrator) {
	t.Helper()
	in := customers.IntegratorInput{Name: name, Role: role}
	call.Read(admin.Customers.CreateIntegrator(t.Context(), nil, in)).Want(t, http.StatusCreated, &created)
	return created
}

// createKey creates an API key and returns it.
func createKey(t *testing.T, admin *call.Client, integrator int64) string {
	t.Helper()
	var created customers.NewKey
	call.Read(admin.Customers.CreateKey(t.Context(), integrator, nil, customers.KeyInput{Name: "a key"})).Want(t, http.StatusCreated, &created)
	if created.Key == nil {
		t.Fatal("the first answer has no key")
	}
	return *created.Key
}
