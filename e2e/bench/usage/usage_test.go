package usage

import (
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	t.Parallel()
	const after = " S 2010 2032 2032 0 -1 4194560 205085 191453 23 54 19107 7222 137 92 20 0 124 0 1149753 1283227648 198001 18446744073709551615"
	want := Usage{CPU: 263*time.Second + 290*time.Millisecond, Resident: 198001 * 4096}
	for _, stat := range []string{"2032 (mysqld)" + after, "7 (a) S 1 (b c)" + after} {
		if got, err := parse(stat, 4096); err != nil || got != want {
			t.Errorf("%q is %+v, %v, want %+v", stat, got, err, want)
		}
	}
	for _, stat := range []string{"", "1 (a) S 1 2 3", "1 (a" + after, "1 (a) S 1 1 1 1 1 1 1 1 1 1 x 1 1 1 1 1 1 1 1 1 1"} {
		if got, err := parse(stat, 4096); err == nil {
			t.Errorf("%q is read as %+v", stat, got)
		}
	}
}
