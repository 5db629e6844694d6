package database

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

const (
	// checkEvery is how old the last evidence that writes succeed may be. However often readiness is asked for, no more is
	// written for it than one check in this time, and none while transactions are committed.
	checkEvery = 5 * time.Second
	// checkPatience bounds one check: where a writer is busy for longer, nothing is known.
	checkPatience = time.Second
	// checkBytes is room for the writes of a large transaction.
	checkBytes = 256 << 10
)

// writes remembers whether writes succeed. The zero value has no evidence yet.
type writes struct {
	check func(ctx context.Context, failing bool) error // nil where nothing is ever written

	mu   sync.Mutex
	next time.Time // when there is to be new evidence
	err  error     // why they fail
}

// note takes the end of a transaction as evidence.
func (w *writes) note(err error) {
	failed := cantWrite(err)
	if err != nil && !failed {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case failed:
		w.err, w.next = err, time.Now().Add(checkEvery)
	case w.err == nil: // else a small transaction may have found room where others don't
		w.next = time.Now().Add(checkEvery)
	}
}

// state returns why writes fail, by the last evidence. Where that is old, one caller checks, and the others don't wait.
func (w *writes) state(ctx context.Context) error {
	w.mu.Lock()
	last, now := w.err, time.Now()
	if w.check == nil || now.Before(w.next) {
		w.mu.Unlock()
		return last
	}
	w.next = now.Add(checkEvery)
	w.mu.Unlock()

	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), checkPatience) // others rely on it
	defer cancel()
	err := w.check(ctx, last != nil)
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return last
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.err = err
	return err
}

// cantWrite reports whether an error says that the database takes no writes: its disk is full or broken, or it may only be
// read.
func cantWrite(err error) bool {
	if e := (*sqlite.Error)(nil); errors.As(err, &e) {
		return slices.Contains([]int{sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}, e.Code()&0xff)
	}
	e := (*mysql.MySQLError)(nil)
	return errors.As(err, &e) && slices.Contains(unwritable, e.Number)
}

// unwritable are MySQL's errors of a server that takes no writes.
var unwritable = []uint16{
	3, 1021, 1026, 1114, // no room: EE_WRITE, ER_DISK_FULL, ER_ERROR_ON_WRITE, ER_RECORD_FILE_FULL
	1290, 1836, // read only: ER_OPTION_PREVENTS_STATEMENT, ER_READ_ONLY_MODE
}

// checkFile writes to the folder of an embedded database, to see that there is room, and to the database itself.
func checkFile(file string, write *sql.DB) func(context.Context, bool) error {
	return func(ctx context.Context, _ bool) error {
		if err := checkRoom(file + "-check"); err != nil {
			return fmt.Errorf("the data folder can't be written: %w", err)
		}
		_, err := write.ExecContext(ctx, "PRAGMA user_version = 0") // one page, whatever it was before; nothing else uses it
		return err
	}
}

func checkRoom(file string) error {
	if err := os.Remove(file); err != nil && !os.IsNotExist(err) { // of a process that was killed
		return err
	}
	f, err := os.OpenFile(filepath.Clean(file), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	noise := make([]byte, checkBytes) // zeros may take no room
	_, _ = rand.Read(noise)
	_, err = f.Write(noise)
	return errors.Join(err, f.Sync(), f.Close(), os.Remove(file))
}

// checkServer asks MySQL whether it takes writes. One that is read only still takes those of its administrators, so that is
// believed only after a write has failed.
func checkServer(db *sql.DB) func(context.Context, bool) error {
	return func(ctx context.Context, failing bool) error {
		var nobody, some bool
		if err := db.QueryRowContext(ctx, "SELECT @@GLOBAL.super_read_only, @@GLOBAL.read_only").Scan(&nobody, &some); err != nil {
			return nil // whoever asks hears of it from the next query
		}
		if nobody || failing && some {
			return errors.New("MySQL is read only")
		}
		return nil
	}
}
