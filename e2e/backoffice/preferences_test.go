package backoffice

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/backoffice/browser"
	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/world"
)

// cookies returns the values that a response sets, for the header Cookie.
func cookies(r call.Response) string {
	var all []string
	for _, header := range r.Header.Values("Set-Cookie") {
		all = append(all, cookieOf(header))
	}
	return strings.Join(all, "; ")
}

// TestLanguage checks that the switch counts for more than the language of the browser, before and after the login.
func TestLanguage(t *testing.T) {
	t.Parallel()
	w := world.New(t, world.Options{Backoffice: true})
	for _, role := range []string{"", "viewer"} {
		path := map[string]string{"": "/login", "viewer": "/customers"}[role]
		v := visit(t, w, role)
		lang := func(headers ...string) string {
			return document(t, v.get(path, headers...)).Find("html").AttrOr("lang", "")
		}
		if got := lang("Accept-Language", "es-UY,es;q=0.9,en;q=0.8"); got != "es" {
			t.Errorf("%s for a Spanish browser is in %q", path, got)
		}
		if got := lang("Accept-Language", "fr"); got != "en" {
			t.Errorf("%s for a French browser is in %q, want English", path, got)
		}
		chosen := v.post("/preferences", url.Values{"lang": {"en"}, "back": {path + "?search=x"}}, "Accept-Language", "es")
		if chosen.Status != http.StatusSeeOther || chosen.Header.Get("Location") != path+"?search=x" {
			t.Errorf("the switch: got %s %v, want the page where it was", chosen, chosen.Header)
		}
		if cookies(chosen) != "lang=en" {
			t.Errorf("the switch sets %q", cookies(chosen))
		}
		if got := lang("Accept-Language", "es", "Cookie", cookies(chosen)); got != "en" {
			t.Errorf("%s after the switch is in %q", path, got)
		}
		if got := lang("Accept-Language", "es", "Cookie", "lang=xx"); got != "es" {
			t.Errorf("%s with an unknown language is in %q", path, got)
		}
		if got := v.post("/preferences", url.Values{"lang": {"xx"}, "back": {path}}); cookies(got) != "" || got.Status != http.StatusSeeOther {
			t.Errorf("an unknown language: got %s, which sets %q", got, cookies(got))
		}
	}
}

// TestTimeZone checks that times are those of the person, and say so where it is not known.
func TestTimeZone(t *testing.T) {
	t.Parallel()
	w, _ := newShop(t) // at 09:31 in UTC
	v := visit(t, w, "admin")
	placed := func(headers ...string) string {
		return strings.TrimSpace(document(t, v.get("/orders/1", headers...)).Find(".timeline time").First().Text())
	}
	for cookie, want := range map[string]string{
		"":                                  "today, 09:31 UTC",
		"tz=America%2FMontevideo":           "today, 06:31",
		"tz=Pacific%2FAuckland":             "today, 22:31",
		"tz=UTC":                            "today, 09:31",
		"tz=Nowhere%2FCity":                 "today, 09:31 UTC",
		"tz=Local":                          "today, 09:31 UTC", // of the server
		"tz=..%2F..%2F..%2Fetc%2Flocaltime": "today, 09:31 UTC",
		"tz=%zz":                            "today, 09:31 UTC",
		"lang=es; tz=America%2FArgentina%2FUshuaia": "hoy, 06:31",
	} {
		if got := placed("Cookie", cookie); got != want {
			t.Errorf("with the cookie %q the order was placed %q, want %q", cookie, got, want)
		}
	}
	for typed, want := range map[string]string{
		"America/Argentina/Buenos_Aires": "tz=America%2FArgentina%2FBuenos_Aires", " UTC ": "tz=UTC", "": "tz=",
	} {
		if got := v.post("/preferences", url.Values{"tz": {typed}, "back": {"/account"}}); cookies(got) != want {
			t.Errorf("the time zone %q sets %q, want %q", typed, cookies(got), want)
		}
	}
	wrong := v.post("/preferences", url.Values{"tz": {"Nowhere/City"}, "back": {"/account"}})
	if cookies(wrong) != "" {
		t.Errorf("an unknown time zone sets %q", cookies(wrong))
	}
	again := document(t, v.get(wrong.Header.Get("Location")))
	if field := again.Find("#tz"); field.AttrOr("value", "") != "Nowhere/City" || field.AttrOr("aria-invalid", "") != "true" ||
		again.Find("#"+field.AttrOr("aria-describedby", "none")).Text() != "There is no such time zone." {
		t.Errorf("an unknown time zone leads to %v, want what was typed and what is wrong with it", wrong.Header)
	}
}

// TestTimeZoneOfTheBrowser checks that the first page has the times of the browser. Without a script, they say which zone they are in.
func TestTimeZoneOfTheBrowser(t *testing.T) {
	t.Parallel()
	w, _ := newShop(t)
	for _, without := range []bool{false, true} {
		tab := browser.Open(t, w, browser.As{Role: "viewer", NoScript: without, Zone: "Pacific/Auckland"})
		tab.Go("/orders/1")
		want := "today, 22:31"
		if without {
			want = "today, 09:31 UTC"
		}
		tab.Await(`document.querySelector(".timeline time").textContent.trim() === "` + want + `"`)
	}
}

// TestMoney checks that amounts are written as in the language of the page, and read back as they are written.
func TestMoney(t *testing.T) {
	t.Parallel()
	w, s := newShop(t)
	for language, want := range map[string]string{"en": "$1,299.00", "es": "US$ 1.299,00"} {
		v := visit(t, w, "manager", "Accept-Language", language)
		if text := strings.ReplaceAll(document(t, v.get("/products/1")).Find("main").Text(), "\u00a0", " "); !strings.Contains(text, want) {
			t.Errorf("in %s the product has no price %s: %s", language, want, text)
		}
		edit := document(t, v.get("/products/1/edit")).Find(`form[action="/products/1/edit"]`)
		form := fillings(edit).plain
		if done := v.post("/products/1/edit", form); done.Status != http.StatusSeeOther {
			t.Errorf("in %s the price %q as it was: got %s", language, form.Get("price"), done)
		}
		if got := s.GetProduct(t, 1).PriceCents; got != 129900 {
			t.Errorf("in %s the price %q was read as %d cents", language, form.Get("price"), got)
		}
	}
}
