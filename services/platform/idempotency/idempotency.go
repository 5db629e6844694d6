package idempotency

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/auth"
	"github.com/pedidos-hq/pedidos/services/platform/database"
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

	// Effect runs in the transaction. It may be run again from the start, and it refuses, with a problem that is kept
	// as the answer, only before it has written.
	Effect func(ctx context.Context, conn database.Conn) (Answer, error)
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
	Claim(ctx context.Context, conn database.Conn, e Entry) error // a duplicate key where it is claimed already
	Answer(ctx context.Context, conn database.Conn, e Entry) error
	Expired(ctx context.Context, conn database.Conn, now time.Time, most int) ([]Entry, error) // locked; caller and key alone
	Drop(ctx context.Context, conn database.Conn, caller string, keys []string) error
}

// Keeper keeps the answers of one service.
type Keeper struct {
	db    *database.DB
	store Store
	ttl   time.Duration
	now   func() time.Time
}

// NewKeeper returns a keeper that forgets keys after ttl.
func NewKeeper(db *database.DB, store Store, ttl time.Duration, now func() time.Time) *Keeper {
	return &Keeper{db: db, store: store, ttl: ttl, now: now}
}

// errTaken says that the key was claimed, and answered, by another request.
var errTaken = errors.New("idempotency key taken")

// Do lets the request happen, or returns the answer that it got before.
func (k *Keeper) Do(ctx context.Context, r Request) (Answer, error) {
	caller, _ := auth.From(ctx)
	over := false // whether the key was used before, too long ago to count
	if r.Key != "" {
		answer, found, err := k.replay(ctx, caller.Name, r)
		if found == kept || err != nil {
			return answer, err
		}
		over = found == expired
	}
	var refusal error
	if r.Prepare != nil {
		if refusal = r.Prepare(ctx); refusal != nil {
			if _, final := problem.Refusal(refusal); !final {
				return Answer{}, refusal
			}
		}
	}
	var answer Answer
	err := k.db.Tx(ctx, func(conn database.Conn) (err error) {
		answer, err = k.once(ctx, conn, caller.Name, r, over, refusal)
		return err
	})
	if !errors.Is(err, errTaken) {
		return answer, err
	}
	answer, found, err := k.replay(ctx, caller.Name, r)
	if err == nil && found != kept { // swept in this very moment
		err = inProgress(nil)
	}
	return answer, err
}

// once is the transaction: claim, effect, answer.
func (k *Keeper) once(ctx context.Context, conn database.Conn, caller string, r Request, over bool, refusal error) (Answer, error) {
	now := k.now()
	entry := Entry{
		Caller: caller, Key: r.Key, Fingerprint: r.Fingerprint, CreatedAt: now, ExpiresAt: now.Add(k.ttl),
	}
	if r.Key != "" {
		if err := k.claim(ctx, conn, entry, over); err != nil {
			return Answer{}, err
		}
	}
	var answer Answer
	err := refusal
	if err == nil {
		answer, err = r.Effect(ctx, conn)
	}
	if refused, final := problem.Refusal(err); final {
		answer, err = encode(ctx, refused)
	}
	if err != nil || r.Key == "" {
		return answer, err
	}
	headers, err := json.Marshal(answer.Header)
	if err != nil {
		return Answer{}, fmt.Errorf("encode kept headers: %w", err)
	}
	entry.Status, entry.Headers, entry.Body = int32(answer.Status), string(headers), answer.Body
	return answer, k.store.Answer(ctx, conn, entry)
}

// claim inserts the key. Where another transaction has inserted it and is not done, the database makes this one wait.
func (k *Keeper) claim(ctx context.Context, conn database.Conn, e Entry, over bool) (err error) {
	if over {
		err = k.store.DropExpired(ctx, conn, e.Caller, e.Key, e.CreatedAt) // waits as well
	}
	if err == nil {
		err = k.store.Claim(ctx, conn, e)
	}
	err = k.db.Classify(err)
	switch {
	case errors.Is(err, database.ErrDuplicate):
		return errTaken
	case errors.Is(err, database.ErrLockTimeout):
		return inProgress(err)
	}
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
func (k *Keeper) replay(ctx context.Context, caller string, r Request) (answer Answer, found found, err error) {
	var e Entry
	err = k.db.Read(ctx, func(conn database.Conn) (err error) {
		e, err = k.store.Find(ctx, conn, caller, r.Key)
		return err
	})
	switch {
	case errors.Is(err, database.ErrNotFound):
		return Answer{}, nothing, nil
	case err != nil:
		return Answer{}, nothing, err
	case !e.ExpiresAt.After(k.now()):
		return Answer{}, expired, nil
	case !bytes.Equal(e.Fingerprint, r.Fingerprint):
		return Answer{}, nothing, problem.New(common.CodeIdempotencyKeyReused,
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
	return db.Batches(ctx, sweepBatch, func(conn database.Conn) (int, error) {
		over, err := store.Expired(ctx, conn, now, sweepBatch)
		if err != nil {
			return 0, err
		}
		keys := map[string][]string{}
		for _, e := range over {
			keys[e.Caller] = append(keys[e.Caller], e.Key)
		}
		for caller, of := range keys {
			if err := store.Drop(ctx, conn, caller, of); err != nil {
				return 0, err
			}
		}
		return len(over), nil
	})
}

func inProgress(cause error) error {
	return &problem.Error{
		Code:       common.CodeRequestInProgress,
		Detail:     "Another request with this idempotency key is being answered.",
		RetryAfter: time.Second,
		Cause:      cause,
	}
}

// encode makes the answer of a refusal, as the server would send it.
func encode(ctx context.Context, e *problem.Error) (Answer, error) {
	body, err := json.Marshal(e.Document(telemetry.TraceID(ctx)))
	if err != nil {
		return Answer{}, fmt.Errorf("encode problem: %w", err)
	}
	return Answer{
		Status: e.Status(),
		Header: map[string]string{"Content-Type": problem.ContentType},
		Body:   append(body, '\n'),
	}, nil
}
