package search_test

import (
	"strings"
	"testing"

	"github.com/pedidos-hq/pedidos/services/platform/search"
)

func TestFold(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ text, want string }{
		{"", ""},
		{"drill-18v", "drill-18v"},
		{"DRILL-18V", "drill-18v"},
		{"ACME Ferretería", "acme ferreteria"},
		{"FERRETERÍA", "ferreteria"},
		{"Ferreteri\u0301a", "ferreteria"}, // combining accent
		{"ñandú ÑANDÚ", "nandu nandu"},
		{"Ångström Ǻ", "angstrom a"},
		{"ÀÁÂÃÄÅ çÇ", "aaaaaa cc"},
		{"Straße STRASSE STRAẞE", "strasse strasse strasse"},
		{"İstanbul Istanbul istanbul", "istanbul istanbul istanbul"},
		{"ısı", "ısı"}, // Unicode case folding does not change the dotless i
		{"ΣΊΣΥΦΟΣ σίσυφος", "σισυφοσ σισυφοσ"},
		{"Ёлка Йод", "елка иод"},
		{"ﬁle", "file"},
		{"ǅ", "ǆ"}, // one letter
		{"한글", "한글"},
		{"\u1112\u1161\u11ab\u1100\u1173\u11af", "한글"}, // decomposed
		{"日本語 がぎ", "日本語 かき"},
		{"50%_!\\", "50%_!\\"},
		{"x²", "x²"},
		{"👍🏽 Ok", "👍🏽 ok"},
		{"\xffA", "\ufffda"},
	} {
		got := search.Fold(test.text)
		if got != test.want {
			t.Errorf("Fold(%q) = %q, want %q", test.text, got, test.want)
		}
		if again := search.Fold(got); again != got {
			t.Errorf("Fold(%q) = %q, which is not stable: Fold of it = %q", test.text, got, again)
		}
	}
}

func TestFoldJoins(t *testing.T) {
	t.Parallel()
	if got, want := search.Fold("ACME Ferretería", "Compras@ACME.example"), "acme ferreteria\ncompras@acme.example"; got != want {
		t.Errorf("Fold = %q, want %q", got, want)
	}
	if got := search.Fold(); got != "" {
		t.Errorf("Fold of nothing = %q", got)
	}
	long := strings.Repeat("Ñandú ", 10_000)
	if got := search.Fold(long); got != strings.Repeat("nandu ", 10_000) {
		t.Errorf("Fold of a long text has %d bytes, want %d", len(got), 6*10_000)
	}
}

func TestPattern(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text *string
		want string
	}{
		{nil, "%"},
		{new(""), "%%"},
		{new("drill"), "%drill%"},
		{new("FERRETERÍA"), "%ferreteria%"},
		{new("50%"), "%50!%%"},
		{new("a_b"), "%a!_b%"},
		{new("hey!"), "%hey!!%"},
		{new("!%_"), "%!!!%!_%"},
		{new(`a\b`), `%a\b%`},
		{new("'; --"), "%'; --%"},
	} {
		if got := search.Pattern(test.text); got != test.want {
			t.Errorf("Pattern = %q, want %q", got, test.want)
		}
	}
}
