package problem_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/contract"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/problem"
)

// kinds holds the expected status and title of each code, and whether it is final.
var kinds = []struct {
	code   common.ProblemCode
	status int
	title  string
	final  bool
}{
	{common.CodeInvalidInput, 400, "Invalid input", false},
	{common.CodeUnauthorized, 401, "Unauthorized", false},
	{common.CodeInvalidCredentials, 401, "Invalid credentials", false},
	{common.CodeForbidden, 403, "Forbidden", false},
	{common.CodeNotFound, 404, "Not found", true},
	{common.CodeCustomerNotFound, 404, "Customer not found", true},
	{common.CodeProductNotFound, 404, "Product not found", true},
	{common.CodeOrderNotFound, 404, "Order not found", true},
	{common.CodeUserNotFound, 404, "User not found", true},
	{common.CodeSessionNotFound, 404, "Session not found", true},
	{common.CodeIntegratorNotFound, 404, "Integrator not found", true},
	{common.CodeKeyNotFound, 404, "API key not found", true},
	{common.CodeMethodNotAllowed, 405, "Method not allowed", false},
	{common.CodeEmailTaken, 409, "E-mail address taken", true},
	{common.CodeSKUTaken, 409, "SKU taken", true},
	{common.CodeUsernameTaken, 409, "User name taken", true},
	{common.CodeIntegratorNameTaken, 409, "Integrator name taken", true},
	{common.CodeLastAdmin, 409, "Last administrator", true},
	{common.CodeInsufficientStock, 409, "Insufficient stock", true},
	{common.CodeProductArchived, 409, "Product archived", true},
	{common.CodeOrderCanceled, 409, "Order canceled", true},
	{common.CodeCancelWindowOver, 409, "Cancel window over", true},
	{common.CodeRequestInProgress, 409, "Request in progress", false}, // it has a default Retry-After
	{common.CodePreconditionFailed, 412, "Precondition failed", true},
	{common.CodeBodyTooLarge, 413, "Body too large", false},
	{common.CodeUnsupportedMediaType, 415, "Unsupported media type", false},
	{common.CodeExpectationFailed, 417, "Expectation failed", false},
	{common.CodeMisdirectedRequest, 421, "Misdirected request", false},
	{common.CodeHeadersTooLarge, 431, "Headers too large", false},
	{common.CodeIdempotencyKeyReused, 422, "Idempotency key reused", true},
	{common.CodeTotalTooLarge, 422, "Total too large", true},
	{common.CodeTooManyRequests, 429, "Too many requests", false},
	{common.CodeInternal, 500, "Internal error", false},
	{common.CodeNotImplemented, 501, "Not implemented", false},
	{common.CodeUnavailable, 503, "Unavailable", false},
	{common.CodeCustomersUnavailable, 503, "Customers unavailable", false},
	{common.CodeOrdersUnavailable, 503, "Orders unavailable", false},
	{common.CodeHTTPVersionNotSupported, 505, "HTTP version not supported", false},
}

func TestStatusOfEveryCode(t *testing.T) {
	t.Parallel()
	for name, document := range map[string][]byte{
		"customers": contract.Customers, "orders": contract.Orders, "orchestrator": contract.Orchestrator,
	} {
		var c struct {
			Components struct {
				Schemas struct {
					ProblemCode struct {
						Known []common.ProblemCode `json:"x-extensible-enum"`
						Enum  []common.ProblemCode
					}
				}
			}
		}
		if err := json.Unmarshal(document, &c); err != nil {
			t.Fatal(err)
		}
		if closed := c.Components.Schemas.ProblemCode.Enum; closed != nil {
			t.Errorf("%s has the enum %q: generated clients would refuse new codes", name, closed)
		}
		codes := c.Components.Schemas.ProblemCode.Known
		if len(codes) != len(kinds) {
			t.Errorf("%s has %d codes, but this table %d", name, len(codes), len(kinds))
		}
		for _, code := range codes {
			if problem.Status(fault.New(code, "")) == 0 {
				t.Errorf("%s: %s has no status", name, code)
			}
		}
	}
}

func TestDocument(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		e := fault.New(kind.code, "What happened.")
		want := common.Problem{
			Type:    "urn:pedidos:problem:" + string(kind.code),
			Title:   kind.title,
			Status:  int32(kind.status),
			Detail:  "What happened.",
			Code:    kind.code,
			TraceID: "4bf92f3577b34da6a3ce929d0e0e4736",
		}
		if got := problem.Document(e, "4bf92f3577b34da6a3ce929d0e0e4736"); got != want || problem.Status(e) != kind.status {
			t.Errorf("%s: document %+v, want %+v", kind.code, got, want)
		}
	}
}

func TestDocumentDetails(t *testing.T) {
	t.Parallel()
	one := fault.Invalid(common.FieldError{Field: "limit", Message: "must be at least 1"})
	two := fault.Invalid(one.Fields[0], common.FieldError{Field: "cursor", Message: "is bad"})
	about := fault.New(common.CodeCustomerNotFound, "There is no customer 7.").About("customer_id", "there is no customer 7")
	short := fault.New(common.CodeInsufficientStock, "There is not enough stock.")
	short.Shortages = []common.Shortage{{ProductID: 1, Requested: 5, Available: 2}}
	for _, test := range []struct {
		e    *fault.Error
		want string
	}{
		{one, `{"code":"invalid_input","detail":"The request has an invalid field.",` +
			`"errors":[{"field":"limit","message":"must be at least 1"}],` +
			`"status":400,"title":"Invalid input","trace_id":"t","type":"urn:pedidos:problem:invalid_input"}`},
		{two, `{"code":"invalid_input","detail":"The request has invalid fields.",` +
			`"errors":[{"field":"limit","message":"must be at least 1"},{"field":"cursor","message":"is bad"}],` +
			`"status":400,"title":"Invalid input","trace_id":"t","type":"urn:pedidos:problem:invalid_input"}`},
		{about, `{"code":"customer_not_found","detail":"There is no customer 7.",` +
			`"errors":[{"field":"customer_id","message":"there is no customer 7"}],` +
			`"status":404,"title":"Customer not found","trace_id":"t","type":"urn:pedidos:problem:customer_not_found"}`},
		{short, `{"code":"insufficient_stock","detail":"There is not enough stock.",` +
			`"shortages":[{"available":2,"product_id":1,"requested":5}],` +
			`"status":409,"title":"Insufficient stock","trace_id":"t","type":"urn:pedidos:problem:insufficient_stock"}`},
	} {
		if got, err := json.Marshal(problem.Document(test.e, "t")); err != nil || string(got) != test.want {
			t.Errorf("document %s, %v, want %s", got, err, test.want)
		}
	}
}

func TestFinal(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		e := fault.New(kind.code, "")
		if got, final := problem.Final(fmt.Errorf("wrapped: %w", e)); final != kind.final || (final && got != e) {
			t.Errorf("%s: Final = %v, %t, want %t", kind.code, got, final, kind.final)
		}
		e.RetryAfter = time.Second
		if _, final := problem.Final(e); final {
			t.Errorf("Final(%s with Retry-After) = true", kind.code)
		}
	}
	for _, err := range []error{nil, io.EOF, fault.New("unknown_code", "")} {
		if got, final := problem.Final(err); got != nil || final {
			t.Errorf("Final(%v) = %v, %t", err, got, final)
		}
	}
}

func TestSetHeaders(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		code         common.ProblemCode
		cause        error
		retryAfter   time.Duration
		retry, login string // Retry-After and WWW-Authenticate
	}{
		{common.CodeNotFound, nil, 0, "", ""},
		{common.CodeForbidden, nil, 0, "", ""},
		{common.CodeUnauthorized, nil, 0, "", `Bearer realm="pedidos"`},
		{common.CodeUnauthorized, io.EOF, 0, "", `Bearer realm="pedidos", error="invalid_token"`},
		{common.CodeInvalidCredentials, nil, 0, "", `Bearer realm="pedidos"`},
		{common.CodeUnavailable, nil, time.Nanosecond, "1", ""},
		{common.CodeUnavailable, nil, 999 * time.Millisecond, "1", ""},
		{common.CodeUnavailable, nil, time.Second, "1", ""},
		{common.CodeTooManyRequests, nil, time.Second + time.Nanosecond, "2", ""},
		{common.CodeRequestInProgress, nil, 90 * time.Second, "90", ""},
		{common.CodeUnavailable, nil, 0, "1", ""},
		{common.CodeCustomersUnavailable, nil, 0, "1", ""},
		{common.CodeOrdersUnavailable, nil, 0, "1", ""},
		{common.CodeRequestInProgress, nil, 0, "1", ""},
		{common.CodeTooManyRequests, nil, 0, "1", ""},
	} {
		h := http.Header{}
		problem.SetHeaders(h, &fault.Error{Code: test.code, Cause: test.cause, RetryAfter: test.retryAfter})
		if h.Get("Retry-After") != test.retry || h.Get("WWW-Authenticate") != test.login {
			t.Errorf("%s, %s: %v, want Retry-After %q, WWW-Authenticate %q", test.code, test.retryAfter, h, test.retry, test.login)
		}
	}
}

func TestCauseIsNotSent(t *testing.T) {
	t.Parallel()
	cause := errors.New("planted: dial tcp 10.0.0.7:3306")
	for _, e := range []*fault.Error{
		fault.From(cause),
		fault.From(fmt.Errorf("planted: %w", cause)),
		fault.From(fmt.Errorf("planted: %w", fault.Unavailable(common.CodeUnavailable, "The database does not answer.", cause))),
		fault.Unavailable(common.CodeCustomersUnavailable, "The customers do not answer.", cause),
		fault.From(&fault.Error{Code: common.CodeInternal, Cause: cause}),
	} {
		if !errors.Is(e, cause) || !strings.Contains(e.Error(), "planted") {
			t.Errorf("%v: the error does not contain its cause", e)
		}
		doc, err := json.Marshal(problem.Document(e, "t"))
		if err != nil {
			t.Fatal(err)
		}
		h := http.Header{}
		problem.SetHeaders(h, e)
		sent := string(doc) + fmt.Sprint(h)
		if strings.Contains(sent, "planted") || strings.Contains(sent, "10.0.0.7") {
			t.Errorf("the answer contains the cause: %s", sent)
		}
	}
}
