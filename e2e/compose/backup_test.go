package compose

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/document"
	"github.com/pedidos-hq/pedidos/e2e/load"
)

// testBackup runs the commands of docs/operations.md. It backs up while orders are placed, deletes the data and restores it.
// Every order from before the backup must be restored, and stock and totals must add up.
func (p *project) testBackup(t *testing.T) {
	lines := document.Blocks(document.Section(t, "../../docs/operations.md", "### MySQL"), "sh")
	if len(lines) != 2 {
		t.Fatalf("got %d blocks of commands, want one to back up and one to restore:\n%q", len(lines), lines)
	}
	backUp, restore := lines[0], lines[1]
	// Enough orders to make the dump slow: an inconsistent dump would contain orders without lines.
	p.compose(t, "run", "--rm", "seed", "seed", "--customers", "10", "--products", "10", "--orders", "8000")
	here, client := t.TempDir(), p.urls.Login(t, call.LocalPassword)
	l := load.New(t, load.Config{Name: "backup", Patience: timeout}, client)
	l.Start(t)
	l.AwaitMore(t, 100)
	before := client.AllOrders(t, 0)
	if printed := p.paste(t, here, backUp); !strings.Contains(printed, "Dump completed") {
		t.Errorf("the commands that back up print\n%s", printed)
	}
	l.AwaitMore(t, 10) // not in the backup
	l.Pause(t)
	all := client.AllOrders(t, 0)

	if printed := p.paste(t, here, restore); !strings.HasSuffix(printed, "Stock and totals add up.\n") {
		t.Errorf("the commands that restore print\n%s", printed)
	}
	p.awaitHealthy(t, running...)
	after := client.AllOrders(t, 0)
	load.Kept(t, before, after)
	if len(after) >= len(all) {
		t.Errorf("got %d orders of %d: the data was not deleted before it was restored", len(after), len(all))
	}
	t.Logf("%d orders before the backup, %d in it, %d deleted", len(before), len(after), len(all))
	client.CreateProduct(t, "RESTORED", 250, 1) // the restored database accepts writes
}

// testPasswords changes a MySQL password as docs/operations.md says. The service must connect before and after its restart.
func (p *project) testPasswords(t *testing.T) {
	statements := document.Blocks(document.Section(t, "../../docs/operations.md", "### Passwords of MySQL"), "sql")
	if len(statements) != 2 {
		t.Fatalf("got %d statements, want two: %q", len(statements), statements)
	}
	administrator := func(statement string) {
		t.Helper()
		p.compose(t, "exec", "-T", "mysql", "mysql", "-u", "root", "-proot_pass", "-e", statement)
	}
	administrator(statements[0])
	// The audit opens a new connection.
	p.compose(t, "exec", "-T", "orders-api", "/pedidos", "audit")
	p.env = append(p.env, "DB_ORDERS_PASSWORD=new-password")
	p.compose(t, "up", "--detach", "--no-deps", "orders-api")
	p.awaitHealthy(t, "orders-api")
	administrator(statements[1])
	p.compose(t, "exec", "-T", "orders-api", "/pedidos", "audit")
	if _, err := p.try(t, "exec", "-T", "-e", "DB_PASSWORD=orders_pass", "-e", "DB_WAIT=1s", "orders-api", "/pedidos", "audit"); err == nil {
		t.Error("the old password is accepted")
	} else if !strings.Contains(err.Error(), "Access denied") {
		t.Error(err)
	}
}

// paste runs commands in a shell in a folder, with docker compose set to this project.
func (p *project) paste(t *testing.T, folder, lines string) string {
	t.Helper()
	file, err := filepath.Abs("../../docker-compose.yml")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 2*timeout)
	defer stop()
	shell := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", lines)
	shell.Dir = folder
	shell.Env = append(p.env, "COMPOSE_PROJECT_NAME="+p.name, "COMPOSE_FILE="+file)
	printed, err := shell.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, lines, printed)
	}
	return string(printed)
}
