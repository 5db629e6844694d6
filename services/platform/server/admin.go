package server

import (
	"net/http"
	"net/http/pprof"
)

// Admin serves what is for those who run the process, and for nobody else: its metrics and its profiles, which are those
// of net/http/pprof.
func Admin(metrics http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metrics)
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}
