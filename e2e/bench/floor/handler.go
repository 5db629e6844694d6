package floor

import (
	"database/sql"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/pedidos-hq/pedidos/gen/ordersdb"
)

// Handler answers GET /orders/{id} as orders-api does, with the same two SELECTs and the same JSON, but without authorization
// and validation. It also answers /ready.
func Handler(db *sql.DB) http.Handler {
	q := ordersdb.New(db)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /orders/{id}", func(w http.ResponseWriter, r *http.Request) {
		id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		found, err := q.GetOrder(r.Context(), id)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		lines, err := q.ListOrderLines(r.Context(), []int64{id})
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("ETag", strconv.Quote(strconv.FormatInt(found.Version, 10)))
		_ = json.NewEncoder(w).Encode(order(found, lines)) // fails if the client hung up
	})
	mux.HandleFunc("GET /ready", func(w http.ResponseWriter, r *http.Request) {
		if err := db.PingContext(r.Context()); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
	})
	return mux
}
