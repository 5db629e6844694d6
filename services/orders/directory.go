package orders

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/maypok86/otter/v2"
	"github.com/maypok86/otter/v2/stats"

	"github.com/pedidos-hq/pedidos/gen/common"
	api "github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/gen/customers/client"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/metrics"
	"github.com/pedidos-hq/pedidos/services/platform/process"
	"github.com/pedidos-hq/pedidos/services/platform/telemetry"
	"github.com/pedidos-hq/pedidos/services/platform/upstream"
)

// Customer is the buyer of an order.
type Customer = api.Customer

// Directory gets customers from customers-api. It caches them for CustomerCacheTTL, and unknown ids for CustomerCacheUnknownTTL.
// While a customer is cached, orders are accepted even if the customer is deleted or customers-api is down.
type Directory struct {
	client *client.ClientWithResponses
	cache  *otter.Cache[int64, *Customer] // nil for an unknown customer

	timeout time.Duration // for all tries together
}

const (
	maxCached = 10_000 // customers
	tries     = 3
)

// NewDirectory returns the Directory of the customers-api at Config.CustomersAPIBase.
func NewDirectory(p process.Process) (*Directory, error) {
	config := p.Config
	c, err := client.NewClientWithResponses(config.CustomersAPIBase,
		client.WithHTTPClient(upstream.NewClient(upstream.Policy{
			Name: "customers", Timeout: config.UpstreamTimeout, Tries: tries, Metrics: p.Metrics, Tracing: p.Tracing,
		})),
		client.WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
			r.Header.Set("Authorization", "Bearer "+config.ServiceToken.First())
			return nil
		}))
	if err != nil {
		return nil, fmt.Errorf("customers client: %w", err)
	}
	cache, err := otter.New(&otter.Options[int64, *Customer]{
		MaximumSize:   maxCached,
		StatsRecorder: newCacheMetrics(p.Metrics),
		ExpiryCalculator: otter.ExpiryWritingFunc(func(e otter.Entry[int64, *Customer]) time.Duration {
			if e.Value == nil {
				return config.CustomerCacheUnknownTTL
			}
			return config.CustomerCacheTTL
		}),
	})
	if err != nil {
		return nil, fmt.Errorf("customers cache: %w", err)
	}
	p.Metrics.GaugeFunc("pedidos_customer_cache_entries", "Customers in the cache.", nil, func() float64 { return float64(cache.EstimatedSize()) })
	return &Directory{client: c, cache: cache, timeout: tries * config.UpstreamTimeout}, nil
}

// Get returns a customer, or fails with customer_not_found or customers_unavailable. Concurrent calls for a customer share one
// request. Set fresh if the error may be stored under an idempotency key: Get then does not return a cached customer_not_found.
func (d *Directory) Get(ctx context.Context, id int64, fresh bool) (Customer, error) {
	telemetry.Note(ctx, "customer_cache", "hit") // load overwrites it
	asked := false
	found, err := d.cache.Get(ctx, id, otter.LoaderFunc[int64, *Customer](func(ctx context.Context, id int64) (*Customer, error) {
		asked = true
		return d.load(ctx, id)
	}))
	if err == nil && found == nil && fresh && !asked {
		if found, err = d.load(ctx, id); err == nil {
			d.cache.Set(id, found)
		}
	}
	if err != nil {
		return Customer{}, err
	}
	if found == nil {
		return Customer{}, fault.New(common.CodeCustomerNotFound, fmt.Sprintf("There is no customer %d.", id)).
			About("customer_id", fmt.Sprintf("there is no customer %d", id))
	}
	return *found, nil
}

// load asks customers-api. Other callers wait for the result too, so it continues when the call that started it ends.
func (d *Directory) load(ctx context.Context, id int64) (*Customer, error) {
	telemetry.Note(ctx, "customer_cache", "miss")
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), d.timeout)
	defer cancel()
	r, err := d.client.GetCustomerInternalWithResponse(ctx, id)
	switch {
	case err != nil:
		return nil, fault.Unavailable(common.CodeCustomersUnavailable, "customers-api does not answer.", err)
	case r.JSON200 != nil && r.JSON200.ID == id && r.JSON200.Name != "" && r.JSON200.Email != "":
		return r.JSON200, nil
	case r.StatusCode() < http.StatusBadRequest: // the generated client also decodes {} to a customer
		return nil, fault.Unavailable(common.CodeCustomersUnavailable, "customers-api does not answer.",
			fmt.Errorf("customers-api answered %s without the customer", r.Status()))
	case r.ApplicationProblemJSON404 != nil && r.ApplicationProblemJSON404.Code == common.CodeCustomerNotFound:
		return nil, nil
	case r.StatusCode() >= http.StatusInternalServerError:
		return nil, fault.Unavailable(common.CodeCustomersUnavailable, "customers-api does not answer.",
			errors.New("customers-api answered "+r.Status()))
	}
	return nil, fmt.Errorf("customers-api answered %s to the service token", r.Status())
}

// cacheMetrics counts the hits, misses and loads of the cache.
type cacheMetrics struct {
	stats.NoopRecorder
	hits, misses, loaded, failed metrics.Counter
}

func newCacheMetrics(m *metrics.Registry) *cacheMetrics {
	lookups := m.CounterVec("pedidos_customer_cache_total", "Look-ups in the cache of customers, by outcome.", "outcome")
	loads := m.CounterVec("pedidos_customer_loads_total", "Requests for customers to customers-api, by outcome.", "outcome")
	return &cacheMetrics{
		hits: lookups.WithLabelValues("hit"), misses: lookups.WithLabelValues("miss"),
		loaded: loads.WithLabelValues("answered"), failed: loads.WithLabelValues("failed"),
	}
}

func (c *cacheMetrics) RecordHits(n int)                { c.hits.Add(float64(n)) }
func (c *cacheMetrics) RecordMisses(n int)              { c.misses.Add(float64(n)) }
func (c *cacheMetrics) RecordLoadSuccess(time.Duration) { c.loaded.Inc() }
func (c *cacheMetrics) RecordLoadFailure(time.Duration) { c.failed.Inc() }
