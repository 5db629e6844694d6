package call

import (
	"testing"
	"time"
)

// Eventually waits until something is so, and ends the test if it is not within a minute.
func Eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("after a minute, this is not so: %s", what)
		}
	}
}
