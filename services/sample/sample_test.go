package sample_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/services/internal/apitest"
	"github.com/pedidos-hq/pedidos/services/orders"
	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/sample"
)

// check counts the rows of each table in want, and audits the database.
func check(t *testing.T, db *database.DB, want map[string]int) {
	t.Helper()
	got := map[string]int{}
	err := db.Read(t.Context(), func(conn database.Conn) error {
		for table := range want {
			var n int
			if err := conn.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+table).Scan(&n); err != nil {
				return err
			}
			got[table] = n
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(got, want) {
		t.Errorf("row counts %v, want %v", got, want)
	}
	if _, err := orders.Audit(t.Context(), db, func(sentence string) { t.Error("audit:", sentence) }); err != nil {
		t.Error(err)
	}
}

func TestAdd(t *testing.T) {
	t.Parallel()
	db, _ := apitest.NewDB(t)
	want := map[string]int{"customers": 2, "products": 3, "stock_adjustments": 3, "orders": 0}
	for _, first := range []bool{true, false} {
		if added, err := sample.Add(t.Context(), db); err != nil || added != first {
			t.Fatalf("Add = %t, %v, want %t", added, err, first)
		}
		check(t, db, want)
	}
}

func TestGenerate(t *testing.T) {
	t.Parallel()
	db, _ := apitest.NewDB(t)
	until := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var reported []string
	progress := func(table string, done, total int) {
		reported = append(reported, fmt.Sprintf("%s %d/%d", table, done, total))
	}
	if err := sample.Generate(t.Context(), db, sample.Size{Orders: 5}, until, 1, progress); !errors.Is(err, orders.ErrNothingToOrder) {
		t.Errorf("orders in an empty database: %v, want ErrNothingToOrder", err)
	}
	for times := 1; times <= 2; times++ {
		reported = nil
		if err := sample.Generate(t.Context(), db, sample.Size{Customers: 20, Products: 10, Orders: 200}, until, 1, progress); err != nil {
			t.Fatal(err)
		}
		check(t, db, map[string]int{"customers": 20 * times, "products": 10 * times, "orders": 200 * times})
		want := []string{"customers 0/20", "customers 20/20", "products 0/10", "products 10/10", "orders 0/200", "orders 200/200"}
		if !slices.Equal(reported, want) {
			t.Errorf("progress %q, want %q", reported, want)
		}
	}
}
