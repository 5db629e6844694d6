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

// The faults of Inject.
const (
	Latency    Kind = "latency"
	Drip       Kind = "slow bytes"
	Cut        Kind = "cut answer"
	Reset      Kind = "reset"
	HalfOpen   Kind = "half-open"
	Unanswered Kind = "unanswered"
	Partition  Kind = "partition"
)

// The faults of Lose.
const (
	AnswerLost       Kind = "answer lost"        // the request passes, its response is dropped, the connection ends
	StatementLost    Kind = "statement lost"     // a statement before COMMIT does not pass, the connection ends
	CommitLost       Kind = "commit lost"        // COMMIT does not pass, the connection ends
	CommitHeld       Kind = "commit held"        // COMMIT does not pass, and neither side receives more until the wire is healed
	CommitAnswerLost Kind = "commit answer lost" // COMMIT passes, its response is dropped, the connection ends
	CommitRefused    Kind = "commit refused"     // COMMIT passes, its response becomes error 3101: rolled back by the group
	CommitAnswerHeld Kind = "commit answer held" // COMMIT passes, and neither side receives more until the wire is healed
)

// Fault affects all traffic of a wire until it is healed.
type Fault struct {
	kind   Kind
	detail string
	toxics []string // JSON for toxiproxy
}

// String returns the kind and the parameters.
func (f Fault) String() string { return strings.TrimSpace(string(f.kind) + " " + f.detail) }

// Delayed delays all bytes, in both directions, by latency±jitter, with a resolution of one millisecond.
func Delayed(latency, jitter time.Duration) Fault {
	return Fault{Latency, fmt.Sprintf("of %s±%s", latency, jitter), eachWay("latency",
		fmt.Sprintf(`{"latency":%d,"jitter":%d}`, latency.Milliseconds(), jitter.Milliseconds()))}
}

// Dripping forwards about this many bytes at a time, in both directions, and pauses after each piece.
func Dripping(bytes int, pause time.Duration) Fault {
	return Fault{Drip, fmt.Sprintf("of %d every %s", bytes, pause), eachWay("slicer",
		fmt.Sprintf(`{"average_size":%d,"delay":%d}`, bytes, pause.Microseconds()))}
}

// CutAfter closes each connection after this many bytes of responses.
func CutAfter(bytes int) Fault {
	return Fault{Cut, fmt.Sprintf("after %d bytes", bytes), []string{limit(bytes)}}
}

// ResetAfter resets each new connection after this many bytes of responses. It closes existing ones like CutAfter.
func ResetAfter(bytes int) Fault {
	return Fault{Reset, fmt.Sprintf("after %d bytes", bytes), []string{
		limit(bytes),
		`{"type":"reset_peer","stream":"downstream","toxicity":0}`, // with this toxic, connections are reset instead of closed
	}}
}

func limit(bytes int) string {
	return fmt.Sprintf(`{"type":"limit_data","stream":"downstream","attributes":{"bytes":%d}}`, bytes)
}

// Silent drops all bytes and the ends of connections, in both directions. Clients can still connect. All connections end
// when the wire is healed.
func Silent() Fault { return Fault{HalfOpen, "", eachWay("mute", "{}")} }

// Unheard is Silent for responses only; requests arrive.
func Unheard() Fault {
	return Fault{Unanswered, "", []string{`{"type":"mute","stream":"downstream"}`}}
}

// Partitioned closes all connections and refuses new ones.
func Partitioned() Fault { return Fault{kind: Partition} }

// eachWay returns the toxic for both directions.
func eachWay(toxic, attributes string) []string {
	const format = `{"type":%q,"stream":%q,"attributes":%s}`
	return []string{fmt.Sprintf(format, toxic, "upstream", attributes), fmt.Sprintf(format, toxic, "downstream", attributes)}
}

// faultState holds the active faults of a wire and counts the connections and statements that they affected.
type faultState struct {
	mu       sync.Mutex
	current  *Fault // nil without a fault
	losses   []*loss
	held     []*conn // until the wire is healed
	injected map[Kind]int
}

// loss has happened n times and may happen limit times.
type loss struct {
	kind     Kind
	n, limit int
	texts    []string
}

func newFaultState() *faultState { return &faultState{injected: map[Kind]int{}} }

func (s *faultState) begin(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current = &f
	if f.kind == Partition {
		s.injected[f.kind]++
	}
}

func (s *faultState) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current = nil
}

// countAffected counts a connection once for each fault during which it carries data.
func (s *faultState) countAffected(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current != nil && c.counted != s.current {
		s.injected[s.current.kind]++
	}
	c.counted = s.current
}

func (s *faultState) arm(loss *loss) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.losses = append(s.losses, loss)
}

func (s *faultState) disarm(loss *loss) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	loss.limit = loss.n
	return loss.n
}

// nextLoss returns the kind of the loss that happens to a request or transaction now, or "". It counts against the limit.
func (s *faultState) nextLoss(sent []byte, kinds ...Kind) Kind {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, loss := range s.losses {
		if loss.n < loss.limit && slices.Contains(kinds, loss.kind) && loss.matches(sent) {
			loss.n++
			return loss.kind
		}
	}
	return ""
}

func (l *loss) matches(sent []byte) bool {
	for _, text := range l.texts {
		if !bytes.Contains(sent, []byte(text)) {
			return false
		}
	}
	return true
}

func (s *faultState) countLoss(kind Kind) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.injected[kind]++
}

// hold keeps a connection open until the wire is healed.
func (s *faultState) hold(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = append(s.held, c)
}

func (s *faultState) heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.losses = nil
	for _, c := range s.held {
		close(c.release)
	}
	s.held = nil
}

func (s *faultState) counts() map[Kind]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.injected)
}
