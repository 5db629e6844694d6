package wire

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// Kind is a kind of fault.
type Kind string

// The faults that Inject puts on a wire.
const (
	Latency    Kind = "latency"
	Drip       Kind = "slow bytes"
	Cut        Kind = "cut answer"
	Reset      Kind = "reset"
	HalfOpen   Kind = "half-open"
	Unanswered Kind = "unanswered"
	Partition  Kind = "partition"
)

// The faults that Lose lets happen.
const (
	AnswerLost       Kind = "answer lost"        // the request passes, its answer is swallowed, the connection ends
	CommitLost       Kind = "commit lost"        // COMMIT does not pass, the connection ends
	CommitHeld       Kind = "commit held"        // COMMIT does not pass, and neither side hears more until the wire is healed
	CommitAnswerLost Kind = "commit answer lost" // COMMIT passes, its answer is swallowed, the connection ends
	CommitAnswerHeld Kind = "commit answer held" // COMMIT passes, and neither side hears more until the wire is healed
)

// Fault is what a wire does to all that goes through it, until it is healed.
type Fault struct {
	kind   Kind
	detail string
	toxics []string // in the JSON of toxiproxy
}

// String is the kind, and how bad it is.
func (f Fault) String() string { return strings.TrimSpace(string(f.kind) + " " + f.detail) }

// Delayed holds all bytes back, each way, for a time that varies by jitter.
func Delayed(latency, jitter time.Duration) Fault {
	return Fault{Latency, fmt.Sprintf("of %s±%s", latency, jitter), eachWay("latency",
		fmt.Sprintf(`{"latency":%d,"jitter":%d}`, latency.Milliseconds(), jitter.Milliseconds()))}
}

// Dripping passes on a few bytes at a time, each way, with a pause after them.
func Dripping(bytes int, pause time.Duration) Fault {
	return Fault{Drip, fmt.Sprintf("of %d every %s", bytes, pause), eachWay("slicer",
		fmt.Sprintf(`{"average_size":%d,"delay":%d}`, bytes, pause.Microseconds()))}
}

// CutAfter ends each connection after so many bytes of answers.
func CutAfter(bytes int) Fault {
	return Fault{Cut, fmt.Sprintf("after %d bytes", bytes), []string{limit(bytes)}}
}

// ResetAfter resets each connection after so many bytes of answers. One that is open already is ended like by CutAfter.
func ResetAfter(bytes int) Fault {
	return Fault{Reset, fmt.Sprintf("after %d bytes", bytes), []string{
		limit(bytes),
		`{"type":"reset_peer","stream":"downstream","toxicity":0}`, // where it is present, connections are reset instead of closed
	}}
}

func limit(bytes int) string {
	return fmt.Sprintf(`{"type":"limit_data","stream":"downstream","attributes":{"bytes":%d}}`, bytes)
}

// Silent lets nothing through: neither side hears from the other one, nor that it has gone. Connections can still be
// opened; all of them end when the wire is healed.
func Silent() Fault { return Fault{HalfOpen, "", eachWay("mute", "{}")} }

// Unheard is Silent for answers alone: requests arrive.
func Unheard() Fault {
	return Fault{Unanswered, "", []string{`{"type":"mute","stream":"downstream"}`}}
}

// Partitioned ends all connections and refuses new ones.
func Partitioned() Fault { return Fault{kind: Partition} }

func eachWay(toxic, attributes string) []string {
	const format = `{"type":%q,"stream":%q,"attributes":%s}`
	return []string{fmt.Sprintf(format, toxic, "upstream", attributes), fmt.Sprintf(format, toxic, "downstream", attributes)}
}

// ledger is which faults are to take place on a wire, and which did.
type ledger struct {
	mu       sync.Mutex
	on       *Fault
	losses   []*loss
	held     []*conn
	injected map[Kind]int
}

// loss is to happen, and has happened so often.
type loss struct {
	kind    Kind
	n, most int
	said    []string
}

func newLedger() *ledger { return &ledger{injected: map[Kind]int{}} }

func (l *ledger) begin(f Fault) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.on = &f
	if f.kind == Partition {
		l.injected[f.kind]++
	}
}

func (l *ledger) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.on = nil
}

// meet counts a connection that is in use while a fault is on.
func (l *ledger) meet(c *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.on != nil && c.met != l.on {
		l.injected[l.on.kind]++
	}
	c.met = l.on
}

func (l *ledger) arm(loss *loss) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.losses = append(l.losses, loss)
}

func (l *ledger) disarm(loss *loss) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	loss.most = loss.n
	return loss.n
}

// take returns the loss that is to happen now, if there is one of these kinds.
func (l *ledger) take(said []byte, kinds ...Kind) Kind {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, loss := range l.losses {
		if loss.n < loss.most && slices.Contains(kinds, loss.kind) && loss.concerns(said) {
			loss.n++
			return loss.kind
		}
	}
	return ""
}

func (l *loss) concerns(said []byte) bool {
	for _, text := range l.said {
		if !bytes.Contains(said, []byte(text)) {
			return false
		}
	}
	return true
}

func (l *ledger) lost(kind Kind) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.injected[kind]++
}

// hold keeps a connection until the wire is healed.
func (l *ledger) hold(c *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held = append(l.held, c)
}

func (l *ledger) heal() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.losses = nil
	for _, c := range l.held {
		close(c.release)
	}
	l.held = nil
}

func (l *ledger) counts() map[Kind]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.injected)
}
