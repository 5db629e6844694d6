package rig

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const patience = 30 * time.Second // limit for a process to start or to stop

// process is a running service. As in production, it logs at INFO in JSON.
type process struct {
	name   string
	url    string
	admin  string        // base URL of its metrics
	ready  time.Duration // time from the start until /ready
	cmd    *exec.Cmd
	log    io.Closer
	exited chan struct{}
}

// start starts a service on free ports and waits until it is ready. Its log goes to a file in the folder logs, or to /dev/null
// if logs is empty.
func start(ctx context.Context, logs, name, executable, command string, env []string) (*process, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	adminPort, err := freePort()
	if err != nil {
		return nil, err
	}
	file := os.DevNull
	if logs != "" {
		file = filepath.Join(logs, name+".log")
	}
	log, err := os.OpenFile(file, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	p := &process{
		name: name, url: local(port), admin: local(adminPort),
		cmd: exec.Command(executable, command), log: log, exited: make(chan struct{}),
	}
	p.cmd.Env = append(env, "HOST=127.0.0.1", "PORT="+strconv.Itoa(port), "ADMIN_PORT="+strconv.Itoa(adminPort))
	p.cmd.Stderr = log
	began := time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, errors.Join(err, log.Close())
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.exited)
	}()
	if err := p.await(ctx); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	p.ready = time.Since(began)
	return p, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// await waits until the process is ready.
func (p *process) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		if _, err := fetch(ctx, p.url+"/ready"); err == nil {
			return nil
		}
		select {
		case <-time.After(time.Millisecond):
		case <-p.exited:
			return fmt.Errorf("%s ended: %s; use -logs to keep its log", p.name, p.cmd.ProcessState)
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w", p.name, ctx.Err())
		}
	}
}

// stop ends the process and waits for its exit.
func (p *process) stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // fails if it has exited
	select {
	case <-p.exited:
	case <-time.After(patience):
		_ = p.cmd.Process.Kill()
		<-p.exited
	}
	return p.log.Close()
}

// metric returns the sum of a metric over the series whose labels contain a text.
func (p *process) metric(ctx context.Context, name, label string) (sum float64, err error) {
	text, err := fetch(ctx, p.admin+"/metrics")
	if err != nil {
		return 0, fmt.Errorf("metrics of %s: %w", p.name, err)
	}
	return sumOf(text, name, label), nil
}

func sumOf(text, name, label string) (sum float64) {
	for line := range strings.Lines(text) {
		series, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if strings.HasPrefix(series, name+"{") && strings.Contains(series, label) {
			n, _ := strconv.ParseFloat(value, 64)
			sum += n
		}
	}
	return sum
}

// fetch gets a document. It closes the connection, because an idle one would delay the shutdown of the service.
func fetch(ctx context.Context, url string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	r.Close = true
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = errors.New(response.Status)
	}
	return string(body), err
}

func local(port int) string { return "http://127.0.0.1:" + strconv.Itoa(port) }

// freePort returns a port that is not in use.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
