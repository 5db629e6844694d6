// Package fault holds the error that business rules and storage return. It knows nothing of HTTP: package problem has the
// table that gives each code its status and its headers.
package fault

import (
	"errors"
	"time"

	"github.com/pedidos-hq/pedidos/gen/common"
)

// Error says why a request fails. All of it is meant for the client, except Cause.
type Error struct {
	Code       common.ProblemCode
	Message    string // one sentence
	Fields     []common.FieldError
	Shortages  []common.Shortage
	RetryAfter time.Duration // how long to wait before a retry, where it differs from the code's default
	TraceID    string        // of the original request, where another service replays a stored answer
	Cause      error         // for the log only
}

// New returns an error with a sentence for the client.
func New(code common.ProblemCode, message string) *Error { return &Error{Code: code, Message: message} }

// Invalid returns an invalid_input error that names the invalid fields.
func Invalid(fields ...common.FieldError) *Error {
	message := "The request has an invalid field."
	if len(fields) > 1 {
		message = "The request has invalid fields."
	}
	return &Error{Code: common.CodeInvalidInput, Message: message, Fields: fields}
}

// Unavailable returns an error with a cause: something the service depends on does not answer.
func Unavailable(code common.ProblemCode, message string, cause error) *Error {
	return &Error{Code: code, Message: message, Cause: cause}
}

// About adds a field and what is wrong with it.
func (e *Error) About(field, message string) *Error {
	e.Fields = append(e.Fields, common.FieldError{Field: field, Message: message})
	return e
}

func (e *Error) Error() string {
	if e.Cause != nil {
		return string(e.Code) + ": " + e.Message + ": " + e.Cause.Error()
	}
	return string(e.Code) + ": " + e.Message
}

func (e *Error) Unwrap() error { return e.Cause }

// Is reports whether err is an Error with the code.
func Is(err error, code common.ProblemCode) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}

// From returns the Error in err's chain. Any other error becomes an internal one, with err as its cause.
func From(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Code: common.CodeInternal, Message: "The service failed to answer this request.", Cause: err}
}
