package pedidos

import (
	"fmt"
	"strings"
	"time"
)

// Error is the error of a call. Every error that a method of Client or of its parts returns is an *Error: use errors.As.
//
// If Status is 0, there is no whole response and Err says why. The call may have taken effect; repeat it with the same key to find out:
// WithKey(e.Key).
//
// If Status is 200 to 299, the call has taken effect, but its response cannot be decoded or is larger than 16 MiB, as Err says. (A proxy
// that answers in the place of Pedidos can give such a response to a call that had no effect.) The call is not retried.
type Error struct {
	Operation string // the method and path, such as "POST /orders"; "POST /auth/login" if the client cannot log in
	Status    int    // the HTTP status, or 0

	Code      ProblemCode  // the kind of error, for programs; empty if something else than Pedidos answered
	Detail    string       // what happened, for people
	Fields    []FieldError // the invalid fields
	Shortages []Shortage   // the products with insufficient stock
	TraceID   string       // identifies the request in the logs of Pedidos

	Step          Step           // of CreateAndConfirm: the step that failed
	CorrelationID string         // of CreateAndConfirm
	Withdrawn     WithdrawnOrder // of CreateAndConfirm: the order that was placed and canceled because it can never be confirmed

	RetryAfter time.Duration // how long Pedidos asks to wait, or 0
	Key        string        // the idempotency key of the call, or empty
	Attempts   int           // how many requests were sent

	Err error // why there is no response or no result of it, such as context.Canceled
}

// Error returns one line, with the invalid fields and the shortages.
func (e *Error) Error() string {
	var text strings.Builder
	fmt.Fprintf(&text, "pedidos: %s", e.Operation)
	if e.Status != 0 {
		fmt.Fprintf(&text, ": %d", e.Status)
	}
	if e.Code != "" {
		fmt.Fprintf(&text, " %s", e.Code)
	}
	if e.Detail != "" {
		fmt.Fprintf(&text, ": %s", e.Detail)
	}
	for _, f := range e.Fields {
		fmt.Fprintf(&text, "; %s: %s", f.Field, f.Message)
	}
	for _, s := range e.Shortages {
		fmt.Fprintf(&text, "; product %d: %d requested, %d available", s.ProductID, s.Requested, s.Available)
	}
	if e.Err != nil {
		fmt.Fprintf(&text, ": %v", e.Err)
	}
	if e.TraceID != "" {
		fmt.Fprintf(&text, " (trace %s)", e.TraceID)
	}
	return text.String()
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }
