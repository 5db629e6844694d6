package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/services/platform/database"
)

// tidbVariable names the variable with the path of the executable.
const tidbVariable = "PEDIDOS_TIDB_SERVER"

// TiDB is one process of TiDB, with its embedded storage engine, in a temporary folder.
type TiDB struct {
	database.MySQL // as the administrator, without a default database
	program        string
	folder         string
	data           string    // folder of the storage engine
	alive          io.Closer // the process ends when this is closed
	ended          <-chan struct{}
}

// tidbConfig is the configuration file. The temporary folders are apart, because other servers may run on this machine.
const tidbConfig = `store = "unistore"
socket = ""
temp-dir = "temp"
tmp-storage-path = "temp"
[log]
level = "error"
enable-slow-log = false
[log.file]
filename = "tidb.log"
[status]
report-status = false
`

// tidbScript runs TiDB until its own input ends, which it does when the test program ends, however that happens. It leaves the folder
// to the next process if there is a file named keep.
const tidbScript = `cd "$1" && export TMPDIR="$1" && { "$0" -config tidb.toml -host 127.0.0.1 -P "$2" -path "$3" >output 2>&1 & server=$!
cat >/dev/null; kill -9 $server; wait $server; [ -e keep ] || rm -rf "$1"; }`

// StartTiDB starts a TiDB that the test may kill, and removes it when the test ends.
func StartTiDB(t testing.TB) *TiDB {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	s, err := newTiDB(ctx, "data")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(os.RemoveAll(filepath.Join(s.folder, "keep")), s.stop(), os.RemoveAll(s.folder)); err != nil {
			t.Error(err)
		}
	})
	if err := os.WriteFile(filepath.Join(s.folder, "keep"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

// startTiDB starts the TiDB of this test program.
var startTiDB = sync.OnceValues(func() (database.MySQL, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	var err error
	// The storage engine takes this name to mean that no write has to survive a crash.
	if shared, err = newTiDB(ctx, "tidb-unistore-temp"); err != nil {
		return database.MySQL{}, err
	}
	return shared.MySQL, nil
})

// shared keeps the input of the process open.
var shared *TiDB

func newTiDB(ctx context.Context, data string) (s *TiDB, err error) {
	s = &TiDB{program: os.Getenv(tidbVariable)}
	if s.program == "" {
		return nil, errors.New("-engine=tidb needs " + tidbVariable + ", the path of the executable tidb-server; docs/scale.md says how to build it")
	}
	if s.folder, err = os.MkdirTemp("", "pedidos-tidb-"); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(s.folder, "tidb.toml"), []byte(tidbConfig), 0o600); err != nil {
		return nil, err
	}
	s.data = filepath.Join(s.folder, data)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	port := listener.Addr().(*net.TCPAddr).Port
	if err := listener.Close(); err != nil {
		return nil, err
	}
	s.MySQL = database.MySQL{Host: "127.0.0.1", Port: port, User: "root", Name: "mysql", Conns: conns}
	if err := s.run(); err != nil {
		return nil, err
	}
	if err := s.prepare(ctx); err != nil {
		output, _ := os.ReadFile(filepath.Join(s.folder, "output"))
		return nil, errors.Join(fmt.Errorf("start %s: %w\n%s", s.program, err, output), s.stop())
	}
	return s, nil
}

func (s *TiDB) run() error {
	input, alive, err := os.Pipe()
	if err != nil {
		return err
	}
	defer func() { _ = input.Close() }()
	command := exec.Command("sh", "-c", tidbScript, s.program, s.folder, strconv.Itoa(s.Port), s.data) //nolint:noctx // it outlives any context
	command.Stdin = input
	if err := command.Start(); err != nil {
		return errors.Join(err, alive.Close())
	}
	ended := make(chan struct{})
	go func() {
		_ = command.Wait() // the status is that of a killed process
		close(ended)
	}()
	s.alive, s.ended = alive, ended
	return nil
}

// prepare waits until TiDB answers, and sets the variables that it needs.
func (s *TiDB) prepare(ctx context.Context) error {
	if _, err := reach(ctx, s.MySQL, s.Host); err != nil {
		return err
	}
	admin, err := connect(s.MySQL)
	if err != nil {
		return err
	}
	defer admin.Close()
	_, err = admin.ExecContext(ctx, "SET GLOBAL tidb_enable_check_constraint = ON")
	return err
}

// Kill kills the process, without a chance to write anything.
func (s *TiDB) Kill() error { return s.stop() }

// Restart starts the process again on the same port and data, without waiting until it answers.
func (s *TiDB) Restart() error { return s.run() }

func (s *TiDB) stop() error {
	err := s.alive.Close()
	<-s.ended
	return err
}
