package backoffice

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/services/backoffice"
)

// document parses a page.
func document(t *testing.T, r call.Response) *goquery.Document {
	t.Helper()
	d, err := goquery.NewDocumentFromReader(bytes.NewReader(r.Body))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// crawl opens all pages that links and searches lead to and returns them by their paths. It fails the test if one leads to anything but a
// page.
func crawl(t *testing.T, v *visitor) map[string]*goquery.Document {
	t.Helper()
	const most = 500
	pages, from := map[string]*goquery.Document{}, map[string]string{"/": "the start"}
	for todo := []string{"/"}; len(todo) > 0; todo = todo[1:] {
		path := todo[0]
		r := v.get(path)
		if r.Status != http.StatusOK {
			t.Errorf("%s leads to %s: %d %.300s", from[path], path, r.Status, r.Body)
			continue
		}
		if !strings.HasPrefix(r.Header.Get("Content-Type"), "text/html") {
			continue
		}
		pages[path] = document(t, r)
		for _, next := range destinations(t, path, pages[path]) {
			if from[next] == "" && len(from) < most {
				from[next] = path
				todo = append(todo, next)
			}
		}
	}
	if len(from) == most {
		t.Errorf("the crawl ends at %d pages", most)
	}
	return pages
}

// destinations returns the paths to which the links and searches of a page lead.
func destinations(t *testing.T, path string, page *goquery.Document) (paths []string) {
	t.Helper()
	base, err := url.Parse(path)
	if err != nil {
		t.Fatal(err)
	}
	add := func(to string, query url.Values) {
		u, err := base.Parse(to)
		if err != nil {
			t.Errorf("%s leads to %q: %v", path, to, err)
			return
		}
		if query != nil {
			u.RawQuery = query.Encode()
		}
		switch u.Fragment = ""; {
		case u.Scheme == "mailto":
		case u.Host != "" || !strings.HasPrefix(u.Path, "/"):
			t.Errorf("%s leads to another site: %s", path, to)
		default:
			paths = append(paths, u.String())
		}
	}
	page.Find("a[href], link[href]").Each(func(_ int, a *goquery.Selection) { add(a.AttrOr("href", ""), nil) })
	page.Find("form").Each(func(_ int, form *goquery.Selection) {
		if method(form, form) == http.MethodGet {
			f := fillings(form)
			for _, fields := range append(f.chosen, f.plain, f.checked, f.typed) {
				add(form.AttrOr("action", path), fields)
			}
		}
		form.Find("button").Each(func(_ int, button *goquery.Selection) {
			if _, own := button.Attr("formmethod"); own && method(form, button) == http.MethodGet {
				f := fillings(form)
				add(button.AttrOr("formaction", path), f.checked)
			}
		})
	})
	return paths
}

// method returns the method with which a button sends a form.
func method(form, button *goquery.Selection) string {
	return strings.ToUpper(button.AttrOr("formmethod", form.AttrOr("method", "get")))
}

// filling is what a form sends.
type filling struct {
	plain   url.Values   // as it is
	checked url.Values   // with all boxes checked
	typed   url.Values   // with markup in its texts
	chosen  []url.Values // with each option of its choices
}

func fillings(form *goquery.Selection) filling {
	f := filling{plain: url.Values{}}
	form.Find("input, select, textarea").Each(func(_ int, field *goquery.Selection) {
		_, checked := field.Attr("checked")
		switch name, kind := field.AttrOr("name", ""), field.AttrOr("type", "text"); {
		case name == "", (kind == "checkbox" || kind == "radio") && !checked:
		case goquery.NodeName(field) == "select":
			f.plain.Set(name, field.Find("option[selected]").AttrOr("value", field.Find("option").First().AttrOr("value", "")))
		case goquery.NodeName(field) == "textarea":
			f.plain.Add(name, field.Text())
		default:
			f.plain.Add(name, field.AttrOr("value", ""))
		}
	})
	f.checked, f.typed = with(f.plain), with(f.plain)
	form.Find("input[type=checkbox][name]").Each(func(_ int, box *goquery.Selection) {
		f.checked.Add(box.AttrOr("name", ""), box.AttrOr("value", "on"))
	})
	form.Find("textarea, input[type=search], input[type=text], input[type=email], input[type=tel], input:not([type])").Each(func(_ int, field *goquery.Selection) {
		if name := field.AttrOr("name", ""); name != "" {
			f.typed.Set(name, markup)
		}
	})
	form.Find("select option").Each(func(_ int, option *goquery.Selection) {
		f.chosen = append(f.chosen, with(f.plain, option.ParentsFiltered("select").AttrOr("name", ""), option.AttrOr("value", option.Text())))
	})
	return f
}

// checkMarkup fails the test if a page has markup that a person has typed, or anything that the content security policy forbids.
func checkMarkup(t *testing.T, what string, page *goquery.Document) {
	t.Helper()
	if found := page.Find("img, [style], style, b:contains('11'), script:not([src]), iframe, object, base"); found.Length() > 0 {
		html, _ := goquery.OuterHtml(found.First())
		t.Errorf("%s has %.200s", what, html)
	}
	page.Find("*").Each(func(_ int, element *goquery.Selection) {
		for _, a := range element.Nodes[0].Attr {
			if strings.HasPrefix(a.Key, "on") || strings.Contains(a.Key, "<") || strings.Contains(a.Key, `"`) {
				t.Errorf("%s has the attribute %s on %s", what, a.Key, goquery.NodeName(element))
			}
			if to, err := url.Parse(strings.TrimSpace(a.Val)); slices.Contains([]string{"href", "src", "action", "formaction"}, a.Key) &&
				(err != nil || to.Scheme != "" && to.Scheme != "mailto") {
				t.Errorf("%s has %s=%q", what, a.Key, a.Val)
			}
		}
	})
}

// TestPages opens every page that a link or a search leads to, for each role and language. Nothing leads to what the role may not open,
// and markup in what people have typed stays text.
func TestPages(t *testing.T) {
	t.Parallel()
	w, _ := newShop(t)
	for role, least := range map[string]int{"viewer": 30, "operator": 40, "manager": 50, "admin": 90} {
		for _, language := range []string{"en", "es"} {
			v := visit(t, w, role, "Accept-Language", language)
			t.Run(role+" "+language, func(t *testing.T) {
				t.Parallel()
				pages := crawl(t, v)
				t.Logf("%d pages", len(pages))
				if len(pages) < least {
					t.Errorf("%d pages, want %d or more: %q", len(pages), least, slices.Sorted(maps.Keys(pages)))
				}
				shown := 0
				for path, page := range pages {
					checkMarkup(t, path, page)
					if got := page.Find("html").AttrOr("lang", ""); got != language {
						t.Errorf("%s is in %q, want %s", path, got, language)
					}
					if page.Find("h1").Length() != 1 {
						t.Errorf("%s has %d titles, want one", path, page.Find("h1").Length())
					}
					if strings.Contains(page.Find("main").Text(), markup) {
						shown++
					}
				}
				if shown < 10 {
					t.Errorf("%d pages show what a person has typed, want 10 or more", shown)
				}
				if role == "admin" {
					checkReached(t, pages)
				}
			})
		}
	}
}

// checkReached fails the test if no link or search of the pages leads to a route.
func checkReached(t *testing.T, pages map[string]*goquery.Document) {
	t.Helper()
	missing := map[string]bool{}
	for _, r := range backoffice.Routes() {
		if r.Method == http.MethodGet && r.Path != "/orders.csv" { // not a page
			missing[r.Path] = true
		}
	}
	for path := range pages {
		r, _ := routeOf(http.MethodGet, path)
		delete(missing, r.Path)
	}
	for route := range missing {
		t.Errorf("nothing leads to %s", route)
	}
}

// TestTypedMarkup sends each form that a role sees, with markup in its texts. The role may send it, and what comes back has the markup as
// text.
func TestTypedMarkup(t *testing.T) {
	t.Parallel()
	for role, least := range map[string]int{"viewer": 3, "operator": 8, "manager": 15, "admin": 25} {
		t.Run(role, func(t *testing.T) {
			t.Parallel()
			w, _ := newShop(t)
			v := visit(t, w, role)
			type sent struct {
				action string
				fields url.Values
			}
			forms := map[string]sent{}
			for _, page := range crawl(t, v) {
				page.Find("form").Each(func(_ int, form *goquery.Selection) {
					if action := form.AttrOr("action", ""); method(form, form) == http.MethodPost && action != "/logout" && !strings.HasPrefix(action, "/account/sessions") {
						fields := fillings(form).typed
						if button := form.Find("button[name]").Last(); button.Length() > 0 {
							fields.Set(button.AttrOr("name", ""), button.AttrOr("value", ""))
						}
						forms[action+" "+strings.Join(slices.Sorted(maps.Keys(fields)), " ")] = sent{action, fields}
					}
				})
			}
			if len(forms) < least {
				t.Errorf("%d forms, want %d or more: %q", len(forms), least, slices.Sorted(maps.Keys(forms)))
			}
			for name, form := range forms {
				r := v.post(form.action, form.fields)
				switch {
				case r.Status == http.StatusForbidden, r.Status == http.StatusMethodNotAllowed, r.Status >= http.StatusInternalServerError:
					t.Errorf("%s as %s: got %d %.300s", name, role, r.Status, r.Body)
				case r.Status != http.StatusSeeOther:
					checkMarkup(t, name, document(t, r))
				}
			}
		})
	}
}

// TestEmptyForms sends each form without the fields that it requires. It comes back with what else it had, and says beside a field what is
// missing.
func TestEmptyForms(t *testing.T) {
	t.Parallel()
	w, _ := newShop(t)
	v := visit(t, w, "admin")
	seen := map[string]bool{}
	for path, from := range crawl(t, v) {
		from.Find("form[method=post]").Each(func(_ int, form *goquery.Selection) {
			action, required := form.AttrOr("action", ""), form.Find("[required]")
			if required.Length() == 0 || seen[action] {
				return
			}
			seen[action] = true
			fields := fillings(form).typed
			required.Each(func(_ int, field *goquery.Selection) { fields.Set(field.AttrOr("name", ""), "") })
			button := form.Find("button").Last()
			r := v.post(action, with(fields, button.AttrOr("name", "none"), button.AttrOr("value", "")))
			if r.Status < http.StatusBadRequest || r.Status >= http.StatusInternalServerError {
				t.Errorf("%s: the form for %s without required fields: got %d", path, action, r.Status)
				return
			}
			again := formTo(t, r, action)
			for name := range fields {
				if name != "key" && !slices.Equal(again[name], fields[name]) {
					t.Errorf("%s: the form for %s comes back with %s = %q, want %q", path, action, name, again[name], fields[name])
				}
			}
			note := document(t, r).Find("#form-note").Text()
			if note == "" {
				t.Errorf("%s: the form for %s comes back without a note", path, action)
			}
			required.Each(func(_ int, field *goquery.Selection) {
				name := field.AttrOr("name", "")
				missing := document(t, r).Find(fmt.Sprintf("main form [name=%q]", name))
				if missing.AttrOr("aria-invalid", "") != "true" || document(t, r).Find("#"+missing.AttrOr("aria-describedby", "none")).Text() == "" {
					t.Errorf("%s: the form for %s does not say that %s is missing: %s", path, action, name, document(t, r).Find("main").Text())
				}
			})
		})
	}
	if len(seen) < 10 {
		t.Errorf("only the forms %q have required fields", slices.Sorted(maps.Keys(seen)))
	}
}
