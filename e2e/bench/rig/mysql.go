package rig

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/bench/floor"
	"github.com/pedidos-hq/pedidos/services/platform/database"
)

const (
	mysqlImage    = "mysql:9.7"
	mysqlPassword = "bench"
)

// server is MySQL in a container. It uses the host's network, to avoid the cost of Docker's proxy.
type server struct {
	container string
	pid       int
	at        database.MySQL
	command   string // that started it
}

// startMySQL starts a server with the default durability of MySQL. If the server is not nil, remove must be called, even if
// err is not nil.
func startMySQL(ctx context.Context, bufferPool string) (*server, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	s := &server{
		container: "pedidos-bench-" + strconv.Itoa(os.Getpid()),
		at:        database.MySQL{Host: "127.0.0.1", Port: port, User: "root", Password: mysqlPassword, Name: "mysql", Conns: 1},
	}
	args := []string{
		"run", "--detach", "--name", s.container, "--network", "host", "--env", "MYSQL_ROOT_PASSWORD=" + mysqlPassword, mysqlImage,
		"--bind-address=127.0.0.1", "--port=" + strconv.Itoa(port), "--mysqlx=OFF", "--max-connections=500",
		"--innodb-flush-log-at-trx-commit=1", "--innodb-buffer-pool-size=" + bufferPool,
	}
	s.command = "docker " + strings.Join(args, " ")
	if _, err := docker(ctx, args...); err != nil {
		return s, err
	}
	pid, err := docker(ctx, "inspect", "--format", "{{.State.Pid}}", s.container)
	if err != nil {
		return s, err
	}
	if s.pid, err = strconv.Atoi(pid); err != nil {
		return s, fmt.Errorf("process of %s: %w", s.container, err)
	}
	db, err := database.OpenMySQL(s.at, database.Options{})
	if err != nil {
		return s, err
	}
	return s, errors.Join(db.Wait(ctx, 3*time.Minute, slog.New(slog.DiscardHandler)), db.Close())
}

// remove stops the server and removes its data.
func (s *server) remove(ctx context.Context) error {
	_, err := docker(ctx, "rm", "--force", "--volumes", s.container)
	return err
}

// do runs statements in a database, on one connection.
func (s *server) do(ctx context.Context, name string, statements ...string) error {
	return s.with(ctx, name, func(conn *sql.Conn) error {
		for _, statement := range statements {
			if _, err := conn.ExecContext(ctx, statement); err != nil {
				return fmt.Errorf("%.40s: %w", statement, err)
			}
		}
		return nil
	})
}

// settings reads variables of the server.
func (s *server) settings(ctx context.Context, names ...string) (settings map[string]string, err error) {
	settings = map[string]string{}
	err = s.with(ctx, s.at.Name, func(conn *sql.Conn) error {
		for _, name := range names {
			var value string
			if err := conn.QueryRowContext(ctx, "SELECT @@"+name).Scan(&value); err != nil {
				return fmt.Errorf("read @@%s: %w", name, err)
			}
			settings[name] = value
		}
		return nil
	})
	return settings, err
}

func (s *server) with(ctx context.Context, name string, do func(*sql.Conn) error) error {
	at := s.at
	at.Name = name
	db, err := floor.Open(at, true)
	if err != nil {
		return err
	}
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return do(conn)
}

// docker runs a Docker command and returns its output.
func docker(ctx context.Context, args ...string) (string, error) {
	command := exec.CommandContext(ctx, "docker", args...)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	output, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("docker %s: %w: %s", args[0], err, strings.TrimSpace(stderr.String()))
	}
	return strings.TrimSpace(string(output)), nil
}
