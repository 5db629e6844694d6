package idempotency

import (
	"context"
	"hash/maphash"
	"time"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/metrics"
	"github.com/pedidos-hq/pedidos/services/platform/telemetry"
)

// Keeper stores the answers of one service.
type Keeper struct {
	db     *database.DB
	store  Store
	ttl    time.Duration
	now    func() time.Time
	turns  turns
	recent recent

	replays, reused, inProgress metrics.Counter
}

// NewKeeper returns a Keeper. Keys expire after ttl. The metrics have the label service.
func NewKeeper(db *database.DB, store Store, ttl time.Duration, now func() time.Time, service string, m *metrics.Registry) *Keeper {
	conflicts := m.CounterVec("pedidos_idempotency_conflicts_total", "Requests refused because of their idempotency key, by reason.", "service", "reason")
	return &Keeper{
		db: db, store: store, ttl: ttl, now: now,
		turns: turns{of: map[id]*turn{}}, recent: recent{seed: maphash.MakeSeed()},
		replays:    m.CounterVec("pedidos_idempotency_replays_total", "Repeated requests answered with the stored answer.", "service").WithLabelValues(service),
		reused:     conflicts.WithLabelValues(service, "reused"),
		inProgress: conflicts.WithLabelValues(service, "in_progress"),
	}
}

// count counts the outcome of a request, and notes it in the span.
func (k *Keeper) count(ctx context.Context, r Request, answer Answer, err error) {
	switch {
	case answer.Replayed:
		k.replays.Inc()
		telemetry.Note(ctx, "idempotency", "replayed")
	case fault.Is(err, common.CodeIdempotencyKeyReused):
		k.reused.Inc()
		telemetry.Note(ctx, "idempotency", "reused")
	case fault.Is(err, common.CodeRequestInProgress):
		k.inProgress.Inc()
		telemetry.Note(ctx, "idempotency", "in_progress")
	case err == nil && r.Key != "":
		telemetry.Note(ctx, "idempotency", "first")
	}
}

// sweepBatch is the number of keys that a transaction of Sweep deletes.
const sweepBatch = 200

// Sweep deletes the expired keys of a store and returns their number. Several processes may call it at the same time. Keys that are
// locked, or whose deletion the database rolls back, may remain until the next call.
func Sweep(ctx context.Context, db *database.DB, s Store, now time.Time) (int64, error) {
	from := time.Unix(0, 0)
	return db.Batches(ctx, func(conn database.Conn) (n int, more bool, err error) {
		expired, err := s.Expired(ctx, conn, from, now, sweepBatch)
		if err != nil || len(expired) == 0 {
			return 0, false, err
		}
		// While a snapshot is open, MySQL keeps the deleted entries of the index, which the next transaction must not read again.
		from = expired[len(expired)-1].ExpiresAt
		keys := map[string][]string{}
		for _, e := range expired {
			keys[e.Caller] = append(keys[e.Caller], e.Key)
		}
		for caller, of := range keys {
			dropped, err := s.DropExpired(ctx, conn, caller, of, now) // a request may have replaced one of them
			if err != nil {
				return 0, false, err
			}
			n += int(dropped)
		}
		return n, len(expired) == sweepBatch, nil
	})
}
