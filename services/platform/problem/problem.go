// Package problem maps errors to HTTP: the status and headers of each code, and the problem documents of RFC 9457.
package problem

import (
	"cmp"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
)

// ContentType is the media type of a problem document (RFC 9457, section 3).
const ContentType = "application/problem+json"

// Status returns the HTTP status of the code of e, or 0 if the code is unknown.
func Status(e *fault.Error) int { return kinds[e.Code].status }

// Final reports whether err refuses a valid request for good, and returns the fault.Error in its chain. This is the case for the
// statuses 404, 409, 412 and 422 without Retry-After. A repeat with the same idempotency key gets the same answer.
func Final(err error) (*fault.Error, bool) {
	var e *fault.Error
	if errors.As(err, &e) {
		switch Status(e) {
		case http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed, http.StatusUnprocessableEntity:
			return e, retryAfter(e) == 0
		}
	}
	return nil, false
}

// Document returns the problem document of e. Its trace id is traceID, unless e has one.
func Document(e *fault.Error, traceID string) common.Problem {
	kind := kinds[e.Code]
	doc := common.Problem{
		Type:    "urn:pedidos:problem:" + string(e.Code),
		Title:   kind.title,
		Status:  int32(kind.status),
		Detail:  e.Message,
		Code:    e.Code,
		TraceID: cmp.Or(e.TraceID, traceID),
	}
	if len(e.Fields) > 0 {
		doc.Errors = &e.Fields
	}
	if len(e.Shortages) > 0 {
		doc.Shortages = &e.Shortages
	}
	return doc
}

// SetHeaders sets Retry-After, in seconds, and WWW-Authenticate (RFC 6750, section 3) if e requires them.
func SetHeaders(h http.Header, e *fault.Error) {
	switch e.Code {
	case common.CodeUnauthorized:
		challenge := `Bearer realm="pedidos"`
		if e.Cause != nil { // the request has a token, but it is invalid (RFC 6750, section 3.1)
			challenge += `, error="invalid_token"`
		}
		h.Set("WWW-Authenticate", challenge)
	case common.CodeInvalidCredentials:
		h.Set("WWW-Authenticate", `Bearer realm="pedidos"`)
	}
	if wait := retryAfter(e); wait > 0 {
		h.Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second))) // whole seconds, rounded up
	}
}

// RetryAfter returns the wait in the header Retry-After of a response, if it is in seconds, or 0.
func RetryAfter(h http.Header) time.Duration {
	seconds, _ := strconv.Atoi(h.Get("Retry-After"))
	return time.Duration(seconds) * time.Second
}

func retryAfter(e *fault.Error) time.Duration { return cmp.Or(e.RetryAfter, kinds[e.Code].retryAfter) }

type kind struct {
	status     int
	title      string
	retryAfter time.Duration // default of Retry-After; 0 means none
}

// kinds maps all codes.
var kinds = map[common.ProblemCode]kind{
	common.CodeInvalidInput:            {status: http.StatusBadRequest, title: "Invalid input"},
	common.CodeUnauthorized:            {status: http.StatusUnauthorized, title: "Unauthorized"},
	common.CodeInvalidCredentials:      {status: http.StatusUnauthorized, title: "Invalid credentials"},
	common.CodeForbidden:               {status: http.StatusForbidden, title: "Forbidden"},
	common.CodeNotFound:                {status: http.StatusNotFound, title: "Not found"},
	common.CodeCustomerNotFound:        {status: http.StatusNotFound, title: "Customer not found"},
	common.CodeProductNotFound:         {status: http.StatusNotFound, title: "Product not found"},
	common.CodeOrderNotFound:           {status: http.StatusNotFound, title: "Order not found"},
	common.CodeUserNotFound:            {status: http.StatusNotFound, title: "User not found"},
	common.CodeSessionNotFound:         {status: http.StatusNotFound, title: "Session not found"},
	common.CodeIntegratorNotFound:      {status: http.StatusNotFound, title: "Integrator not found"},
	common.CodeKeyNotFound:             {status: http.StatusNotFound, title: "API key not found"},
	common.CodeMethodNotAllowed:        {status: http.StatusMethodNotAllowed, title: "Method not allowed"},
	common.CodeEmailTaken:              {status: http.StatusConflict, title: "E-mail address taken"},
	common.CodeSKUTaken:                {status: http.StatusConflict, title: "SKU taken"},
	common.CodeUsernameTaken:           {status: http.StatusConflict, title: "User name taken"},
	common.CodeIntegratorNameTaken:     {status: http.StatusConflict, title: "Integrator name taken"},
	common.CodeLastAdmin:               {status: http.StatusConflict, title: "Last administrator"},
	common.CodeInsufficientStock:       {status: http.StatusConflict, title: "Insufficient stock"},
	common.CodeProductArchived:         {status: http.StatusConflict, title: "Product archived"},
	common.CodeOrderCanceled:           {status: http.StatusConflict, title: "Order canceled"},
	common.CodeCancelWindowOver:        {status: http.StatusConflict, title: "Cancel window over"},
	common.CodeRequestInProgress:       {status: http.StatusConflict, title: "Request in progress", retryAfter: time.Second},
	common.CodePreconditionFailed:      {status: http.StatusPreconditionFailed, title: "Precondition failed"},
	common.CodeBodyTooLarge:            {status: http.StatusRequestEntityTooLarge, title: "Body too large"},
	common.CodeUnsupportedMediaType:    {status: http.StatusUnsupportedMediaType, title: "Unsupported media type"},
	common.CodeExpectationFailed:       {status: http.StatusExpectationFailed, title: "Expectation failed"},
	common.CodeMisdirectedRequest:      {status: http.StatusMisdirectedRequest, title: "Misdirected request"},
	common.CodeHeadersTooLarge:         {status: http.StatusRequestHeaderFieldsTooLarge, title: "Headers too large"},
	common.CodeIdempotencyKeyReused:    {status: http.StatusUnprocessableEntity, title: "Idempotency key reused"},
	common.CodeTotalTooLarge:           {status: http.StatusUnprocessableEntity, title: "Total too large"},
	common.CodeTooManyRequests:         {status: http.StatusTooManyRequests, title: "Too many requests", retryAfter: time.Second},
	common.CodeInternal:                {status: http.StatusInternalServerError, title: "Internal error"},
	common.CodeNotImplemented:          {status: http.StatusNotImplemented, title: "Not implemented"},
	common.CodeUnavailable:             {status: http.StatusServiceUnavailable, title: "Unavailable", retryAfter: time.Second},
	common.CodeCustomersUnavailable:    {status: http.StatusServiceUnavailable, title: "Customers unavailable", retryAfter: time.Second},
	common.CodeOrdersUnavailable:       {status: http.StatusServiceUnavailable, title: "Orders unavailable", retryAfter: time.Second},
	common.CodeHTTPVersionNotSupported: {status: http.StatusHTTPVersionNotSupported, title: "HTTP version not supported"},
}
