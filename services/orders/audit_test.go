package orders_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pedidos-hq/pedidos/services/orders"
	"github.com/pedidos-hq/pedidos/services/platform/database"
)

func TestAuditFindsInconsistencies(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, statement, want string }{
		{"sound", "UPDATE products SET version = version + 1", ""},
		{"stock", "UPDATE products SET stock = stock + 1", "product 1: "},
		{"adjustment", "UPDATE stock_adjustments SET delta = delta + 1, to_stock = to_stock + 1", "product 1: "},
		{"movement", "UPDATE stock_adjustments SET from_stock = from_stock + 1", "product 1: "},
		{"total", "UPDATE orders SET total_cents = total_cents + 1 WHERE id = 1", "order 1: "},
		{"subtotal", "UPDATE order_lines SET subtotal_cents = 1 WHERE order_id = 2", "order 2: "},
		{"time of confirmation", "UPDATE orders SET confirmed_at = NULL WHERE id = 2", "order 2: "},
		{"time of cancellation", "UPDATE orders SET canceled_at = NULL WHERE id = 3", "order 3: "},
		{"history", "DELETE FROM order_events WHERE order_id = 2 AND to_status = 'CONFIRMED'", "order 2: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			product := s.product(100, 9)
			s.place(product, 1)
			s.confirm(s.place(product, 2).ID)
			s.cancel(s.place(product, 3).ID)
			s.wantSound()
			err := s.db.Tx(t.Context(), func(conn database.Conn) error {
				result, err := conn.ExecContext(t.Context(), test.statement)
				if err != nil {
					return err
				}
				n, err := result.RowsAffected()
				if err == nil && n != 1 {
					err = fmt.Errorf("the statement changed %d rows, want 1", n)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			var found []string
			broken, err := orders.Audit(t.Context(), s.db, func(sentence string) { found = append(found, sentence) })
			if err != nil || int(broken) != len(found) {
				t.Fatalf("Audit = %d, %v, with %q", broken, err, found)
			}
			if test.want == "" && broken > 0 || test.want != "" && (broken == 0 || !strings.HasPrefix(found[0], test.want)) {
				t.Errorf("the audit found %q, want %q", found, test.want)
			}
		})
	}
}
