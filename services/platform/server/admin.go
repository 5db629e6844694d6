package server

import (
	"net/http"
	"net/http/pprof"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
)

// Admin serves the metrics of the process and the profiles of net/http/pprof, for its operators only. If hosts are given, it
// rejects requests for any other host.
func Admin(metrics http.Handler, hosts []string) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metrics)
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		writeProblem(w, r, fault.New(common.CodeNotFound, "There is nothing at this path."))
	})
	if len(hosts) == 0 {
		return mux
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := misdirected(r, hosts); err != nil {
			writeProblem(w, r, fault.From(err))
			return
		}
		mux.ServeHTTP(w, r)
	})
}
