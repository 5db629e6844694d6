// Package wire puts faults between a client and a server: a proxy before the server, toxiproxy in this process, that
// delays, cuts and loses what goes through it. It reads along, so that it can lose one certain answer, such as that of
// the COMMIT which a client of MySQL then does not know to have taken place.
package wire

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/Shopify/toxiproxy/v2/toxics"
	"github.com/rs/zerolog"
)

// Wire is the way to a server.
type Wire struct {
	ledger *ledger

	mu    sync.Mutex
	proxy *toxiproxy.Proxy
	added []string // names of the toxics of the fault that is on
}

// New returns a wire to a server, until the test ends.
func New(t testing.TB, server string) *Wire {
	t.Helper()
	return start(t, server, false)
}

// NewMySQL returns a wire to a MySQL server whose clients neither encrypt nor compress, until the test ends.
func NewMySQL(t testing.TB, server string) *Wire {
	t.Helper()
	return start(t, server, true)
}

func start(t testing.TB, server string, mysql bool) *Wire {
	t.Helper()
	zerolog.SetGlobalLevel(zerolog.Disabled) // some toxics have a log of their own
	toxics.Register("tap", new(tap))
	toxics.Register("mute", new(mute))
	host := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	var err error
	for range 100 {
		// Below the ports of outgoing connections, so that nobody is given it during a partition.
		address := fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(10_000))
		w := &Wire{ledger: newLedger(), proxy: toxiproxy.NewProxy(host, t.Name(), address, server)}
		w.tap(t, mysql)
		if err = w.proxy.Start(); err == nil {
			t.Cleanup(func() {
				w.Heal(t)
				w.proxy.Stop()
			})
			return w
		}
	}
	t.Fatal(err)
	return nil
}

// tap puts a tap into each direction, once and for all.
func (w *Wire) tap(t testing.TB, mysql bool) {
	t.Helper()
	both := &opening{ledger: w.ledger, mysql: mysql}
	for _, direction := range []string{"upstream", "downstream"} {
		added, err := w.proxy.Toxics.AddToxicJson(strings.NewReader(fmt.Sprintf(`{"type":"tap","stream":%q}`, direction)))
		if err != nil {
			t.Fatal(err)
		}
		*added.Toxic.(*tap) = tap{opening: both, up: direction == "upstream"}
	}
}

// Addr is where clients connect to. It stays the same.
func (w *Wire) Addr() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.proxy.Listen
}

// MoveTo ends all connections; new ones go to another server.
func (w *Wire) MoveTo(t testing.TB, server string) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.proxy.Update(&toxiproxy.Proxy{Listen: w.proxy.Listen, Upstream: server, Enabled: w.proxy.Enabled}); err != nil {
		t.Fatal(err)
	}
}

// Inject puts a fault on the wire, in the place of the one that is on it.
func (w *Wire) Inject(t testing.TB, f Fault) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mend(t)
	w.ledger.begin(f)
	for _, toxic := range f.toxics {
		added, err := w.proxy.Toxics.AddToxicJson(strings.NewReader(toxic))
		if err != nil {
			t.Fatal(err)
		}
		w.added = append(w.added, added.Name)
	}
	if f.kind == Partition {
		w.proxy.Stop()
	}
}

// Lose lets one of the faults that lose something certain happen up to n times: to requests, or to transactions, in which
// all of these texts are said. It ends with stop, which says how often it happened, or when the wire is healed.
func (w *Wire) Lose(kind Kind, n int, said ...string) (stop func() int) {
	l := &loss{kind: kind, most: n, said: said}
	w.ledger.arm(l)
	return func() int { return w.ledger.disarm(l) }
}

// Heal takes all faults off the wire, those that have not happened yet too.
func (w *Wire) Heal(t testing.TB) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mend(t)
	w.ledger.heal()
}

// mend takes off the fault that is on the wire.
func (w *Wire) mend(t testing.TB) {
	t.Helper()
	w.ledger.end()
	for _, name := range w.added {
		if err := w.proxy.Toxics.RemoveToxic(context.Background(), name); err != nil {
			t.Fatal(err)
		}
	}
	w.added = nil
	if w.proxy.Enabled {
		return
	}
	if err := w.proxy.Start(); err != nil {
		t.Fatal(err)
	}
}

// Injected is how often each kind of fault took place: a partition as often as it was put on the wire, a loss as often as
// something was lost, any other as often as a connection met it.
func (w *Wire) Injected() map[Kind]int { return w.ledger.counts() }
