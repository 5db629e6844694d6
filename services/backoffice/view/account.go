package view

import (
	"strings"

	api "github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/services/backoffice/text"
)

// The notices about the own account.
const (
	PasswordSet     Notice = "password-set"
	PasswordChanged Notice = "password-changed"
	SessionEnded    Notice = "session-ended"
)

func accountNotices(t text.Texts) map[Notice]string {
	return map[Notice]string{PasswordSet: t.PasswordSet(), PasswordChanged: t.PasswordChanged(), SessionEnded: t.SessionEnded()}
}

// OwnAccount is the data of the page of a person's own account.
type OwnAccount struct {
	Password, Preferences *Form
	List                  *Form // the query of the list of sessions
	Sessions              []api.Session
	Pages                 Pager
}

// device returns the browser and the system in a User-Agent header, such as "Firefox, Windows", or "" if both are unknown.
func device(agent string) string {
	first := func(names [][2]string) string {
		for _, n := range names {
			if strings.Contains(agent, n[0]) {
				return n[1]
			}
		}
		return ""
	}
	// Most browsers also contain the names of others, so the order counts.
	browser := first([][2]string{
		{"Edg", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser/", "Samsung Internet"}, {"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"},
		{"CriOS/", "Chrome"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}, {"curl/", "curl"},
	})
	system := first([][2]string{
		{"Windows", "Windows"}, {"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Mac OS X", "macOS"}, {"CrOS", "ChromeOS"},
		{"Linux", "Linux"},
	})
	if browser == "" || system == "" {
		return browser + system
	}
	return browser + ", " + system
}

// commonZones are suggestions. Any time zone of the IANA database can be typed.
func commonZones() []string {
	return []string{
		"America/Argentina/Buenos_Aires", "America/Argentina/Cordoba", "America/Asuncion", "America/Bogota", "America/Caracas", "America/Chicago",
		"America/Costa_Rica", "America/Denver", "America/Guatemala", "America/Guayaquil", "America/La_Paz", "America/Lima",
		"America/Los_Angeles", "America/Mexico_City", "America/Montevideo", "America/New_York", "America/Panama", "America/Puerto_Rico",
		"America/Santiago", "America/Santo_Domingo", "America/Sao_Paulo", "America/Tijuana", "America/Toronto", "Asia/Dubai", "Asia/Kolkata",
		"Asia/Shanghai", "Asia/Tokyo", "Atlantic/Canary", "Australia/Sydney", "Europe/Berlin", "Europe/Lisbon", "Europe/London", "Europe/Madrid",
		"Europe/Paris", "Europe/Rome", "UTC",
	}
}
