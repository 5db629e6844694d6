package call

import (
	"testing"
	"time"
)

// Eventually waits until condition returns true. It ends the test after a minute.
func Eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited a minute for: %s", what)
		}
	}
}
