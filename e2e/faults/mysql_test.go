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

// killable is a MySQL in a container of its own, as durable as MySQL is by default, on a port that it comes back to.
type killable struct {
	database.MySQL
	docker *testcontainers.DockerClient
}

// newKillable starts the container and removes it in the end; one that an earlier run has left is removed first. Without
// Docker the test is skipped; where CI is set it fails. It must come before t.Parallel: the library's settings are global.
func newKillable(t *testing.T) *killable {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	containerlog.SetDefault(silent{})
	// The reaper would be one more container; Cleanup and the next run see to it.
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
		withoutDocker(t, err)
	}
	t.Cleanup(func() { _ = docker.Close() })
	remove := func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		_, err := docker.ContainerRemove(ctx, mysqlContainer, client.ContainerRemoveOptions{RemoveVolumes: true, Force: true})
		return err
	}
	_ = remove() // mostly there is none
	port := program.ClosedPort(t)
	started, err := mysql.Run(ctx, mysqlImage,
		testcontainers.WithName(mysqlContainer),
		mysql.WithUsername("root"), mysql.WithPassword(mysqlPassword), mysql.WithDatabase("pedidos"),
		testcontainers.WithHostConfigModifier(func(host *container.HostConfig) {
			host.PortBindings = network.PortMap{network.MustParsePort("3306/tcp"): {{HostIP: netip.IPv4Unspecified(), HostPort: port}}}
		}),
		testcontainers.WithWaitStrategy(wait.ForNop(func(context.Context, wait.StrategyTarget) error { return nil })), // its users wait
	)
	if err != nil {
		_ = remove()
		withoutDocker(t, err)
	}
	t.Cleanup(func() {
		if err := remove(); err != nil {
			t.Error(err)
		}
	})
	m := &killable{docker: docker}
	m.User, m.Password, m.Name = "root", mysqlPassword, "pedidos"
	if m.Port, err = strconv.Atoi(port); err != nil {
		t.Fatal(err)
	}
	host, err := started.Host(ctx)
	if err != nil {
		t.Fatal(err)
	}
	m.Host = reachable(t, port, host, "127.0.0.1")
	return m
}

// withoutDocker skips the test; where CI is set it fails.
func withoutDocker(t *testing.T, err error) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(err)
	}
	t.Skipf("MySQL needs Docker and the image %s: %v", mysqlImage, err)
}

// reachable is the first of the hosts that takes connections on a port: a test program that runs in a container, or where
// it looks like one, is told the gateway's.
func reachable(t *testing.T, port string, hosts ...string) string {
	t.Helper()
	for _, host := range hosts {
		if conn, err := net.DialTimeout("tcp", net.JoinHostPort(host, port), 5*time.Second); err == nil {
			_ = conn.Close()
			return host
		}
	}
	t.Fatalf("MySQL takes no connections on port %s of %v", port, hosts)
	return ""
}

// kill kills the server, which leaves what is on its disk.
func (m *killable) kill(t *testing.T) {
	t.Helper()
	if _, err := m.docker.ContainerKill(t.Context(), mysqlContainer, client.ContainerKillOptions{Signal: "KILL"}); err != nil {
		t.Fatal(err)
	}
}

// start starts the server after a kill; it is not ready then.
func (m *killable) start(t *testing.T) {
	t.Helper()
	if _, err := m.docker.ContainerStart(t.Context(), mysqlContainer, client.ContainerStartOptions{}); err != nil {
		t.Fatal(err)
	}
}

// ownMySQL is a new database with a user of its own, on the server that the tests share and that nobody kills. server is
// the same database, past the services, as the server's administrator.
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

// silent keeps the library's account of containers out of the tests' output.
type silent struct{}

func (silent) Printf(string, ...any) {}
