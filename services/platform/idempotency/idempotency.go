package idempotency

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/auth"
	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/metrics"
	"github.com/pedidos-hq/pedidos/services/platform/problem"
	"github.com/pedidos-hq/pedidos/services/platform/telemetry"
)

// Replayed is the header of an answer that was kept.
const Replayed = "Idempotency-Replayed"

// keptHeaders are stored with an answer.
var keptHeaders = []string{"Content-Type", "ETag", "Location"}

// Request is what is to happen once. Without a Key it simply happens.
type Request struct {
	Key         string
	Fingerprint []byte

	// Prepare, where set, runs before the transaction, and not for a repeat. A refusal that it returns is the answer.
	Prepare func(ctx context.Context) error
}

// Answer is a response, as it is kept and sent.
type Answer struct {
	Status   int
	Header   map[string]string
	Body     []byte
	Replayed bool
}

// Record makes an Answer of a generated response: pass its Visit method.
func Record(visit func(http.ResponseWriter) error) (Answer, error) {
	r := recorder{header: http.Header{}}
	if err := visit(&r); err != nil {
		return Answer{}, fmt.Errorf("encode answer: %w", err)
	}
	a := Answer{Status: r.status, Header: map[string]string{}, Body: r.body.Bytes()}
	for _, name := range keptHeaders {
		if value := r.header.Get(name); value != "" {
			a.Header[name] = value
		}
	}
	return a, nil
}

type recorder struct {
	status int
	header http.Header
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(p []byte) (int, error) { return r.body.Write(p) }

// Write sends the answer.
func (a Answer) Write(w http.ResponseWriter) error {
	for name, value := range a.Header {
		w.Header().Set(name, value)
	}
	if a.Replayed {
		w.Header().Set(Replayed, "true")
	}
	w.WriteHeader(a.Status)
	_, err := w.Write(a.Body)
	return err
}

// Record of a key, as the database keeps it.
type Entry struct {
	Caller, Key string
	Fingerprint []byte
	Status      int32
	Headers     string
	Body        []byte
	CreatedAt   time.Time
	ExpiresAt   time.Time
}

// Store is a service's own table of keys.
type Store interface {
	Find(ctx context.Context, conn database.Conn, caller, key string) (Entry, error) // database.ErrNotFound
	DropExpired(ctx context.Context, conn database.Conn, caller, key string, now time.Time) error
	Claim(ctx context.Context, rows database.Conn, e Entry) error                                  // an INSERT; a duplicate key where it is claimed already
	Answer(ctx context.Context, rows database.Conn, e Entry) error                                 // a REPLACE
	Expired(ctx context.Context, conn database.Conn, now time.Time, most int) ([]Entry, error)     // locked; caller and key alone
	Taken(ctx context.Context, conn database.Conn, caller string, keys []string) ([]string, error) // which of the keys are there
	Drop(ctx context.Context, conn database.Conn, caller string, keys []string) error
}

// Keeper keeps the answers of one service.
type Keeper struct {
	db    *database.DB
	store Store
	ttl   time.Duration
	now   func() time.Time
	lines *lines

	replays, reused, inProgress metrics.Counter
}

// NewKeeper returns a keeper that forgets keys after ttl. Its metrics bear the name of the service.
func NewKeeper(db *database.DB, store Store, ttl time.Duration, now func() time.Time, service string, m *metrics.Registry) *Keeper {
	conflicts := m.CounterVec("pedidos_idempotency_conflicts_total", "Requests refused because of their idempotency key, by reason.", "service", "reason")
	return &Keeper{
		db: db, store: store, ttl: ttl, now: now, lines: newLines(),
		replays:    m.CounterVec("pedidos_idempotency_replays_total", "Repeated requests answered with the stored answer.", "service").WithLabelValues(service),
		reused:     conflicts.WithLabelValues(service, "reused"),
		inProgress: conflicts.WithLabelValues(service, "in_progress"),
	}
}

// Do lets the request happen in a transaction of its own, or returns the answer that it got before. The effect may be run
// again from the start, and it refuses, with a problem that is kept as the answer, only before it has written.
func (k *Keeper) Do(ctx context.Context, r Request, effect func(context.Context, database.Conn) (Answer, error)) (Answer, error) {
	return k.do(ctx, r, func(p *part) error {
		return k.serve(ctx, p, func(conn database.Conn) error {
			if p.taken {
				return nil
			}
			return p.settle(effect(ctx, conn))
		})
	})
}

// Operation is requests of one kind, which are served together where they come together: in one transaction and with one
// effect, and yet each under its own key, with its own answer and its own refusal.
type Operation[T any] struct {
	keeper *Keeper
	group  *database.Group[*task[T]]
}

// Result is what came of one input: a value, or the refusal that is its answer.
type Result[R any] struct {
	Value   R
	Refusal error
}

// NewOperation returns an operation. Its effect, on the inputs of some requests, returns a result for each, and may be run
// again from the start. It refuses an input before it has written anything of it; an error is for all of them, and nothing
// of what was written stays. Encode makes the answer of a value. The context is not that of any one request: who called
// must be in the input. Locks are the rows that the effect on an input locks.
func NewOperation[T, R any](k *Keeper, locks database.Locks[T], effect func(ctx context.Context, conn database.Conn, inputs []T) ([]Result[R], error),
	encode func(R) (Answer, error),
) *Operation[T] {
	of := database.Locks[*task[T]]{Held: locks.Held, Rows: func(t *task[T]) []int64 { return locks.Rows(t.input) }}
	return &Operation[T]{keeper: k, group: database.NewGroup(k.db, of, func(ctx context.Context, conn database.Conn, tasks []*task[T]) error {
		parts := make([]*part, len(tasks))
		for i, t := range tasks {
			parts[i] = t.part
		}
		return k.once(ctx, conn, parts, func(conn database.Conn) error {
			var parts []*part
			var inputs []T
			for _, t := range tasks {
				if !t.taken {
					parts, inputs = append(parts, t.part), append(inputs, t.input)
				}
			}
			if len(inputs) == 0 {
				return nil
			}
			results, err := effect(ctx, conn, inputs)
			if err != nil {
				return err
			}
			for i, r := range results {
				var answer Answer
				err := r.Refusal
				if err == nil {
					answer, err = encode(r.Value)
				}
				if err := parts[i].settle(answer, err); err != nil {
					return err
				}
			}
			return nil
		})
	})}
}

// Do lets the request happen, or returns the answer that it got before.
func (o *Operation[T]) Do(ctx context.Context, r Request, input T) (Answer, error) {
	return o.keeper.do(ctx, r, func(p *part) error { return o.group.Do(ctx, &task[T]{p, input}) })
}

// task is a request of an operation.
type task[T any] struct {
	*part
	input T
}

// part is a request while it is served.
type part struct {
	ctx    context.Context
	entry  Entry
	over   bool // the key was used before, too long ago to count
	taken  bool // the key was claimed, and answered, by another process
	answer Answer
}

// settle sets the answer. An error that is not a refusal, which is an answer too, is returned.
func (p *part) settle(answer Answer, err error) error {
	if refused, final := problem.Final(err); final {
		answer, err = encode(p.ctx, refused)
	}
	p.answer = answer
	return err
}

// do has a request served, or replays its answer, and says which.
func (k *Keeper) do(ctx context.Context, r Request, serve func(*part) error) (Answer, error) {
	answer, err := k.serveOrReplay(ctx, r, serve)
	refused := (*fault.Error)(nil)
	switch {
	case answer.Replayed:
		k.replays.Inc()
		telemetry.Note(ctx, "idempotency", "replayed")
	case errors.As(err, &refused) && refused.Code == common.CodeIdempotencyKeyReused:
		k.reused.Inc()
		telemetry.Note(ctx, "idempotency", "reused")
	case errors.As(err, &refused) && refused.Code == common.CodeRequestInProgress:
		k.inProgress.Inc()
		telemetry.Note(ctx, "idempotency", "in_progress")
	case err == nil && r.Key != "":
		telemetry.Note(ctx, "idempotency", "first")
	}
	return answer, err
}

func (k *Keeper) serveOrReplay(ctx context.Context, r Request, serve func(*part) error) (Answer, error) {
	caller, _ := auth.From(ctx)
	p := &part{ctx: ctx, entry: Entry{Caller: caller.Name, Key: r.Key, Fingerprint: r.Fingerprint}}
	if r.Key != "" {
		answer, found, done, err := k.await(ctx, p.entry)
		if found == kept || err != nil {
			return answer, err
		}
		defer done()
		p.over = found == expired
	}
	if r.Prepare != nil {
		if refusal := r.Prepare(ctx); refusal != nil {
			serve = func(p *part) error {
				if err := p.settle(Answer{}, refusal); err != nil {
					return err
				}
				return k.serve(ctx, p, func(database.Conn) error { return nil })
			}
		}
	}
	if err := serve(p); err != nil {
		return Answer{}, err // p may still be served: for those who have not given up
	}
	if !p.taken {
		return p.answer, nil
	}
	answer, found, err := k.replay(ctx, p.entry)
	if err == nil && found != kept { // swept in this very moment
		err = inProgress(nil)
	}
	return answer, err
}

// await returns the answer that is kept under a key, or has the caller serve the request: then done must be called once it
// is served. Meanwhile others with the key wait here, so that no transaction meets a key twice and nobody else's has to.
func (k *Keeper) await(ctx context.Context, of Entry) (answer Answer, found found, done func(), err error) {
	l, leave := k.lines.join(of.Caller, of.Key)
	defer func() {
		if done == nil {
			leave()
		}
	}()
	for {
		served := l.served.Load()
		if answer, found, err = k.replay(ctx, of); found == kept || err != nil {
			return answer, found, nil, err
		}
		if err := l.enter(ctx); err != nil {
			return Answer{}, nothing, nil, err
		}
		if l.served.Load() == served { // nobody was served since there was no answer
			return Answer{}, found, func() {
				l.exit()
				leave()
			}, nil
		}
		l.pass()
	}
}

// serve serves a request in a transaction of its own.
func (k *Keeper) serve(ctx context.Context, p *part, effect func(database.Conn) error) error {
	return k.db.Tx(ctx, func(conn database.Conn) error { return k.once(ctx, conn, []*part{p}, effect) })
}

// once is the transaction: the keys are claimed, the effect takes place and settles the parts, the answers are kept. Parts
// whose keys are taken are left out.
func (k *Keeper) once(ctx context.Context, conn database.Conn, parts []*part, effect func(database.Conn) error) error {
	keyed := slices.DeleteFunc(slices.Clone(parts), func(p *part) bool { return p.entry.Key == "" })
	slices.SortFunc(keyed, func(a, b *part) int { // so that no two transactions wait for each other
		return cmp.Or(cmp.Compare(a.entry.Caller, b.entry.Caller), cmp.Compare(a.entry.Key, b.entry.Key))
	})
	if err := k.claim(ctx, conn, keyed); err != nil {
		return err
	}
	if err := effect(conn); err != nil {
		return err
	}
	return k.keep(ctx, conn, keyed)
}

// claim inserts the keys, but for those that are taken. Where another transaction has inserted one and is not done, the
// database makes this one wait.
func (k *Keeper) claim(ctx context.Context, conn database.Conn, parts []*part) (err error) {
	now := k.now()
	for _, p := range parts {
		p.taken = false // this may be another try
		p.entry.CreatedAt, p.entry.ExpiresAt = now, now.Add(k.ttl)
		if p.over && err == nil {
			err = k.store.DropExpired(ctx, conn, p.entry.Caller, p.entry.Key, now) // waits as well
		}
	}
	for err == nil {
		_, err = k.db.Insert(ctx, conn, func(rows database.Conn) error {
			for _, p := range parts {
				if p.taken {
					continue
				}
				if err := k.store.Claim(ctx, rows, p.entry); err != nil {
					return err
				}
			}
			return nil
		})
		if err = k.db.Classify(err); !errors.Is(err, database.ErrDuplicate) {
			break
		}
		var more bool
		if more, err = k.findTaken(ctx, conn, parts); err == nil && !more { // it was swept since
			return inProgress(nil)
		}
	}
	if err = k.db.Classify(err); errors.Is(err, database.ErrLockTimeout) {
		return inProgress(err)
	}
	return err
}

// findTaken finds the parts whose keys another process has claimed, and reports whether there are more than before.
func (k *Keeper) findTaken(ctx context.Context, conn database.Conn, parts []*part) (more bool, err error) {
	keys := map[string][]string{}
	for _, p := range parts {
		keys[p.entry.Caller] = append(keys[p.entry.Caller], p.entry.Key)
	}
	for caller, of := range keys {
		taken, err := k.store.Taken(ctx, conn, caller, of)
		if err != nil {
			return false, err
		}
		for _, p := range parts {
			if !p.taken && p.entry.Caller == caller && slices.Contains(taken, p.entry.Key) {
				p.taken, more = true, true
			}
		}
	}
	return more, nil
}

// keep writes the answers under the keys.
func (k *Keeper) keep(ctx context.Context, conn database.Conn, parts []*part) error {
	_, err := k.db.Insert(ctx, conn, func(rows database.Conn) error {
		for _, p := range parts {
			if p.taken {
				continue
			}
			headers, err := json.Marshal(p.answer.Header)
			if err != nil {
				return fmt.Errorf("encode kept headers: %w", err)
			}
			p.entry.Status, p.entry.Headers, p.entry.Body = int32(p.answer.Status), string(headers), p.answer.Body
			if err := k.store.Answer(ctx, rows, p.entry); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

// found is what there is under a key.
type found int

const (
	nothing found = iota
	expired       // an answer whose time is over, and which was not swept yet
	kept
)

// replay returns the answer that is kept under the key, if there is one.
func (k *Keeper) replay(ctx context.Context, of Entry) (answer Answer, found found, err error) {
	var e Entry
	err = k.db.Read(ctx, func(conn database.Conn) (err error) {
		e, err = k.store.Find(ctx, conn, of.Caller, of.Key)
		return err
	})
	switch {
	case errors.Is(err, database.ErrNotFound):
		return Answer{}, nothing, nil
	case err != nil:
		return Answer{}, nothing, err
	case !e.ExpiresAt.After(k.now()):
		return Answer{}, expired, nil
	case !bytes.Equal(e.Fingerprint, of.Fingerprint):
		return Answer{}, nothing, fault.New(common.CodeIdempotencyKeyReused,
			"This idempotency key was used before with another request.").About(Header, "was used with another request")
	}
	answer = Answer{Status: int(e.Status), Body: e.Body, Replayed: true}
	if err := json.Unmarshal([]byte(e.Headers), &answer.Header); err != nil {
		return Answer{}, nothing, fmt.Errorf("decode kept headers: %w", err)
	}
	return answer, kept, nil
}

// sweepBatch is how many keys one transaction forgets.
const sweepBatch = 200

// Sweep forgets the keys whose time is over, and says how many.
func Sweep(ctx context.Context, db *database.DB, store Store, now time.Time) (int64, error) {
	return db.Batches(ctx, func(conn database.Conn) (n int, more bool, err error) {
		over, err := store.Expired(ctx, conn, now, sweepBatch)
		if err != nil {
			return 0, false, err
		}
		keys := map[string][]string{}
		for _, e := range over {
			keys[e.Caller] = append(keys[e.Caller], e.Key)
		}
		for caller, of := range keys {
			if err := store.Drop(ctx, conn, caller, of); err != nil {
				return 0, false, err
			}
		}
		return len(over), len(over) == sweepBatch, nil
	})
}

func inProgress(cause error) error {
	return &fault.Error{
		Code:    common.CodeRequestInProgress,
		Message: "Another request with this idempotency key is still being answered.",
		Cause:   cause,
	}
}

// encode makes the answer of a refusal, as the server would send it.
func encode(ctx context.Context, e *fault.Error) (Answer, error) {
	body, err := json.Marshal(problem.Document(e, telemetry.TraceID(ctx)))
	if err != nil {
		return Answer{}, fmt.Errorf("encode problem: %w", err)
	}
	return Answer{
		Status: problem.Status(e),
		Header: map[string]string{"Content-Type": problem.ContentType},
		Body:   append(body, '\n'),
	}, nil
}
