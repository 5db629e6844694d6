package fault_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
)

func TestFrom(t *testing.T) {
	t.Parallel()
	own := fault.New(common.CodeSKUTaken, "The SKU is taken.")
	if got := fault.From(fmt.Errorf("create product: %w", own)); got != own {
		t.Errorf("From = %v, want the wrapped error", got)
	}
	for _, err := range []error{nil, io.EOF, errors.New("")} {
		if got := fault.From(err); got.Code != common.CodeInternal || !errors.Is(got.Cause, err) {
			t.Errorf("From(%v) = %v, want an internal error with the cause", err, got)
		}
	}
}

func TestIs(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("create product: %w", fault.New(common.CodeSKUTaken, ""))
	if !fault.Is(err, common.CodeSKUTaken) || fault.Is(err, common.CodeEmailTaken) || fault.Is(io.EOF, common.CodeSKUTaken) {
		t.Error("Is does not distinguish codes")
	}
}

func TestError(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		e    *fault.Error
		want string
	}{
		{fault.New(common.CodeNotFound, "Nothing."), "not_found: Nothing."},
		{fault.Unavailable(common.CodeOrdersUnavailable, "No answer.", io.EOF), "orders_unavailable: No answer.: EOF"},
	} {
		if got := test.e.Error(); got != test.want {
			t.Errorf("Error = %q, want %q", got, test.want)
		}
	}
}
