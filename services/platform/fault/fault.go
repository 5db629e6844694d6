// Package fault defines the error of business rules and storage. It is independent of HTTP; package problem maps its codes to
// statuses and headers.
package fault

import (
	"errors"
	"time"

	"github.com/pedidos-hq/pedidos/gen/common"
)

// Error describes why a request fails. Clients see all fields except Cause.
type Error struct {
	Code       common.ProblemCode
	Message    string              // one sentence
	Fields     []common.FieldError // the fields that the error is about
	Shortages  []common.Shortage   // the products of an insufficient_stock error
	RetryAfter time.Duration       // wait before a retry; 0 means the default of the code
	TraceID    string              // trace of the original request, if this is a stored answer of another service
	Cause      error               // for logs
}

// New returns an Error with a code and a message, which is a sentence for the client.
func New(code common.ProblemCode, message string) *Error { return &Error{Code: code, Message: message} }

// Invalid returns an invalid_input error with the invalid fields.
func Invalid(fields ...common.FieldError) *Error {
	message := "The request has an invalid field."
	if len(fields) > 1 {
		message = "The request has invalid fields."
	}
	return &Error{Code: common.CodeInvalidInput, Message: message, Fields: fields}
}

// Unavailable returns an Error with a cause, for a dependency that is not available.
func Unavailable(code common.ProblemCode, message string, cause error) *Error {
	return &Error{Code: code, Message: message, Cause: cause}
}

// About adds an invalid field with a message to e, and returns e.
func (e *Error) About(field, message string) *Error {
	e.Fields = append(e.Fields, common.FieldError{Field: field, Message: message})
	return e
}

// Error returns the code, the message and the cause, for logs.
func (e *Error) Error() string {
	if e.Cause != nil {
		return string(e.Code) + ": " + e.Message + ": " + e.Cause.Error()
	}
	return string(e.Code) + ": " + e.Message
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Is reports whether the first Error in err's chain has the code.
func Is(err error, code common.ProblemCode) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}

// From returns the first Error in err's chain. If there is none, it returns an internal error with err as its cause.
func From(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Code: common.CodeInternal, Message: "The service failed to answer this request.", Cause: err}
}
