package idempotency

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/auth"
	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/problem"
	"github.com/pedidos-hq/pedidos/services/platform/telemetry"
)

// Request is a write with its idempotency key. If Key is empty, the write takes effect each time it is sent.
type Request struct {
	Key         string
	Fingerprint []byte // detects the reuse of a key for another request

	// Prepare, if set, runs before the transaction. An error that is final (problem.Final) becomes the answer.
	Prepare func(ctx context.Context) error
}

// Operation performs the requests of one kind.
type Operation[In, Out any] struct {
	keeper *Keeper
	effect Effect[In, Out]
	encode func(Out) (Answer, error)

	batched bool
	locks   Locks[In]
	queue   queue[In]
}

// Effect does the work for a batch of inputs and returns a result for each, in their order. It may be called again for the same
// inputs. If it fails, nothing takes effect, and the inputs of a larger batch are retried one by one, unless a statement fails
// that was sent with COMMIT. The context has the latest deadline of the requests and the values of the first, so the input must contain
// the caller if that matters.
type Effect[In, Out any] func(ctx context.Context, conn database.Conn, inputs []In) ([]Result[Out], error)

// Result is a value, or a refusal that becomes the answer. An Effect must refuse an input before it writes anything for it.
type Result[Out any] struct {
	Value   Out
	Refusal *fault.Error
}

// Locks describes the rows that inputs lock, by id. If another transaction locks one of them for long, only inputs that need the row
// wait. The zero value is for operations that lock no such rows.
type Locks[In any] struct {
	Held *database.Held
	Rows func(In) []int64
}

// NewOperation returns an Operation with a transaction for each request. Encode returns the answer for a value of effect.
func NewOperation[In, Out any](k *Keeper, effect func(context.Context, database.Conn, In) (Out, error), encode func(Out) (Answer, error)) *Operation[In, Out] {
	return &Operation[In, Out]{keeper: k, encode: encode, effect: func(ctx context.Context, conn database.Conn, inputs []In) ([]Result[Out], error) {
		value, err := effect(ctx, conn, inputs[0])
		if refusal, final := problem.Final(err); final {
			return []Result[Out]{{Refusal: refusal}}, nil
		}
		return []Result[Out]{{Value: value}}, err
	}}
}

// NewBatchOperation returns an Operation whose concurrent requests share transactions.
func NewBatchOperation[In, Out any](k *Keeper, locks Locks[In], effect Effect[In, Out], encode func(Out) (Answer, error)) *Operation[In, Out] {
	return &Operation[In, Out]{keeper: k, effect: effect, encode: encode, batched: true, locks: locks}
}

// call is a request in progress.
type call[In any] struct {
	ctx    context.Context
	input  In
	signal chan signal // from the leader of its batch
	claim
}

// claim is the state of a call's key.
type claim struct {
	id
	fingerprint []byte
	refusal     *Answer // from step 2
	stored      *Entry  // the answer found under the key, if this call is a repeat
	answer      Answer  // otherwise
}

var (
	// errAlone makes a call of a failed batch retry in a transaction of its own. The batch did not reach COMMIT.
	errAlone = errors.New("idempotency: the batch failed")

	// errWaited reports that a batch has waited too long for the lock of a row.
	errWaited = errors.New("idempotency: the batch waited for a lock")
)

const (
	maxBatch = 64

	// lateAfter is how long the next batch waits for the one before. If that takes longer, for a lock or a server that does
	// not answer, both run concurrently.
	lateAfter = 500 * time.Millisecond

	// maxSplits bounds how often a batch is retried without the calls that need held rows.
	maxSplits = 3
)

// Do performs a request, or returns the stored answer if it is a repeat. It fails with idempotency_key_reused if the key was used for
// another request, and with request_in_progress if that one is not complete. If ctx is done first, the outcome is unknown.
func (o *Operation[In, Out]) Do(ctx context.Context, r Request, input In) (answer Answer, err error) {
	k := o.keeper
	caller, _ := auth.From(ctx)
	c := &call[In]{ctx: ctx, input: input, signal: make(chan signal, 1), claim: claim{id: id{caller.Name, r.Key}, fingerprint: r.Fingerprint}}
	defer func() { k.count(ctx, r, answer, err) }()

	// 1. Look up.
	if r.Key != "" {
		end, err := k.enter(ctx, &c.claim)
		if err != nil {
			return Answer{}, err
		}
		defer end()
		if c.stored != nil {
			return k.replay(&c.claim)
		}
	}

	// 2. Prepare.
	if r.Prepare != nil {
		if err := r.Prepare(ctx); err != nil {
			refusal, final := problem.Final(err)
			switch {
			case r.Key == "":
				return Answer{}, err
			case !final: // a repeat gets its stored answer nevertheless
				if failed := k.lookUp(ctx, &c.claim); failed != nil || c.stored == nil {
					return Answer{}, cmp.Or(failed, err)
				}
				return k.replay(&c.claim)
			}
			answer, err := recordRefusal(ctx, refusal)
			if err != nil {
				return Answer{}, err
			}
			c.refusal = &answer
		}
	}

	// 3. Batch. A call that has to leave its batch tries again if a row is held, and otherwise runs alone.
	err = errAlone
	if o.batched {
		err = o.batch(ctx, c)
	}
	for errors.Is(err, database.ErrHeld) {
		err = o.batch(ctx, c)
	}
	if errors.Is(err, errAlone) {
		err = o.alone(ctx, c)
	}
	switch {
	case err != nil:
		return Answer{}, err // c may still be in use by its batch
	case c.stored != nil: // another process has answered
		return k.replay(&c.claim)
	}
	return c.answer, nil
}

// batch performs a call in one transaction with the others that wait, or waits until another call has done so. It returns
// ErrHeld or errAlone if the call has to leave its batch. While a row that the call needs is held, the call is not batched:
// it waits for a probe of the row, or is the probe.
func (o *Operation[In, Out]) batch(ctx context.Context, c *call[In]) error {
	if held := o.locks.Held; held != nil {
		probe, err := held.Admit(ctx, o.locks.Rows(c.input))
		if err != nil {
			return err
		}
		if probe != nil {
			return probe.Run(ctx, func() error { return o.alone(ctx, c) })
		}
	}
	db := o.keeper.db
	leave, err := db.Shared.Enter()
	if err != nil {
		return err
	}
	defer leave()
	if promoted, outcome := o.queue.wait(c); !promoted {
		return outcome
	}

	// The call leads: it runs the transaction for all waiting calls.
	promote := sync.OnceFunc(o.queue.promote)
	defer promote()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	defer time.AfterFunc(lateAfter, promote).Stop()
	calls := append([]*call[In]{c}, o.queue.take(maxBatch-1)...)
	defer func() { settle(calls, errAlone) }() // calls remain only if write panics
	for splits := 0; len(calls) > 0; {
		shared, cancel := share(calls)
		outcome := db.Shared.Tx(shared, func(conn database.Conn) error {
			if o.locks.Held != nil {
				conn = db.ShortWait(conn)
			}
			err := o.write(shared, conn, calls)
			if db.LockWait(err) {
				err = errWaited // all others would wait again
			}
			return err
		})
		cancel()
		waited := errors.Is(outcome, errWaited)
		if waited && o.locks.Held != nil && splits < maxSplits {
			splits++
			var held []*call[In]
			calls, held = o.splitHeld(calls)
			settle(held, database.ErrHeld)
			continue
		}
		if waited || outcome != nil && len(calls) > 1 && !database.OutcomeUnknown(outcome) {
			outcome = errAlone
		}
		promote()
		settle(calls, outcome)
		calls = nil
	}
	return (<-c.signal).outcome
}

// alone performs a call in a transaction of its own, with the usual lock timeout.
func (o *Operation[In, Out]) alone(ctx context.Context, c *call[In]) error {
	return o.keeper.db.Tx(ctx, func(conn database.Conn) error {
		return o.write(ctx, conn, []*call[In]{c})
	})
}

// write runs the statements of calls. Repeats have no effect.
func (o *Operation[In, Out]) write(ctx context.Context, conn database.Conn, calls []*call[In]) error {
	claims := make([]*claim, len(calls))
	for i, c := range calls {
		claims[i] = &c.claim
	}

	// 4. Claim.
	if err := o.keeper.claim(ctx, conn, claims); err != nil {
		return err
	}

	// 5. Effect.
	var open []*call[In]
	var inputs []In
	for _, c := range calls {
		switch {
		case c.stored != nil:
		case c.refusal != nil:
			c.answer = *c.refusal
		default:
			open, inputs = append(open, c), append(inputs, c.input)
		}
	}
	if len(open) > 0 {
		results, err := o.effect(ctx, conn, inputs)
		if err != nil {
			return err
		}
		for i, result := range results {
			if result.Refusal != nil {
				open[i].answer, err = recordRefusal(open[i].ctx, result.Refusal)
			} else {
				open[i].answer, err = o.encode(result.Value)
			}
			if err != nil {
				return err
			}
		}
	}

	// 6. Keep.
	return o.keeper.keep(ctx, conn, claims)
}

// share returns the context of a batch. It has the latest deadline of the calls and the values of the first one.
func share[In any](calls []*call[In]) (context.Context, context.CancelFunc) {
	first := calls[0].ctx
	if len(calls) == 1 {
		return first, func() {}
	}
	ctx := context.WithoutCancel(first)
	var last time.Time
	bounded := true
	for i, c := range calls {
		if i > 0 {
			telemetry.Link(c.ctx, first) // the trace of the first call has the spans of the statements
		}
		deadline, ok := c.ctx.Deadline()
		bounded = bounded && ok
		if deadline.After(last) {
			last = deadline
		}
	}
	if !bounded {
		return ctx, func() {}
	}
	return context.WithDeadline(ctx, last)
}

// splitHeld separates the calls that need a row locked by another transaction.
func (o *Operation[In, Out]) splitHeld(calls []*call[In]) (free, held []*call[In]) {
	ctx, cancel := share(calls)
	defer cancel()
	var rows []int64
	for _, c := range calls {
		rows = append(rows, o.locks.Rows(c.input)...)
	}
	slices.Sort(rows)
	o.locks.Held.Record(ctx, slices.Compact(rows))
	for _, c := range calls {
		if o.locks.Held.Contains(o.locks.Rows(c.input)) {
			held = append(held, c)
		} else {
			free = append(free, c)
		}
	}
	return free, held
}

// enter finds the answer of a repeat, or waits for the turn of the key. If err is nil, end must be called once the request is
// served.
func (k *Keeper) enter(ctx context.Context, c *claim) (end func(), err error) {
	if k.recent.has(c.id) { // otherwise claim finds an existing answer
		if err := k.lookUp(ctx, c); err != nil || c.stored != nil {
			return func() {}, err
		}
	}
	waited, end, err := k.turns.take(ctx, c.id)
	if err != nil {
		return nil, err
	}
	if waited { // for another request with this key
		if err := k.lookUp(ctx, c); err != nil {
			end()
			return nil, err
		}
	}
	k.recent.add(c.id)
	return end, nil
}

// lookUp finds the answer that is stored under a key.
func (k *Keeper) lookUp(ctx context.Context, c *claim) error {
	return k.db.Read(ctx, func(conn database.Conn) error {
		found, err := k.store.Find(ctx, conn, c.caller, c.key)
		if err == nil && len(found) == 1 && found[0].ExpiresAt.After(k.now()) {
			c.stored = &found[0]
		}
		return err
	})
}

// replay returns the stored answer of a repeat. It fails if the key was used with another request.
func (k *Keeper) replay(c *claim) (Answer, error) {
	if !bytes.Equal(c.stored.Fingerprint, c.fingerprint) {
		return Answer{}, fault.New(common.CodeIdempotencyKeyReused,
			"This idempotency key was used before with another request.").About(Header, "was used with another request")
	}
	return c.stored.answer()
}

// claim inserts the keys of new requests, and reads the answers of repeats. If another transaction has inserted one of the
// keys and is still open, the database waits for its end.
func (k *Keeper) claim(ctx context.Context, conn database.Conn, claims []*claim) error {
	claims = slices.DeleteFunc(slices.Clone(claims), func(c *claim) bool { return c.key == "" })
	slices.SortFunc(claims, func(a, b *claim) int { // the same order everywhere prevents deadlocks
		return cmp.Or(cmp.Compare(a.caller, b.caller), cmp.Compare(a.key, b.key))
	})
	for _, c := range claims {
		c.stored = nil // claim may run again
	}
	for {
		now := k.now()
		var entries []Entry
		for _, c := range claims {
			if c.stored == nil {
				entries = append(entries, Entry{Caller: c.caller, Key: c.key, Fingerprint: c.fingerprint, Body: []byte{}, CreatedAt: now, ExpiresAt: now.Add(k.ttl)})
			}
		}
		err := k.db.Classify(k.store.Claims(entries).Insert(ctx, conn))
		switch {
		case errors.Is(err, database.ErrLockTimeout):
			return errInProgress(err)
		case !errors.Is(err, database.ErrDuplicate):
			return err
		}
		if progress, err := k.readStored(ctx, conn, claims, now); err != nil || !progress {
			return cmp.Or(err, errInProgress(nil)) // the key was swept in between
		}
	}
}

// readStored reads the answers that other processes have stored, and deletes expired ones. It reports whether it did
// either.
func (k *Keeper) readStored(ctx context.Context, conn database.Conn, claims []*claim, now time.Time) (progress bool, err error) {
	keys, byID := map[string][]string{}, map[id]*claim{}
	for _, c := range claims {
		keys[c.caller], byID[c.id] = append(keys[c.caller], c.key), c
	}
	for caller, of := range keys {
		found, err := k.store.Find(ctx, conn, caller, of...)
		if err != nil {
			return false, err
		}
		var expired []string
		for _, e := range found {
			if !e.ExpiresAt.After(now) {
				expired = append(expired, e.Key)
			} else if c := byID[id{e.Caller, e.Key}]; c.stored == nil {
				c.stored, progress = &e, true
			}
		}
		if len(expired) > 0 {
			if _, err := k.store.DropExpired(ctx, conn, caller, expired, now); err != nil {
				return false, err
			}
			progress = true
		}
	}
	return progress, nil
}

// keep stores the answers under the claimed keys.
func (k *Keeper) keep(ctx context.Context, conn database.Conn, claims []*claim) error {
	now := k.now()
	var entries []Entry
	for _, c := range claims {
		if c.key == "" || c.stored != nil {
			continue
		}
		headers, err := json.Marshal(c.answer.Header)
		if err != nil {
			return fmt.Errorf("encode headers: %w", err)
		}
		entries = append(entries, Entry{c.caller, c.key, c.fingerprint, c.answer.Status, string(headers), c.answer.Body, now, now.Add(k.ttl)})
	}
	if err := k.store.Answers(entries).Insert(ctx, database.Later(conn)); err != nil {
		return fmt.Errorf("keep answers: %w", err)
	}
	return nil
}

func errInProgress(cause error) error {
	return &fault.Error{
		Code:    common.CodeRequestInProgress,
		Message: "Another request with this idempotency key is still being answered.",
		Cause:   cause,
	}
}
