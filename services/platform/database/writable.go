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
	// checkEvery is the time for which the outcome of a write is valid. Readiness checks write at most once in this time, and not
	// at all while transactions commit.
	checkEvery = 5 * time.Second
	// checkTimeout limits a check. A busy writer may take longer, so a timeout says nothing about the disk.
	checkTimeout = time.Second
	// checkBytes is the space that a large transaction needs.
	checkBytes = 256 << 10
)

// writeHealth records whether writes succeed. The zero value is ready to use.
type writeHealth struct {
	check func(ctx context.Context, last error) error // returns the new err; nil for a read-only database

	mu   sync.Mutex
	next time.Time // of the next check
	err  error     // why writes fail
}

// record records the outcome of a transaction.
func (w *writeHealth) record(err error) {
	failed := isWriteFailure(err)
	if err != nil && !failed {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case failed:
		w.err, w.next = err, time.Now().Add(checkEvery)
	case w.err == nil: // on a full disk, a small transaction may still succeed, so only a check ends a failure
		w.next = time.Now().Add(checkEvery)
	}
}

// state returns why writes fail, or nil. If the last outcome is too old, one caller checks. The others return the old state
// without waiting.
func (w *writeHealth) state(ctx context.Context) error {
	w.mu.Lock()
	last, now := w.err, time.Now()
	if w.check == nil || now.Before(w.next) {
		w.mu.Unlock()
		return last
	}
	w.next = now.Add(checkEvery)
	w.mu.Unlock()

	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), checkTimeout) // the result is for all callers
	defer cancel()
	err := w.check(ctx, last)
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return last
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.err = err
	return err
}

// isWriteFailure reports whether err means that the database accepts no writes, because its disk is full or broken or it is
// read-only.
func isWriteFailure(err error) bool {
	if e := (*sqlite.Error)(nil); errors.As(err, &e) {
		return slices.Contains([]int{sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}, e.Code()&0xff)
	}
	e := (*mysql.MySQLError)(nil)
	return isReadOnly(err) || errors.As(err, &e) && slices.Contains(unwritable, e.Number)
}

// unwritable holds the error numbers of a MySQL server without space: EE_WRITE, ER_DISK_FULL, ER_ERROR_ON_WRITE, ER_RECORD_FILE_FULL.
var unwritable = []uint16{3, 1021, 1026, 1114}

// checkFile returns a check of an SQLite database. It writes to the folder, to check for free space, and to the database.
func checkFile(file string, write *sql.DB) func(context.Context, error) error {
	return func(ctx context.Context, _ error) error {
		if err := checkSpace(file + "-check"); err != nil {
			return fmt.Errorf("write to the data folder: %w", err)
		}
		_, err := write.ExecContext(ctx, "PRAGMA user_version = 0") // writes a page even if the value is the same; nothing uses the value
		return err
	}
}

func checkSpace(file string) error {
	if err := os.Remove(file); err != nil && !os.IsNotExist(err) { // left by a killed process
		return err
	}
	f, err := os.OpenFile(filepath.Clean(file), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	data := make([]byte, checkBytes)
	_, _ = rand.Read(data) // file systems may compress zeros
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close(), os.Remove(file))
}

// checkServer returns a check of a MySQL server, which writes nothing. With read_only, the server still accepts writes of
// administrators, so that variable counts only after a write has failed.
func checkServer(db *sql.DB, s *servers) func(context.Context, error) error {
	return func(ctx context.Context, last error) error {
		var superReadOnly, readOnly bool
		if err := db.QueryRowContext(ctx, "SELECT @@GLOBAL.super_read_only, @@GLOBAL.read_only").Scan(&superReadOnly, &readOnly); err != nil {
			return last // Ready has just queried the database, and reports this the next time
		}
		if superReadOnly || last != nil && readOnly {
			s.only().retire() // its address may lead to another server now
			return errors.New("MySQL is read-only")
		}
		return nil
	}
}
