package backoffice_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/services/backoffice/locale"
)

// The report of the stock goes no further than the largest amount. The page says that there may be more.
func TestHomeLargestStock(t *testing.T) {
	t.Parallel()
	for cents, want := range map[int64]string{locale.MaxCents - 1: " $90,071,992,547,409.90 value", locale.MaxCents: " more than $90,071,992,547,409.91 value"} {
		d := newDesk(t, func(w http.ResponseWriter, c call) {
			switch c.path {
			case "/reports/orders":
				reply(w, orders.OrdersReport{Data: []orders.StatusCount{{Status: orders.StatusCreated, Orders: 1}}})
			case "/reports/sales":
				reply(w, orders.SalesReport{Data: []orders.SalesRow{{}}})
			default:
				reply(w, orders.StockReport{ValueCents: cents})
			}
		})
		if text, _ := d.page(http.StatusOK, http.MethodGet, "/", nil); !strings.Contains(text, want) {
			t.Errorf("a stock of %d cents: the page has no %q: %s", cents, want, text)
		}
	}
}

// The report counts the oldest orders up to 10,000. The page says that there may be more.
func TestHomeManyToConfirm(t *testing.T) {
	t.Parallel()
	for older, want := range map[int64]string{9_999: " 10,001 to confirm", 10_000: " 10,002+ to confirm"} {
		d := newDesk(t, func(w http.ResponseWriter, c call) {
			switch c.path {
			case "/reports/orders":
				reply(w, orders.OrdersReport{Data: []orders.StatusCount{
					{Status: orders.StatusCreated, Orders: older + 2, Ages: orders.OrderAges{Hour: 2, Older: &older}},
				}})
			case "/reports/sales":
				reply(w, orders.SalesReport{Data: []orders.SalesRow{{}}})
			default:
				reply(w, orders.StockReport{})
			}
		})
		if text, _ := d.page(http.StatusOK, http.MethodGet, "/", nil); !strings.Contains(text, want) {
			t.Errorf("%d older orders: the page has no %q: %s", older, want, text)
		}
	}
}

// An API that is newer than the backoffice may refuse with a code that the backoffice does not know. The page is that of an API that fails.
func TestUnknownCode(t *testing.T) {
	t.Parallel()
	d := newDesk(t, func(w http.ResponseWriter, _ call) { refuse(w, http.StatusConflict, "a_code_of_a_newer_release") })
	d.page(http.StatusServiceUnavailable, http.MethodGet, "/orders", nil)
}
