package call

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// Browser returns an HTTP client that does not follow redirects.
func (u URLs) Browser(t testing.TB) *http.Client {
	t.Helper()
	transport := u.transport()
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{
		Transport: transport, Timeout: timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// StartSession logs the administrator in to the backoffice at a base URL and returns the cookie that it sets. The browser knows the
// backoffice by the name host, or by that in the URL if host is "".
func StartSession(t testing.TB, browser *http.Client, base, host, password string) *http.Cookie {
	t.Helper()
	form := strings.NewReader(url.Values{"username": {"admin"}, "password": {password}}.Encode())
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/login", form)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = cmp.Or(host, r.URL.Host)
	r.Header.Set("Accept", "text/html")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", r.URL.Scheme+"://"+r.Host) // the backoffice compares it with Host
	cookie, err := http.ParseSetCookie(Read(browser.Do(r)).Want(t, http.StatusSeeOther).Header.Get("Set-Cookie"))
	if err != nil {
		t.Fatal(err)
	}
	return cookie
}
