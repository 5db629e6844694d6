package wire

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/pedidos-hq/pedidos/e2e/engine"
)

func TestCommitLost(t *testing.T) {
	t.Parallel()
	b := openBank(t)
	b.transfer(t, "this", true)
	b.w.Lose(CommitLost, 2, "this")
	b.transfer(t, "that", true)
	b.transfer(t, "this", false)
	b.transfer(t, "that", true)
	b.transfer(t, "this", false)
	b.transfer(t, "this", true)
	b.expectRows(t, map[string]int{"that": 2, "this": 2})
	b.expectInjected(t, map[Kind]int{CommitLost: 2})
}

func TestStatementLost(t *testing.T) {
	t.Parallel()
	b := openBank(t)
	b.w.Lose(StatementLost, 1, "this")
	b.transfer(t, "that", true)
	b.transfer(t, "this", false)
	b.transfer(t, "this", true)
	b.expectRows(t, map[string]int{"that": 1, "this": 1})
	b.expectInjected(t, map[Kind]int{StatementLost: 1})
}

func TestCommitAnswerLost(t *testing.T) {
	t.Parallel()
	b := openBank(t)
	b.w.Lose(CommitAnswerLost, 2, "this")
	b.transfer(t, "that", true)
	b.transfer(t, "this", false)
	b.transfer(t, "that", true)
	b.transfer(t, "this", false)
	b.transfer(t, "this", true)
	b.expectRows(t, map[string]int{"that": 2, "this": 3})
	b.expectInjected(t, map[Kind]int{CommitAnswerLost: 2})
}

func TestCommitHeld(t *testing.T) {
	t.Parallel()
	b := openBank(t)
	b.hold(t, CommitHeld)
	b.expectRows(t, map[string]int{})
	if !b.locked(t) {
		t.Error("the transaction ended with its client, want it to hold its locks")
	}
	b.w.Heal(t)
	await(t, func() bool { return !b.locked(t) })
	b.expectRows(t, map[string]int{})
	b.transfer(t, "this", true)
	b.expectInjected(t, map[Kind]int{CommitHeld: 1})
}

func TestCommitAnswerHeld(t *testing.T) {
	t.Parallel()
	b := openBank(t)
	b.hold(t, CommitAnswerHeld)
	await(t, func() bool { return !b.locked(t) })
	b.expectRows(t, map[string]int{"this": 1})
	b.transfer(t, "this", true)
	b.expectRows(t, map[string]int{"this": 2})
	b.expectInjected(t, map[Kind]int{CommitAnswerHeld: 1})
}

// TestHealEndsWhatIsHeld heals the wire while a client waits for its response.
func TestHealEndsWhatIsHeld(t *testing.T) {
	t.Parallel()
	for _, kind := range []Kind{CommitHeld, CommitAnswerHeld} {
		b := openBank(t)
		b.w.Lose(kind, 1)
		ended := make(chan error, 1)
		go func() { ended <- b.try(t, "this") }()
		await(t, func() bool { return b.w.Injected()[kind] == 1 })
		b.w.Heal(t)
		expectEnd(t, ended)
	}
}

func TestLossesOfBothKinds(t *testing.T) {
	t.Parallel()
	b := openBank(t)
	b.w.Lose(CommitAnswerLost, 1, "this")
	b.w.Lose(CommitLost, 1)
	b.transfer(t, "that", false)
	b.transfer(t, "this", false)
	b.transfer(t, "this", true)
	b.expectRows(t, map[string]int{"this": 2})
	b.w.Lose(CommitLost, 1)
	b.w.Heal(t)
	b.transfer(t, "that", true)
	b.expectInjected(t, map[Kind]int{CommitLost: 1, CommitAnswerLost: 1})
}

// TestStatementsInPieces splits a transaction into pieces of every size. COMMIT must be found in all of them.
func TestStatementsInPieces(t *testing.T) {
	t.Parallel()
	long := fmt.Sprintf("INSERT %0300d", 0) // longer than 255, so the length takes two bytes
	sent := packet(1, "password") + packet(0, "\x03START TRANSACTION") + packet(1, "\x03not said this") + packet(0, "\x03INSERT that") +
		packet(0, "\x03INSERT more;\nCOMMIT") + packet(0, "\x03"+long) + packet(0, "\x03INSERT this")
	for size := 1; size <= len(sent); size++ {
		o := &tap{&tapState{faultState: newFaultState(), mysql: true}, true}
		o.arm(&loss{kind: CommitLost, limit: 1, texts: []string{"this"}})
		c := &conn{}
		for rest := sent; rest != ""; rest = rest[min(size, len(rest)):] {
			if got := o.read(c, []byte(rest[:min(size, len(rest))])); got != pass {
				t.Fatalf("in pieces of %d: connection lost before %q", size, rest)
			}
		}
		if got := o.read(c, []byte(packet(0, "\x03COMMIT"))); got != disconnect {
			t.Errorf("in pieces of %d: COMMIT passed", size)
		}
	}
}

// TestHeldConnectionIsSilent sends on a held connection in both directions.
func TestHeldConnectionIsSilent(t *testing.T) {
	t.Parallel()
	state := &tapState{faultState: newFaultState(), mysql: true}
	up, down := &tap{state, true}, &tap{state, false}
	state.arm(&loss{kind: CommitAnswerHeld, limit: 1})
	c := &conn{release: make(chan struct{})}
	if up.read(c, []byte(packet(0, "\x03COMMIT"))) != pass {
		t.Error("COMMIT did not pass")
	}
	for range 2 {
		if down.read(c, []byte(packet(1, "\x00"))) != drop || up.read(c, []byte(packet(0, "\x03SELECT 1"))) != drop {
			t.Error("data passed on a held connection")
		}
	}
	if n := state.counts(); !maps.Equal(n, map[Kind]int{CommitAnswerHeld: 1}) {
		t.Errorf("got the faults %v, want one held answer", n)
	}
}

// packet returns a packet of MySQL's protocol.
func packet(number byte, payload string) string {
	n := len(payload)
	return string([]byte{byte(n), byte(n >> 8), byte(n >> 16), number}) + payload
}

// bank is a MySQL database with a table of transfers, opened through a wire and directly.
type bank struct {
	w               *Wire
	through, direct *sql.DB
	last            net.Conn // the newest connection to the wire
}

func openBank(t *testing.T) *bank {
	t.Helper()
	at := engine.EmptyMySQL(t)
	server := net.JoinHostPort(at.Host, strconv.Itoa(at.Port))
	b := &bank{w: NewMySQL(t, server)}
	open := func(address string) *sql.DB {
		config := mysql.NewConfig()
		config.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := (&net.Dialer{}).DialContext(ctx, network, address)
			if address == b.w.Addr() {
				b.last = c
			}
			return c, err
		}
		config.Net, config.Addr, config.InterpolateParams = "tcp", address, true
		config.User, config.Passwd, config.DBName = at.User, at.Password, at.Name
		config.Logger = &mysql.NopLogger{}
		connector, err := mysql.NewConnector(config)
		if err != nil {
			t.Fatal(err)
		}
		db := sql.OpenDB(connector)
		t.Cleanup(func() { _ = db.Close() })
		return db
	}
	b.through, b.direct = open(b.w.Addr()), open(server)
	if _, err := b.direct.ExecContext(t.Context(), "CREATE TABLE transfers (name VARCHAR(20))"); err != nil {
		t.Fatal(err)
	}
	return b
}

// try inserts a row in a transaction through the wire.
func (b *bank) try(t *testing.T, name string) error {
	tx, err := b.through.BeginTx(t.Context(), nil)
	if err != nil {
		return fmt.Errorf("before COMMIT: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.ExecContext(t.Context(), "INSERT INTO transfers (name) VALUES (?)", name); err != nil {
		return fmt.Errorf("before COMMIT: %w", err)
	}
	return tx.Commit()
}

// hold starts a transaction whose COMMIT gets no response, and then closes the client connection.
func (b *bank) hold(t *testing.T, kind Kind) {
	t.Helper()
	b.w.Lose(kind, 1, "this")
	ended := make(chan error, 1)
	go func() { ended <- b.try(t, "this") }()
	await(t, func() bool { return b.w.Injected()[kind] == 1 })
	select {
	case err := <-ended:
		t.Fatalf("COMMIT returned %v, want it to wait", err)
	default:
	}
	if err := b.last.Close(); err != nil {
		t.Fatal(err)
	}
	expectEnd(t, ended)
}

// expectEnd fails the test unless COMMIT returns because its connection ended.
func expectEnd(t *testing.T, ended <-chan error) {
	t.Helper()
	select {
	case err := <-ended:
		if !errors.Is(err, mysql.ErrInvalidConn) {
			t.Errorf("COMMIT returned %v, want ErrInvalidConn", err)
		}
	case <-time.After(timeout):
		t.Fatal("COMMIT does not return")
	}
}

// locked reports whether an open transaction locks rows of the table.
func (b *bank) locked(t *testing.T) bool {
	t.Helper()
	var refused *mysql.MySQLError
	_, err := b.direct.ExecContext(t.Context(), "SELECT name FROM transfers FOR UPDATE NOWAIT")
	if err != nil && (!errors.As(err, &refused) || refused.Number != 3572) { // ER_LOCK_NOWAIT
		t.Fatal(err)
	}
	return err != nil
}

// transfer inserts a row and fails the test unless COMMIT succeeds or, if answered is false, its connection ends.
func (b *bank) transfer(t *testing.T, name string, answered bool) {
	t.Helper()
	if err := b.try(t, name); (err == nil) != answered || (err != nil && !errors.Is(err, mysql.ErrInvalidConn)) {
		t.Errorf("COMMIT of %s returned %v, want an answer: %t", name, err, answered)
	}
}

func (b *bank) expectRows(t *testing.T, want map[string]int) {
	t.Helper()
	rows, err := b.direct.QueryContext(t.Context(), "SELECT name, COUNT(*) FROM transfers GROUP BY name")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	got := map[string]int{}
	for rows.Next() {
		var name string
		var n int
		if err := rows.Scan(&name, &n); err != nil {
			t.Fatal(err)
		}
		got[name] = n
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(got, want) {
		t.Errorf("got the rows %v, want %v", got, want)
	}
}

func (b *bank) expectInjected(t *testing.T, want map[Kind]int) {
	t.Helper()
	if got := b.w.Injected(); !maps.Equal(got, want) {
		t.Errorf("got the faults %v, want %v", got, want)
	}
}
