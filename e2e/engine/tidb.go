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

// tidbScript runs TiDB until its own input ends, which it does when the test program ends, however that happens. The storage engine takes
// the name of its folder to mean that no write has to survive a crash.
const tidbScript = `cd "$1" && export TMPDIR="$1" && { "$0" -config tidb.toml -host 127.0.0.1 -P "$2" -path "$1/tidb-unistore-temp" >output 2>&1 &
server=$!; cat >/dev/null; kill -9 $server; wait $server; rm -rf "$1"; }`

// StartTiDB starts a TiDB for one test, and removes it when the test ends.
func StartTiDB(t testing.TB) *TiDB {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	s, err := newTiDB(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// startTiDB starts the TiDB of this test program.
var startTiDB = sync.OnceValues(func() (database.MySQL, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	var err error
	if shared, err = newTiDB(ctx); err != nil {
		return database.MySQL{}, err
	}
	return shared.MySQL, nil
})

// shared keeps the input of the process open.
var shared *TiDB

func newTiDB(ctx context.Context) (s *TiDB, err error) {
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
	command := exec.Command("sh", "-c", tidbScript, s.program, s.folder, strconv.Itoa(s.Port)) //nolint:noctx // it outlives any context
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

func (s *TiDB) stop() error {
	err := s.alive.Close()
	<-s.ended
	return err
}
