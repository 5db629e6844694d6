// Package problem is the one error type of the services and the one table that turns it into an answer: an RFC 9457
// problem document.
package problem

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/pedidos-hq/pedidos/gen/common"
)

// ContentType is the media type of a problem document (RFC 9457, 3).
const ContentType = "application/problem+json"

// Error is what a request ends in where it does not succeed. Everything but Cause is meant for the client.
type Error struct {
	Code       common.ProblemCode
	Detail     string
	Fields     []common.FieldError
	Shortages  []common.Shortage
	RetryAfter time.Duration // rounded up to whole seconds
	TraceID    string        // of the request that was answered so first, where another service has kept its answer
	Cause      error         // for the log alone
}

// New returns an error with a sentence for the client.
func New(code common.ProblemCode, detail string) *Error { return &Error{Code: code, Detail: detail} }

// Invalid returns an invalid_input error that names the fields at fault.
func Invalid(fields ...common.FieldError) *Error {
	detail := "The request has a field at fault."
	if len(fields) > 1 {
		detail = "The request has fields at fault."
	}
	return &Error{Code: common.CodeInvalidInput, Detail: detail, Fields: fields}
}

// Unavailable says that something which the service needs does not answer; the client may retry in a second.
func Unavailable(code common.ProblemCode, detail string, cause error) *Error {
	return &Error{Code: code, Detail: detail, RetryAfter: time.Second, Cause: cause}
}

// About names the field that the error is about.
func (e *Error) About(field, message string) *Error {
	e.Fields = append(e.Fields, common.FieldError{Field: field, Message: message})
	return e
}

func (e *Error) Error() string {
	if e.Cause != nil {
		return string(e.Code) + ": " + e.Detail + ": " + e.Cause.Error()
	}
	return string(e.Code) + ": " + e.Detail
}

func (e *Error) Unwrap() error { return e.Cause }

// Status is the HTTP status of the error's code.
func (e *Error) Status() int { return kinds[e.Code].status }

// Refusal reports whether err is the service's own final word on a valid request: an answer that a repeat under the
// same idempotency key gets again.
func Refusal(err error) (*Error, bool) {
	var e *Error
	if errors.As(err, &e) {
		switch e.Status() {
		case http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity:
			return e, e.RetryAfter == 0
		}
	}
	return nil, false
}

// From makes an Error of any error; what is not one yet is internal and keeps err as its cause.
func From(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Code: common.CodeInternal, Detail: "The service failed to answer this request.", Cause: err}
}

// Document is the error as the client sees it. The trace is that of the request, unless the error has one of its own.
func (e *Error) Document(traceID string) common.Problem {
	kind := kinds[e.Code]
	if e.TraceID != "" {
		traceID = e.TraceID
	}
	doc := common.Problem{
		Type:    "urn:pedidos:problem:" + string(e.Code),
		Title:   kind.title,
		Status:  int32(kind.status),
		Detail:  e.Detail,
		Code:    e.Code,
		TraceID: traceID,
	}
	if len(e.Fields) > 0 {
		doc.Errors = &e.Fields
	}
	if len(e.Shortages) > 0 {
		doc.Shortages = &e.Shortages
	}
	return doc
}

// SetHeaders adds the headers that go with the error.
func (e *Error) SetHeaders(h http.Header) {
	switch e.Code {
	case common.CodeUnauthorized:
		challenge := `Bearer realm="pedidos"`
		if e.Cause != nil { // a token came, and was not one (RFC 6750, 3.1)
			challenge += `, error="invalid_token"`
		}
		h.Set("WWW-Authenticate", challenge)
	case common.CodeInvalidCredentials:
		h.Set("WWW-Authenticate", `Bearer realm="pedidos"`)
	}
	if e.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int((e.RetryAfter+time.Second-1)/time.Second)))
	}
}

type kind struct {
	status int
	title  string
}

var kinds = map[common.ProblemCode]kind{
	common.CodeInvalidInput:            {http.StatusBadRequest, "Invalid input"},
	common.CodeUnauthorized:            {http.StatusUnauthorized, "Unauthorized"},
	common.CodeInvalidCredentials:      {http.StatusUnauthorized, "Invalid credentials"},
	common.CodeForbidden:               {http.StatusForbidden, "Forbidden"},
	common.CodeNotFound:                {http.StatusNotFound, "Not found"},
	common.CodeCustomerNotFound:        {http.StatusNotFound, "Customer not found"},
	common.CodeProductNotFound:         {http.StatusNotFound, "Product not found"},
	common.CodeOrderNotFound:           {http.StatusNotFound, "Order not found"},
	common.CodeMethodNotAllowed:        {http.StatusMethodNotAllowed, "Method not allowed"},
	common.CodeEmailTaken:              {http.StatusConflict, "E-mail address taken"},
	common.CodeSKUTaken:                {http.StatusConflict, "SKU taken"},
	common.CodeInsufficientStock:       {http.StatusConflict, "Insufficient stock"},
	common.CodeOrderCanceled:           {http.StatusConflict, "Order canceled"},
	common.CodeCancelWindowOver:        {http.StatusConflict, "Cancel window over"},
	common.CodeRequestInProgress:       {http.StatusConflict, "Request in progress"},
	common.CodePreconditionFailed:      {http.StatusPreconditionFailed, "Precondition failed"},
	common.CodeBodyTooLarge:            {http.StatusRequestEntityTooLarge, "Body too large"},
	common.CodeUnsupportedMediaType:    {http.StatusUnsupportedMediaType, "Unsupported media type"},
	common.CodeExpectationFailed:       {http.StatusExpectationFailed, "Expectation failed"},
	common.CodeMisdirectedRequest:      {http.StatusMisdirectedRequest, "Misdirected request"},
	common.CodeHeadersTooLarge:         {http.StatusRequestHeaderFieldsTooLarge, "Headers too large"},
	common.CodeIdempotencyKeyReused:    {http.StatusUnprocessableEntity, "Idempotency key reused"},
	common.CodeTotalTooLarge:           {http.StatusUnprocessableEntity, "Total too large"},
	common.CodeTooManyRequests:         {http.StatusTooManyRequests, "Too many requests"},
	common.CodeInternal:                {http.StatusInternalServerError, "Internal error"},
	common.CodeNotImplemented:          {http.StatusNotImplemented, "Not implemented"},
	common.CodeUnavailable:             {http.StatusServiceUnavailable, "Unavailable"},
	common.CodeCustomersUnavailable:    {http.StatusServiceUnavailable, "Customers unavailable"},
	common.CodeOrdersUnavailable:       {http.StatusServiceUnavailable, "Orders unavailable"},
	common.CodeHTTPVersionNotSupported: {http.StatusHTTPVersionNotSupported, "HTTP version not supported"},
}
