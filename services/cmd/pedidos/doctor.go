package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/pedidos-hq/pedidos/services/orders"
	"github.com/pedidos-hq/pedidos/services/platform/config"
	"github.com/pedidos-hq/pedidos/services/platform/database"
)

// The verdicts of a check.
const (
	fine    = "ok"
	doubt   = "warn" // works, but look at it
	failing = "fail" // a service would not start, or not be ready
	unknown = "-"    // not checked
)

// diagnosis is the result of a check.
type diagnosis struct{ verdict, subject, sentence string }

// doctor collects diagnoses.
type doctor struct {
	*program
	found []diagnosis
}

func (d *doctor) say(verdict, subject, format string, args ...any) {
	d.found = append(d.found, diagnosis{verdict, subject, fmt.Sprintf(format, args...)})
}

// fail adds a diagnosis for each line of an error.
func (d *doctor) fail(subject string, err error) {
	for line := range strings.SplitSeq(err.Error(), "\n") {
		d.say(failing, subject, "%s", line)
	}
}

// examine checks the settings and the database, and prints what it finds. It changes nothing, and services may keep running. It returns an
// error if a check fails.
func examine(ctx context.Context, p *program) error {
	d := &doctor{program: p}
	d.version()
	if d.settings() {
		if err := d.database(ctx); err != nil {
			d.fail("database", err)
		}
	}
	failed := 0
	for _, f := range d.found {
		if f.verdict == failing {
			failed++
		}
		fmt.Fprintf(p.stdout, "%-4s  %-8s  %s\n", f.verdict, f.subject, f.sentence)
	}
	if failed > 0 {
		return fmt.Errorf("failed checks: %d", failed)
	}
	return nil
}

func (d *doctor) version() {
	verdict, version := fine, buildVersion()
	if strings.HasPrefix(version, unknownVersion) {
		verdict = unknown
	}
	d.say(verdict, "version", "%s", version)
}

// settings checks the environment variables: a command refuses invalid ones, and some values are only for a machine that nobody else can
// reach. It reports whether all are valid.
func (d *doctor) settings() bool {
	c := d.Config
	if err := c.Check(config.Needs{Database: true, Set: true}); err != nil {
		d.fail("settings", err)
		return false
	}
	before := len(d.found)
	// Without HOST, services listen on all addresses, and up, which has the embedded database, on loopback.
	public := !loopback(c.Host) && (c.Host != "" || c.DBHost != "")
	if c.Local && public {
		d.say(doubt, "settings", "LOCAL=true accepts published secrets: unset LOCAL where others can reach the services")
	}
	if c.AllowAnonymous && public {
		d.say(doubt, "settings", "ALLOW_ANONYMOUS=true lets anyone who can reach the orchestrator order for any customer")
	}
	if c.AdminPassword != "" && !c.Local {
		d.say(doubt, "settings", "ADMIN_PASSWORD is only used until there is an administrator: remove it after the first start")
	}
	if slices.ContainsFunc(c.DBServers(), remote) && (c.DBTLS == "off" || c.DBTLS == "preferred") {
		d.say(doubt, "settings", "DB_TLS is %s, so the connection to MySQL may be read: set required or verify-ca", c.DBTLS)
	}
	if c.JWTSecret != "" && c.SigningSecret == "" {
		d.say(doubt, "settings", "access tokens are signed with the shared JWT_SECRET: set SIGNING_SECRET to sign with EdDSA")
	}
	if len(d.found) == before {
		d.say(fine, "settings", "nothing is wrong with the variables that are set")
	}
	return true
}

// remote reports whether a server, as host:port, may be on another machine.
func remote(server string) bool {
	host, _, err := net.SplitHostPort(server)
	return err == nil && !loopback(host)
}

func loopback(host string) bool { return host == "localhost" || net.ParseIP(host).IsLoopback() }

func (d *doctor) database(ctx context.Context) error {
	embedded := d.Config.DBHost == ""
	if embedded {
		d.disk()
		d.lastBackup()
	}
	return d.withDatabase(ctx, toRead, mustExist, func(db *database.DB) error {
		server, err := db.Server(ctx)
		if err != nil {
			return err
		}
		d.say(fine, "database", "%s", server.Version)
		if !embedded {
			d.clock(d.Now().Sub(server.Clock))
			d.say(unknown, "backup", "Pedidos does not know of backups of MySQL")
		}
		if err := d.schema(ctx, db); err != nil {
			return err
		}
		if err := db.Suited(ctx); err != nil {
			return err
		}
		return d.stock(ctx, db)
	})
}

// clock compares the clocks of this machine and of the database, whose difference is ahead.
func (d *doctor) clock(ahead time.Duration) {
	const skew = 5 * time.Second // far less than the minute by which tokens may be early or late
	verdict := fine
	if ahead.Abs() > skew {
		verdict = doubt
	}
	d.say(verdict, "clock", "%s ahead of the database", ahead.Round(time.Millisecond))
}

func (d *doctor) schema(ctx context.Context, db *database.DB) error {
	all, err := db.Migrations(ctx)
	if err != nil {
		return err
	}
	for _, m := range all {
		if !m.Applied {
			d.say(failing, "schema", "migration %s is pending: run pedidos migrate up", m.File)
			return nil
		}
	}
	d.say(fine, "schema", "version %d, the newest of this program", all[len(all)-1].Version)
	return nil
}

func (d *doctor) stock(ctx context.Context, db *database.DB) error {
	low, out, err := orders.LowStock(ctx, db)
	if err != nil {
		return err
	}
	verdict := fine
	if low > 0 {
		verdict = doubt
	}
	d.say(verdict, "stock", "%d products below their reorder level, %d without stock", low, out)
	return nil
}

// disk checks the space for the embedded database.
func (d *doctor) disk() {
	const least = 1 << 30
	free, err := freeSpace(d.Config.DataDir)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		d.say(doubt, "disk", "the free space can't be read on this system")
	case err != nil:
		d.say(failing, "disk", "%v", err)
	case free < least:
		d.say(doubt, "disk", "%d MB free in %s", free>>20, d.Config.DataDir)
	default:
		d.say(fine, "disk", "%d GB free in %s", free>>30, d.Config.DataDir)
	}
}

// lastBackupFile is the file in the data folder that says when it was last backed up.
const lastBackupFile = "last-backup.json"

// backupRecord is the content of lastBackupFile.
type backupRecord struct {
	At   time.Time `json:"at"`
	File string    `json:"file"`
}

func (p *program) recordBackup(file string) error {
	path, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	text, err := json.Marshal(backupRecord{p.Now().UTC(), path})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(p.Config.DataDir, lastBackupFile), text, 0o600)
}

func (d *doctor) lastBackup() {
	const old = 25 * time.Hour // a backup each day, and an hour in which it may be late
	text, err := os.ReadFile(filepath.Join(d.Config.DataDir, lastBackupFile))
	if errors.Is(err, fs.ErrNotExist) {
		d.say(doubt, "backup", "there is none: run pedidos backup FILE each day")
		return
	}
	var last backupRecord
	if err == nil {
		err = json.Unmarshal(text, &last)
	}
	if err != nil {
		d.say(doubt, "backup", "%v", err)
		return
	}
	verdict, age := fine, d.Now().Sub(last.At)
	if age > old {
		verdict = doubt
	}
	d.say(verdict, "backup", "%s ago, to %s", age.Round(time.Minute), last.File)
}
