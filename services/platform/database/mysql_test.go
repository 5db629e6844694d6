package database_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
)

// unreachable returns a MySQL database whose port is closed.
func unreachable(t *testing.T) *database.DB {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	listener.Close()
	db, err := database.OpenMySQL(database.MySQL{Host: "127.0.0.1", Port: port, User: "u", Name: "n", Conns: 1}, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestMySQLErrors(t *testing.T) {
	t.Parallel()
	db := unreachable(t)
	if db.Engine() != "mysql" {
		t.Errorf("Engine = %q", db.Engine())
	}
	number := func(n uint16) error { return &mysql.MySQLError{Number: n, Message: "message"} }
	message := func(n uint16, text string) error { return &mysql.MySQLError{Number: n, Message: text} }
	for _, test := range []struct {
		err         error
		want        error // of the package, or nil
		unavailable bool
	}{
		{number(1062), database.ErrDuplicate, false},
		{number(1452), database.ErrMissingParent, false},
		{number(3819), database.ErrCheck, false},
		{number(1205), database.ErrLockTimeout, false},
		{number(1213), nil, false}, // only Tx handles a deadlock
		{number(1040), nil, true},
		{number(1129), nil, true},
		{number(1053), nil, true},
		{number(1290), nil, true},
		{number(1836), nil, true},
		{number(2003), nil, true}, // from a router
		{number(2006), nil, true},
		{number(2013), nil, true},
		{number(3032), nil, true},
		{number(3100), nil, true},
		{number(3101), nil, false}, // only Tx handles a transaction that the group has rolled back
		{number(3168), nil, true},
		{number(3797), nil, true},
		{number(4094), nil, true},
		{number(3572), database.ErrLockTimeout, false},
		{number(8002), nil, false}, // only Tx handles what TiDB has rolled back
		{number(8022), nil, false},
		{number(8028), nil, false},
		{number(9007), nil, false},
		{message(1105, "pessimistic lock retry limit reached"), nil, false},
		{message(1105, "lock wait timeout"), database.ErrLockTimeout, false},
		{message(1105, "context canceled"), nil, true},
		{number(1105), nil, false},
		{number(9001), nil, true},
		{number(9002), nil, true},
		{number(9003), nil, true},
		{number(9005), nil, true},
		{number(1064), nil, false}, // bad SQL
		{driver.ErrBadConn, nil, true},
		{mysql.ErrInvalidConn, nil, true},
		{&net.OpError{Op: "dial", Err: errors.New("refused")}, nil, true},
		{context.DeadlineExceeded, nil, false},
		{context.Canceled, nil, false},
		{errors.New("another"), nil, false},
		{database.ErrNotFound, database.ErrNotFound, false},
	} {
		err := db.Classify(fmt.Errorf("query: %w", test.err))
		if !errors.Is(err, test.err) {
			t.Errorf("%v: Classify = %v, which does not wrap it", test.err, err)
		}
		for _, known := range []error{database.ErrDuplicate, database.ErrMissingParent, database.ErrCheck, database.ErrLockTimeout, database.ErrNotFound} {
			if errors.Is(err, known) != errors.Is(known, test.want) {
				t.Errorf("%v: %v, want only %v", test.err, err, test.want)
			}
		}
		if got := fault.From(err).Code == common.CodeUnavailable; got != test.unavailable {
			t.Errorf("%v: %v, want unavailable: %t", test.err, err, test.unavailable)
		}
	}
}

func TestUnreachableDatabaseIsUnavailable(t *testing.T) {
	t.Parallel()
	db := unreachable(t)
	calls := 0
	for name, err := range map[string]error{
		"Ping": db.Ping(t.Context()),
		"Tx":   db.Tx(t.Context(), func(database.Conn) error { calls++; return nil }),
		"Read": db.Read(t.Context(), func(conn database.Conn) error {
			_, err := conn.ExecContext(t.Context(), "SELECT 1")
			return err
		}),
	} {
		if e := fault.From(err); e.Code != common.CodeUnavailable || strings.Contains(e.Message, "127.0.0.1") {
			t.Errorf("%s = %v, want CodeUnavailable without the address", name, err)
		}
	}
	if calls != 0 {
		t.Error("Tx called statements without a connection")
	}
}

// If the server goes away at any step of the handshake, the error is CodeUnavailable.
func TestServerGoesAwayDuringHandshake(t *testing.T) {
	t.Parallel()
	greeting := "\x0a9.7.0\x00" + "\x01\x00\x00\x00" + "12345678\x00" + // protocol 10, version, connection, nonce
		"\x00\x8a" + "\x2e" + "\x02\x00" + "\x08\x00" + // protocol 4.1 with TLS and plugins
		"\x15" + strings.Repeat("\x00", 10) + "123456789012\x00" + "caching_sha2_password\x00"
	packet := string([]byte{byte(len(greeting)), 0, 0, 0}) + greeting
	for _, test := range []struct {
		name, sent string
		reads      bool // whether the server reads the answer before it closes the connection
	}{{"at once", "", false}, {"in the greeting", packet[:20], false}, {"in the TLS handshake", packet, true}} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			go func() {
				for {
					conn, err := l.Accept()
					if err != nil {
						return
					}
					_, _ = io.WriteString(conn, test.sent)
					if test.reads {
						_, _ = conn.Read(make([]byte, 1<<16))
					}
					_ = conn.Close()
				}
			}()
			address := l.Addr().(*net.TCPAddr)
			db, err := database.OpenMySQL(database.MySQL{
				Host: "127.0.0.1", Port: address.Port, User: "u", Name: "d", Conns: 1, TLS: database.TLSPreferred,
			}, database.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			err = db.Tx(t.Context(), func(database.Conn) error { return nil })
			if !fault.Is(err, common.CodeUnavailable) {
				t.Errorf("Tx = %v, want CodeUnavailable", err)
			}
		})
	}
}

func TestWait(t *testing.T) {
	t.Parallel()
	log := slog.New(slog.DiscardHandler)
	ready, _ := migrated(t)
	if err := ready.Wait(t.Context(), time.Minute, log); err != nil {
		t.Errorf("Wait for a reachable database = %v", err)
	}
	if err := unreachable(t).Wait(t.Context(), 10*time.Millisecond, log); err == nil || !strings.HasPrefix(err.Error(), "the database did not answer within 10ms: ") {
		t.Errorf("Wait for an unreachable database = %v", err)
	}
}
