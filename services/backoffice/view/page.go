// Package view has the components of the pages. They show what handlers give them, and call nothing.
package view

import (
	"net/url"
	"strings"
	"time"

	api "github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/services/backoffice/locale"
	"github.com/pedidos-hq/pedidos/services/backoffice/text"
)

// Page is the data of the frame of a page.
type Page struct {
	Text   text.Texts
	Locale locale.Locale
	Now    time.Time

	Me  *api.Me                // nil before the login
	May func(what string) bool // whether the role may use an operation or field of the contracts

	Path        string // of the page, with its query
	Notice      string // what the form that led here did; may be empty
	Insecure    bool   // whether the browser refuses the session cookie, which needs HTTPS
	Style, Icon string // URLs
	Script      string
}

// On reports whether the page is in the area of a path of the navigation.
func (p *Page) On(area string) bool {
	path, _, _ := strings.Cut(p.Path, "?")
	if area == "/" {
		return path == "/"
	}
	return path == area || strings.HasPrefix(path, area+"/")
}

// Notice names what a form did, for the page that follows.
type Notice string

// The notices of the frame.
const (
	LoggedOut      Notice = "logged-out"
	PreferencesSet Notice = "preferences"
)

// Text returns the text of a notice, or "" for an unknown one.
func (n Notice) Text(t text.Texts) string {
	for _, all := range []map[Notice]string{
		{LoggedOut: t.LoggedOut(), PreferencesSet: t.Saved()},
		orderNotices(t), newOrderNotices(t), productNotices(t), customerNotices(t), teamNotices(t), accountNotices(t),
	} {
		if text, ok := all[n]; ok {
			return text
		}
	}
	return ""
}

// Pager has the URLs of the previous and the next page of a list. The APIs page only forward, so the URL of a page contains the cursors of
// all pages before it.
type Pager struct {
	Newer, Older string // URLs; empty if there is none
}

// NewPager returns the Pager of a list at path, with the query of the present page and the cursor of the next page.
func NewPager(path string, query url.Values, next *string) (p Pager) {
	const most = 100 // pages to go back
	cursor, back := query.Get("cursor"), query.Get("back")
	at := func(cursor, back string) string {
		q := url.Values{}
		for name, values := range query {
			if name != "cursor" && name != "back" && name != "done" && values[0] != "" {
				q[name] = values
			}
		}
		if cursor != "" {
			q.Set("cursor", cursor)
		}
		if back != "" {
			q.Set("back", back)
		}
		if len(q) == 0 {
			return path
		}
		return path + "?" + q.Encode()
	}
	if cursor != "" {
		before, last := cutLast(back)
		p.Newer = at(last, before)
	}
	if next != nil {
		stack := back
		if cursor != "" {
			stack = strings.TrimPrefix(back+"."+cursor, ".")
		}
		for strings.Count(stack, ".") >= most {
			_, stack, _ = strings.Cut(stack, ".")
		}
		p.Older = at(*next, stack)
	}
	return p
}

// cutLast splits the last cursor from a list of cursors.
func cutLast(all string) (before, last string) {
	if i := strings.LastIndex(all, "."); i >= 0 {
		return all[:i], all[i+1:]
	}
	return "", all
}
