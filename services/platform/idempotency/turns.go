package idempotency

import (
	"context"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"
)

// turnWait bounds how long a request waits for another one with its key.
const turnWait = 2 * time.Second

// id identifies a key. Callers have separate keys.
type id struct{ caller, key string }

// turns serializes the requests of this process with the same key. A batch therefore never has a key twice, and no request
// waits in the database for another one of the same process.
type turns struct {
	mu sync.Mutex
	of map[id]*turn
}

type turn struct {
	requests int           // served or waiting; guarded by turns.mu
	taken    chan struct{} // holds an element while a request is served
}

// take waits for the key's turn, and reports whether it had to.
func (t *turns) take(ctx context.Context, of id) (waited bool, end func(), err error) {
	t.mu.Lock()
	own := t.of[of]
	if own == nil {
		own = &turn{taken: make(chan struct{}, 1)}
		t.of[of] = own
	}
	own.requests++
	t.mu.Unlock()

	leave := func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if own.requests--; own.requests == 0 {
			delete(t.of, of)
		}
	}
	end = func() {
		<-own.taken
		leave()
	}
	select {
	case own.taken <- struct{}{}:
		return false, end, nil
	default:
	}
	patience := time.NewTimer(turnWait)
	defer patience.Stop()
	select {
	case own.taken <- struct{}{}:
		return true, end, nil
	case <-patience.C:
		err = errInProgress(nil)
	case <-ctx.Done():
		err = ctx.Err()
	}
	leave()
	return true, nil, err
}

// recent remembers, in 512 KiB, keys that this process has served. It may forget a key, and rarely mistakes one for another.
// Neither is an error, because recent only decides whether a request looks its key up before it claims it.
type recent struct {
	seed  maphash.Seed
	slots [1 << 16]atomic.Uint64
}

func (r *recent) slot(of id) (*atomic.Uint64, uint64) {
	hash := maphash.Comparable(r.seed, of)
	return &r.slots[hash%uint64(len(r.slots))], hash
}

func (r *recent) add(of id) {
	slot, hash := r.slot(of)
	slot.Store(hash)
}

func (r *recent) has(of id) bool {
	slot, hash := r.slot(of)
	return slot.Load() == hash
}
