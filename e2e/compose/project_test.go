package compose

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	mathrand "math/rand/v2"
	"net"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/call"
)

// timeout bounds every wait, and every command but the build, with a large margin.
const timeout = 3 * time.Minute

// running lists the long-running services in the order in which they start.
var running = []string{"mysql", "customers-api", "orders-api", "orchestrator", "backoffice", "door"}

// portOf maps a service to its port in the container and the variable that sets the published port.
var portOf = map[string]struct{ inside, variable string }{
	"mysql":         {"3306", "MYSQL_PORT"},
	"customers-api": {"3001", "CUSTOMERS_PORT"},
	"orders-api":    {"3002", "ORDERS_PORT"},
	"orchestrator":  {"3003", "ORCHESTRATOR_PORT"},
	"backoffice":    {"3000", "BACKOFFICE_PORT"},
	"door":          {"8080", "DOOR_PORT"},
}

// project is a Compose project with a unique name and unused ports.
type project struct {
	name       string
	env        []string
	urls       call.URLs
	door       string // its URL
	backoffice string
}

// newProject returns a project, which is removed when the test ends. Without Docker it skips the test or, if CI is set, ends it.
func newProject(t *testing.T) *project {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "docker", "info").CombinedOutput(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("no Docker engine: %v\n%s", err, out)
		}
		t.Skip("the test needs a Docker engine, which is not available")
	}
	p := &project{name: "pedidos-test-" + strings.ToLower(rand.Text()[:8])}
	p.env = append(os.Environ(), defaults(t)...)
	url := map[string]string{}
	for service, port := range portOf {
		free := freePort(t)
		p.env = append(p.env, port.variable+"="+free)
		url[service] = "http://127.0.0.1:" + free
	}
	p.door, p.backoffice = url["door"], url["backoffice"]
	p.env = append(p.env, "COMPOSE_PROFILES=door", fmt.Sprintf("DOOR_SUBNET=10.213.%d.%d/28", 64+mathrand.IntN(192), 16*mathrand.IntN(16)))
	p.urls = call.URLs{Customers: url["customers-api"], Orders: url["orders-api"], Orchestrator: url["orchestrator"]}
	t.Cleanup(func() { p.down(t) })
	return p
}

// defaults sets all variables of the Compose file to "", so that neither the environment nor .env changes them.
func defaults(t *testing.T) []string {
	t.Helper()
	var env []string
	file, err := os.ReadFile("../../docker-compose.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range regexp.MustCompile(`\$\{(\w+):-`).FindAllSubmatch(file, -1) {
		env = append(env, string(found[1])+"=")
	}
	return env
}

// freePort returns an unused port. Unlike a port that Docker chooses, it stays the same when a container restarts.
func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
}

// compose runs docker compose and returns its output.
func (p *project) compose(t *testing.T, args ...string) string {
	t.Helper()
	out, err := p.try(t, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (p *project) try(t *testing.T, args ...string) (string, error) {
	t.Helper()
	return p.docker(t.Context(), append([]string{"compose", "--project-name", p.name}, args...)...)
}

func (p *project) docker(ctx context.Context, args ...string) (string, error) {
	limit := timeout
	if args[len(args)-1] == "build" {
		limit = 6 * time.Minute // with empty caches
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "docker", args...)
	cmd.Dir, cmd.Env = "../..", p.env
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // unlike a kill, it also stops the compose plugin
	cmd.WaitDelay = 10 * time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("docker %s: %w\n%s%s", strings.Join(args, " "), err, &stdout, &stderr)
	}
	return stdout.String(), nil
}

// config is the merged configuration that docker compose prints.
type config struct {
	Services map[string]struct {
		Environment map[string]string
		Ports       []struct {
			HostIP    string `json:"host_ip"`
			Published string
		}
	}
}

func (p *project) config(t *testing.T) (c config) {
	t.Helper()
	if err := json.Unmarshal([]byte(p.compose(t, "config", "--format", "json")), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func (p *project) inspect(t *testing.T, into any, name string) {
	t.Helper()
	out, err := p.docker(t.Context(), "inspect", "--format", "{{json .}}", name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(out), into); err != nil {
		t.Fatal(err)
	}
}

// container is the part of the output of docker inspect that the tests read.
type container struct {
	RestartCount    int
	Config          struct{ User string }
	Mounts          []struct{ Destination string }
	NetworkSettings struct {
		Networks map[string]struct{ Gateway string }
	}
	State struct {
		Status   string
		ExitCode int
		Health   struct{ Status string }
	}
	HostConfig struct {
		ReadonlyRootfs               bool
		CapAdd, CapDrop, SecurityOpt []string
		Memory                       int64
		RestartPolicy                struct{ Name string }
	}
}

func (p *project) container(t *testing.T, service string) container {
	t.Helper()
	return p.replica(t, service, 1)
}

func (p *project) replica(t *testing.T, service string, number int) (c container) {
	t.Helper()
	p.inspect(t, &c, fmt.Sprintf("%s-%s-%d", p.name, service, number))
	return c
}

func (p *project) awaitHealthy(t *testing.T, services ...string) {
	t.Helper()
	for _, service := range services {
		p.awaitReplica(t, service, 1)
	}
}

func (p *project) awaitReplica(t *testing.T, service string, number int) {
	t.Helper()
	await(t, fmt.Sprintf("%s %d is healthy", service, number), func() bool {
		return p.replica(t, service, number).State.Health.Status == "healthy"
	})
}

// with returns the project with additional environment variables.
func (p *project) with(env ...string) *project {
	other := *p
	other.env = append(slices.Clip(p.env), env...)
	return &other
}

// await waits until condition returns true. It ends the test after timeout.
func await(t *testing.T, what string, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	for tick := time.NewTicker(100 * time.Millisecond); !condition(); {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited for %s: %v", what, ctx.Err())
		}
	}
}

// down removes the project. If the test failed, it first logs the state and the last log lines of the containers.
func (p *project) down(t *testing.T) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	do := func(args ...string) string {
		out, err := p.docker(ctx, args...)
		if err != nil {
			t.Error(err)
		}
		return out
	}
	if t.Failed() {
		t.Log(do("compose", "--project-name", p.name, "ps", "--all"))
		t.Log(do("compose", "--project-name", p.name, "logs", "--tail", "30"))
	}
	do("compose", "--project-name", p.name, "down", "--volumes", "--timeout", "5")
	do("image", "rm", "--force", p.name)
	for _, kind := range []string{"container", "volume", "network"} {
		if left := do(kind, "ls", "--quiet", "--filter", "label=com.docker.compose.project="+p.name); left != "" {
			t.Errorf("down left a %s: %s", kind, left)
		}
	}
}
