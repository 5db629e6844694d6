package hostile

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/program"
	"github.com/pedidos-hq/pedidos/gen/customers"
)

// TestFullDisk fills the disk of a shop. Both services must answer 503 at /ready while writes fail, and become ready again
// once there is space.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t)
	s := program.Up(t, nil, filepath.Join(disk, "data"), program.FreePorts()...)
	client := s.Login(t, call.LocalPassword)
	create := func(n int) int {
		t.Helper()
		r := call.Read(client.Customers.CreateCustomer(t.Context(), nil, customers.CustomerInput{
			Name: "A customer", Email: fmt.Sprintf("customer-%d@example.com", n),
		}))
		if r.Err != nil {
			t.Fatal(r.Err)
		}
		return r.Status
	}
	if status := create(0); status != http.StatusCreated {
		t.Fatalf("create a customer on an empty disk: %d", status)
	}
	program.AwaitReady(t, s.Customers, s.Orders)

	filler := filepath.Join(disk, "filler")
	f, err := os.Create(filler)
	if err != nil {
		t.Fatal(err)
	}
	for size := 1 << 16; size > 0; {
		if _, err := f.Write(make([]byte, size)); errors.Is(err, syscall.ENOSPC) {
			size /= 2
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	n := 1
	for ; create(n) == http.StatusCreated; n++ { // until the write-ahead log is full
	}
	for _, url := range []string{s.Customers, s.Orders} {
		if status, body := program.Get(t, url+"/ready"); status != http.StatusServiceUnavailable {
			t.Errorf("while writes fail, %s/ready answers %d\n%s", url, status, body)
		}
		if status, body := program.Get(t, url+"/health"); status != http.StatusOK {
			t.Errorf("%s/health answers %d\n%s", url, status, body)
		}
	}

	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	program.AwaitReady(t, s.Customers, s.Orders)
	if status := create(n + 1); status != http.StatusCreated {
		t.Errorf("create a customer once there is space: %d", status)
	}
	client.HangUp()
	s.Interrupt(t)
}

// TestFullDiskUnseen fills the disk of a shop without traffic. /ready must detect that by itself.
func TestFullDiskUnseen(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t)
	s := program.Up(t, nil, filepath.Join(disk, "data"), program.FreePorts()...)
	program.AwaitReady(t, s.Customers)
	if err := os.WriteFile(filepath.Join(disk, "filler"), make([]byte, diskBytes), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	call.Eventually(t, "not ready", func() bool {
		status, _ := program.Get(t, s.Customers+"/ready")
		return status == http.StatusServiceUnavailable
	})
	s.Kill(t)
}

// TestReadinessWritesLittle checks that the writes for /ready are limited in rate, however many probes there are.
func TestReadinessWritesLittle(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	s := program.Up(t, nil, folder, program.FreePorts()...)
	log := func() int64 {
		info, err := os.Stat(filepath.Join(folder, "pedidos.db-wal"))
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	program.AwaitReady(t, s.Customers, s.Orders)
	probes := 500
	if *long {
		probes = 20_000
	}
	const frame, every = 4096 + 24, 5 * time.Second
	before, start := log(), time.Now()
	for range probes {
		program.Get(t, s.Orders+"/ready")
	}
	written, allowed := (log()-before)/frame, int64(time.Since(start)/every)+1
	if written > allowed {
		t.Errorf("%d probes wrote %d pages, want %d at most", probes, written, allowed)
	}
	s.Interrupt(t)
}

const diskBytes = 8 << 20

// smallDisk mounts a file system of diskBytes and returns its folder. If the user may not mount, it skips the test, or fails
// it if CI is set.
func smallDisk(t *testing.T) string {
	t.Helper()
	disk := t.TempDir()
	mounted, err := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%d", diskBytes), "tmpfs", disk).CombinedOutput()
	if err != nil && os.Getenv("CI") == "" {
		t.Skipf("NOT TESTED: this user may not mount a small disk: %v\n%s", err, mounted)
	}
	if err != nil {
		t.Fatalf("mount a small disk: %v\n%s", err, mounted)
	}
	t.Cleanup(func() {
		if printed, err := exec.Command("umount", "--lazy", disk).CombinedOutput(); err != nil { // lazily, as the process may still be exiting
			t.Errorf("%v\n%s", err, printed)
		}
	})
	return disk
}
