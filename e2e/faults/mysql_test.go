package faults

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	containerlog "github.com/testcontainers/testcontainers-go/log"
	"github.com/testcontainers/testcontainers-go/modules/mysql"
	"github.com/testcontainers/testcontainers-go/wait"

	"github.com/pedidos-hq/pedidos/e2e/engine"
	"github.com/pedidos-hq/pedidos/e2e/program"
	"github.com/pedidos-hq/pedidos/services/platform/database"
)

const (
	mysqlImage     = "mysql:9.7"
	mysqlContainer = "pedidos-test-faults-mysql"
	mysqlPassword  = "faults-database-password"
)

// killable is a server on a fixed port, which the test can kill. Its files remain. Its settings of durability are the defaults.
type killable struct {
	database.MySQL
	kill  func(*testing.T) // nil for TiDB: its embedded storage has locks in memory alone, so a kill may keep half of a transaction
	start func(*testing.T) // does not wait until the server is ready
}

// newKillable starts a server of the engine of the tests; with the embedded engine, MySQL.
func newKillable(t *testing.T) killable {
	t.Helper()
	if engine.Name() == "tidb" {
		return newKillableTiDB(t)
	}
	return newKillableMySQL(t)
}

func newKillableTiDB(t *testing.T) killable {
	t.Helper()
	s := engine.StartTiDB(t)
	admin, err := database.OpenMySQL(s.MySQL, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	err = admin.Read(t.Context(), func(conn database.Conn) error {
		for _, statement := range []string{
			"CREATE DATABASE pedidos", "CREATE USER pedidos IDENTIFIED BY '" + mysqlPassword + "'", "GRANT ALL ON pedidos.* TO pedidos",
		} {
			if _, err := conn.ExecContext(t.Context(), statement); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	at := s.MySQL
	at.User, at.Password, at.Name = "pedidos", mysqlPassword, "pedidos"
	return killable{MySQL: at}
}

// newKillableMySQL starts a container, after removing one left over from an earlier run, and removes it when the test ends.
// Without Docker it skips the test, or fails it if CI is set. Call it before t.Parallel: it changes global settings of the
// library.
func newKillableMySQL(t *testing.T) killable {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	containerlog.SetDefault(discardLogger{})
	// Cleanup and the next run remove the container, so it needs no reaper, which is another container.
	if err := os.Setenv("TESTCONTAINERS_RYUK_DISABLED", "true"); err != nil {
		t.Fatal(err)
	}
	lock := flock.New(filepath.Join(os.TempDir(), mysqlContainer+".lock"))
	if _, err := lock.TryLockContext(t.Context(), 100*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = lock.Unlock() })

	docker, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		skipWithoutDocker(t, err)
	}
	t.Cleanup(func() { _ = docker.Close() })
	remove := func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		_, err := docker.ContainerRemove(ctx, mysqlContainer, client.ContainerRemoveOptions{RemoveVolumes: true, Force: true})
		return err
	}
	_ = remove() // usually there is none
	port := program.ClosedPort(t)
	started, err := mysql.Run(ctx, mysqlImage,
		testcontainers.WithName(mysqlContainer),
		mysql.WithUsername("root"), mysql.WithPassword(mysqlPassword), mysql.WithDatabase("pedidos"),
		testcontainers.WithHostConfigModifier(func(host *container.HostConfig) {
			host.PortBindings = network.PortMap{network.MustParsePort("3306/tcp"): {{HostIP: netip.IPv4Unspecified(), HostPort: port}}}
		}),
		testcontainers.WithWaitStrategy(wait.ForNop(func(context.Context, wait.StrategyTarget) error { return nil })), // the services wait
	)
	if err != nil {
		_ = remove()
		skipWithoutDocker(t, err)
	}
	t.Cleanup(func() {
		if err := remove(); err != nil {
			t.Error(err)
		}
	})
	var m killable
	m.User, m.Password, m.Name = "root", mysqlPassword, "pedidos"
	if m.Port, err = strconv.Atoi(port); err != nil {
		t.Fatal(err)
	}
	host, err := started.Host(ctx)
	if err != nil {
		t.Fatal(err)
	}
	m.Host = reachableHost(t, port, host, "127.0.0.1")
	m.kill = func(t *testing.T) {
		t.Helper()
		if _, err := docker.ContainerKill(t.Context(), mysqlContainer, client.ContainerKillOptions{Signal: "KILL"}); err != nil {
			t.Fatal(err)
		}
	}
	m.start = func(t *testing.T) {
		t.Helper()
		if _, err := docker.ContainerStart(t.Context(), mysqlContainer, client.ContainerStartOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// skipWithoutDocker skips the test, or fails it if CI is set.
func skipWithoutDocker(t *testing.T, err error) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(err)
	}
	t.Skipf("MySQL needs Docker and the image %s: %v", mysqlImage, err)
}

// reachableHost returns the first of the hosts that accepts connections on the port. In a container, or where the library
// assumes one, the library reports the address of the gateway, which may not be reachable.
func reachableHost(t *testing.T, port string, hosts ...string) string {
	t.Helper()
	for _, host := range hosts {
		if conn, err := net.DialTimeout("tcp", net.JoinHostPort(host, port), 5*time.Second); err == nil {
			_ = conn.Close()
			return host
		}
	}
	t.Fatalf("MySQL accepts no connections on port %s of %v", port, hosts)
	return ""
}

// ownMySQL creates a database and a user for it on the shared server, which no test kills. The result server connects to the
// same database as the administrator.
func ownMySQL(t *testing.T) (at database.MySQL, server *database.DB) {
	t.Helper()
	at = engine.EmptyMySQL(t)
	server, err := database.OpenMySQL(at, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	at.User, at.Password = at.Name, mysqlPassword
	run := func(ctx context.Context, statement string) error {
		return server.Read(ctx, func(conn database.Conn) error {
			_, err := conn.ExecContext(ctx, statement)
			return err
		})
	}
	if err := run(t.Context(), fmt.Sprintf("CREATE USER %s IDENTIFIED BY '%s'", at.User, at.Password)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(run(context.WithoutCancel(t.Context()), "DROP USER "+at.User), server.Close()); err != nil {
			t.Error(err)
		}
	})
	if err := run(t.Context(), fmt.Sprintf("GRANT ALL ON %s.* TO %s", at.Name, at.User)); err != nil {
		t.Fatal(err)
	}
	return at, server
}

// discardLogger discards the library's log of containers.
type discardLogger struct{}

func (discardLogger) Printf(string, ...any) {}
