// Package wire injects network faults between a client and a server. It runs toxiproxy in this process, which delays and
// cuts connections. The proxy also parses the traffic, so that it can drop one particular response, such as that of a
// MySQL COMMIT; the client then does not know whether the transaction was committed.
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

// Wire is a proxy in front of a server.
type Wire struct {
	faults *faultState

	mu    sync.Mutex
	proxy *toxiproxy.Proxy
	added []string // names of the toxics of the current fault
}

// New starts a wire to the server address. It is closed when the test ends.
func New(t testing.TB, server string) *Wire {
	t.Helper()
	return start(t, server, false)
}

// NewMySQL is like New for a MySQL server, whose clients must neither encrypt nor compress.
func NewMySQL(t testing.TB, server string) *Wire {
	t.Helper()
	return start(t, server, true)
}

func start(t testing.TB, server string, mysql bool) *Wire {
	t.Helper()
	zerolog.SetGlobalLevel(zerolog.Disabled) // some toxics log through the global logger
	toxics.Register("tap", new(tap))
	toxics.Register("mute", new(mute))
	host := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	var err error
	for range 100 {
		// A port below the ephemeral range, which no other process is assigned during a partition.
		address := fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(10_000))
		w := &Wire{faults: newFaultState(), proxy: toxiproxy.NewProxy(host, t.Name(), address, server)}
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

// tap adds a tap to each direction. It stays for the life of the wire.
func (w *Wire) tap(t testing.TB, mysql bool) {
	t.Helper()
	state := &tapState{faultState: w.faults, mysql: mysql}
	for _, direction := range []string{"upstream", "downstream"} {
		added, err := w.proxy.Toxics.AddToxicJson(strings.NewReader(fmt.Sprintf(`{"type":"tap","stream":%q}`, direction)))
		if err != nil {
			t.Fatal(err)
		}
		*added.Toxic.(*tap) = tap{tapState: state, up: direction == "upstream"}
	}
}

// Addr returns the address that clients connect to. It never changes.
func (w *Wire) Addr() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.proxy.Listen
}

// MoveTo closes all connections and forwards new ones to another server.
func (w *Wire) MoveTo(t testing.TB, server string) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.proxy.Update(&toxiproxy.Proxy{Listen: w.proxy.Listen, Upstream: server, Enabled: w.proxy.Enabled}); err != nil {
		t.Fatal(err)
	}
}

// Inject starts a fault. It replaces the current one.
func (w *Wire) Inject(t testing.TB, f Fault) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.removeFault(t)
	w.faults.begin(f)
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

// Lose injects a loss of this kind up to n times, into requests or transactions that contain all of these texts. Calling
// stop, or healing the wire, ends it; stop returns how often it happened.
func (w *Wire) Lose(kind Kind, n int, texts ...string) (stop func() int) {
	l := &loss{kind: kind, limit: n, texts: texts}
	w.faults.arm(l)
	return func() int { return w.faults.disarm(l) }
}

// Heal ends all faults, and the losses that have not happened yet.
func (w *Wire) Heal(t testing.TB) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.removeFault(t)
	w.faults.heal()
}

// removeFault ends the current fault.
func (w *Wire) removeFault(t testing.TB) {
	t.Helper()
	w.faults.end()
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

// Injected returns how often each kind of fault happened: the number of calls of Inject for a partition, of losses for a
// loss, and of affected connections for any other fault.
func (w *Wire) Injected() map[Kind]int { return w.faults.counts() }
