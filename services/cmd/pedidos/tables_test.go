package main

import (
	"maps"
	"regexp"
	"slices"
	"testing"

	"github.com/pedidos-hq/pedidos/services/customers"
	"github.com/pedidos-hq/pedidos/services/orders"
	schema "github.com/pedidos-hq/pedidos/sql"
)

func TestEachTableHasOneOwner(t *testing.T) {
	t.Parallel()
	var inSchema []string
	for _, found := range regexp.MustCompile(`(?m)^CREATE TABLE (\w+)`).FindAllStringSubmatch(schema.MySQL, -1) {
		inSchema = append(inSchema, found[1])
	}
	owned := slices.Concat(slices.Collect(maps.Keys(customers.Rights())), slices.Collect(maps.Keys(orders.Rights())))
	slices.Sort(inSchema)
	slices.Sort(owned)
	if !slices.Equal(owned, inSchema) {
		t.Errorf("the services own\n%q, schema.sql has\n%q", owned, inSchema)
	}
}
