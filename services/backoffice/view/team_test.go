package view_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/gen/common"
	api "github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/services/backoffice/locale"
	"github.com/pedidos-hq/pedidos/services/backoffice/text"
	"github.com/pedidos-hq/pedidos/services/backoffice/view"
)

func page(lang locale.Lang) *view.Page {
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	return &view.Page{
		Text: text.For(lang), Locale: locale.New(lang, time.UTC, "USD"), Now: now,
		Me: &api.Me{Username: new("ana"), Name: "Ana", Role: api.RoleAdmin}, May: func(string) bool { return true },
	}
}

// TestAuditLog checks that entries read as sentences in both languages, and that names with markup stay text.
func TestAuditLog(t *testing.T) {
	t.Parallel()
	const markup = `<b onclick="x">Ana</b>`
	entry := api.AuditEntry{
		ID: 1, CreatedAt: common.Time{Time: time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)},
		Actor: "user:ana", ActorName: new(markup), Action: "user.changed", Target: "user:marco",
		Changes: []api.AuditChange{
			{Field: "role", From: new("operator"), To: new("manager")},
			{Field: "state", From: new("active"), To: new("disabled")},
			{Field: "name", To: new(markup)},
			{Field: "unknown", From: new("old"), To: nil},
		},
	}
	key := api.AuditEntry{
		Actor: "integrator:7", Action: "key.created", Target: "key:1",
		Changes: []api.AuditChange{{Field: "integrator", To: new("integrator:8")}, {Field: "name", To: new("production")}},
	}
	all := []api.AuditEntry{entry, key, {Actor: "start", Action: "signing_key.created", Target: "signing_key:abc"}, {Actor: "command", Action: "session.ended", Target: "session:3"}}
	for lang, want := range map[locale.Lang][]string{
		locale.English: {"User changed", "Role: Operator → Manager", "State: Active → Disabled", "unknown: old → –",
			"integrator 7", "Key created", ">production<", "Integrator: number 8", "the start of the program", "the command line", "number 3"},
		locale.Spanish: {"Usuario modificado", "Rol: Operador → Encargado", "Estado: Activo → Deshabilitado", "unknown: old → –",
			"el integrador 7", "Clave creada", ">production<", "Integrador: número 8", "el arranque del programa", "la línea de comandos", "número 3"},
	} {
		var html strings.Builder
		if err := view.AuditLog(page(lang), view.NewForm(), all, view.Pager{}).Render(t.Context(), &html); err != nil {
			t.Fatal(err)
		}
		for _, part := range append(want, ">marco<", ">ana<", "/team/audit?actor=user%3Aana") {
			if !strings.Contains(html.String(), part) {
				t.Errorf("%s: the page lacks %q", lang, part)
			}
		}
		if strings.Contains(html.String(), "<b onclick") {
			t.Errorf("%s: the page has the markup of a name", lang)
		}
		if raw := regexp.MustCompile(`>[a-z_]+:\w+<`).FindString(html.String()); raw != "" {
			t.Errorf("%s: the page has the identifier %s", lang, raw)
		}
	}
}

// TestDevice checks how the list of sessions names browsers.
func TestDevice(t *testing.T) {
	t.Parallel()
	const webkit = "AppleWebKit/537.36 (KHTML, like Gecko) "
	for agent, want := range map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0":                       "Firefox, Linux",
		"Mozilla/5.0 (Windows NT 10.0; Win64) " + webkit + "Chrome/130.0 Safari/537.36":                "Chrome, Windows",
		"Mozilla/5.0 (Windows NT 10.0; Win64) " + webkit + "Chrome/130.0 Safari/537.36 Edg/130.0":      "Edge, Windows",
		"Mozilla/5.0 (Linux; Android 14) " + webkit + "Chrome/130.0 Mobile Safari/537.36":              "Chrome, Android",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) " + webkit + "Version/17.0 Safari/604": "Safari, iPhone",
		"curl/8.5.0": "curl",
		"":           "Unknown device",
		"something":  "Unknown device",
	} {
		account := view.OwnAccount{List: view.NewForm(), Password: view.NewForm(), Preferences: view.NewForm(), Sessions: []api.Session{{ID: 1, UserAgent: &agent}}}
		var html strings.Builder
		if err := view.Account(page(locale.English), account).Render(t.Context(), &html); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(html.String(), ">"+want+"<small>") {
			t.Errorf("the page does not name %q as %q", agent, want)
		}
	}
}

// TestSecretsStay checks that a form keeps passwords as typed, and never shows them again.
func TestSecretsStay(t *testing.T) {
	t.Parallel()
	form := view.ReadForm(map[string][]string{"password": {"  two spaces  "}, "token": {" pet_1 "}})
	if got := form.Get("password"); got != "  two spaces  " {
		t.Errorf("the password is %q, want it as typed", got)
	}
	form.Refuse("no")
	var html strings.Builder
	if err := view.Setup(page(locale.English), form).Render(t.Context(), &html); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(html.String(), "two spaces") || !strings.Contains(html.String(), `value="pet_1"`) {
		t.Error("the form shows the password, or has lost the setup token")
	}
}
