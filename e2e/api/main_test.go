// Package api tests the services with the generated clients over HTTP. Every exchange is checked against the contract.
package api

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/world"
	"github.com/pedidos-hq/pedidos/gen/contract"
	ordersservice "github.com/pedidos-hq/pedidos/services/orders"
)

// coverage counts the responses of all tests of the package by operation and status.
var coverage world.Coverage

func TestMain(m *testing.M) { os.Exit(max(m.Run(), checkCoverage())) }

// unreachable returns why a client can't cause a status of an operation, or "" if it can.
func unreachable(operation string, status int) string {
	switch {
	case status == 500:
		return "a fault of the service"
	case status == 503 && operation != "createOrder" && operation != "createAndConfirmOrder" && operation != "getReady":
		return "a fault of the database, shown on getReady and createOrder"
	}
	if status == 409 && slices.Contains([]string{"resetUser", "createKey", "deleteCustomer", "revokeKey"}, operation) {
		return "only for a concurrent request under the same key, shown on createOrder"
	}
	return ""
}

// checkCoverage prints the statuses of each operation with their counts. It returns 1 if a status that a client can cause is
// missing, and 0 otherwise.
func checkCoverage() int {
	code := 0
	for _, name := range []string{"test.run", "test.skip", "test.list", "test.fuzz"} {
		if flag.Lookup(name).Value.String() != "" { // only some of the tests run
			return 0
		}
	}
	for _, data := range [][]byte{contract.Customers, contract.Orders, contract.Orchestrator} {
		c, err := world.LoadContract(data)
		if err != nil {
			fmt.Println(err)
			return 1
		}
		fmt.Println(c.Doc.Info.Title)
		for _, path := range c.Doc.Paths.InMatchingOrder() {
			operations := c.Doc.Paths.Value(path).Operations()
			for _, method := range slices.Sorted(maps.Keys(operations)) {
				operation := operations[method]
				line := fmt.Sprintf("  %-26s", operation.OperationID)
				for _, declared := range slices.Sorted(maps.Keys(operation.Responses.Map())) {
					status, _ := strconv.Atoi(declared)
					n := coverage.Count(operation.OperationID, status)
					switch {
					case n > 0:
						line += fmt.Sprintf(" %d×%d", status, n)
					case unreachable(operation.OperationID, status) == "":
						line += fmt.Sprintf(" %d×MISSING", status)
						code = 1
					}
				}
				fmt.Println(line)
			}
		}
	}
	return code
}

// newWorld starts the services for one test.
func newWorld(t *testing.T, o world.Options) *world.World {
	t.Helper()
	o.Coverage = &coverage
	return world.New(t, o)
}

// audit fails the test if pedidos audit would report an inconsistency.
func audit(t *testing.T, w *world.World) {
	t.Helper()
	if _, err := ordersservice.Audit(t.Context(), w.DB, func(finding string) { t.Error("audit: ", finding) }); err != nil {
		t.Fatalf("audit: %v", err)
	}
}

// optional returns the text, or "none" instead of nil.
func optional(s *string) string {
	if s == nil {
		return "none"
	}
	return *s
}
