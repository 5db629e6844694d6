package rig

import "testing"

func TestSumOf(t *testing.T) {
	t.Parallel()
	const text = `pedidos_upstream_tries_total{outcome="answered",upstream="customers"} 40
pedidos_upstream_tries_total{outcome="unanswered",upstream="customers"} 2
pedidos_upstream_tries_total{outcome="answered",upstream="orders"} 1000
pedidos_upstream_tries_total_more{upstream="customers"} 1000
go_goroutines 9
`
	if got := sumOf(text, "pedidos_upstream_tries_total", `upstream="customers"`); got != 42 {
		t.Errorf("%v calls, want 42", got)
	}
}
