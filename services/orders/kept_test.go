package orders

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
)

// A call ends with its context although its report is still made. The number of such reports has a limit, and each is kept at its end.
func TestKeptReportsOfCallersThatAreGone(t *testing.T) {
	t.Parallel()
	started, finish := make(chan struct{}), make(chan struct{})
	k, err := newKept(time.Hour, func(_ context.Context, query int) (int, error) {
		started <- struct{}{}
		<-finish
		return query, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for query := range maxKept {
		ctx, hangUp := context.WithCancel(t.Context())
		go func() {
			<-started
			hangUp()
		}()
		if _, err := k.get(ctx, query); !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v, want the error of the context", err)
		}
	}
	if _, err := k.get(t.Context(), maxKept); !fault.Is(err, common.CodeUnavailable) {
		t.Errorf("got %v, want unavailable", err)
	}
	close(finish)
	if got, err := k.get(t.Context(), 7); got != 7 || err != nil {
		t.Errorf("got %d, %v, want the report that was made", got, err)
	}
}
