// Package api tests the services through their contracts: the generated clients over real HTTP, with every exchange held
// to the contract.
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

// coverage collects what all tests of the package have seen.
var coverage world.Coverage

func TestMain(m *testing.M) { os.Exit(max(m.Run(), checkCoverage())) }

// unreachable returns the reason why a client can't cause a status on an operation, or "".
func unreachable(operation string, status int) string {
	switch {
	case status == 500:
		return "a fault of the service"
	case status == 503 && operation != "createOrder" && operation != "createAndConfirmOrder" && operation != "getReady":
		return "a fault of the database, shown on getReady and createOrder"
	}
	return ""
}

// checkCoverage lists operations and the statuses they were answered with, and fails where one is missing that a client
// can cause.
func checkCoverage() (code int) {
	for _, name := range []string{"test.run", "test.skip", "test.list", "test.fuzz"} {
		if flag.Lookup(name).Value.String() != "" { // then not all tests were run
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

// newWorld boots the services for one test.
func newWorld(t *testing.T, o world.Options) *world.World {
	t.Helper()
	o.Coverage = &coverage
	return world.New(t, o)
}

// audit checks, as pedidos audit does, that everything adds up.
func audit(t *testing.T, w *world.World) {
	t.Helper()
	if _, err := ordersservice.Audit(t.Context(), w.DB, func(sentence string) { t.Error("audit: ", sentence) }); err != nil {
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
