package text_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/pedidos-hq/pedidos/services/backoffice/locale"
	"github.com/pedidos-hq/pedidos/services/backoffice/text"
)

func TestFault(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]struct{ english, spanish string }{
		"is not a next_cursor of this list": {
			"This page of the list is gone; start from the first.", "Esta página de la lista ya no está; empezar por la primera.",
		},
		"is not the current password": {"Is not the current password.", "No es la contraseña actual."},
		"must be at most 1000000000":  {"Must be at most 1,000,000,000.", "Debe ser como máximo 1.000.000.000."},
		"must be at least 1":          {"Must be at least 1.", "Debe ser al menos 1."},
		"must have no surrounding white space and no control characters, such as Saw": {
			"Must have no surrounding white space and no control characters, such as Saw.",
			"No debe tener espacios al principio ni al final, ni caracteres de control.",
		},
	} {
		if got := text.For(locale.English).Fault(message); got != want.english {
			t.Errorf("%q in English is %q, want %q", message, got, want.english)
		}
		if got := text.For(locale.Spanish).Fault(message); got != want.spanish {
			t.Errorf("%q in Spanish is %q, want %q", message, got, want.spanish)
		}
	}
}

// A person can do something about a failure that is not a 5xx, which has no reference.
func TestFailureWithoutReference(t *testing.T) {
	t.Parallel()
	for _, lang := range []locale.Lang{locale.English, locale.Spanish} {
		_, failed := text.For(lang).Failure(http.StatusInternalServerError)
		for _, status := range []int{400, 403, 404, 405, 413, 421, 429} {
			if title, hint := text.For(lang).Failure(status); hint == failed || strings.TrimSpace(title) == "" {
				t.Errorf("%s: %d says %q, as if the system had failed", lang, status, hint)
			}
		}
	}
}
