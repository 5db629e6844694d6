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

// testBackup pastes the lines of docs/operations.md: all is backed up while orders are placed, deleted, and restored. Each
// order that was there when the backup began is there, and all adds up.
func (p *project) testBackup(t *testing.T) {
	lines := document.Blocks(document.Section(t, "../../docs/operations.md", "### MySQL"), "sh")
	if len(lines) != 2 {
		t.Fatalf("there are %d blocks to paste, want one that backs up and one that restores:\n%q", len(lines), lines)
	}
	backUp, restore := lines[0], lines[1]
	// A dump that takes its time: one that is not of one moment would have orders without lines.
	p.compose(t, "run", "--rm", "seed", "seed", "--customers", "10", "--products", "10", "--orders", "8000")
	here, client := t.TempDir(), p.urls.Login(t, call.LocalPassword)
	l := load.New(t, load.Config{Name: "backup", Patience: patience}, client)
	l.Start(t)
	l.AwaitMore(t, 100)
	before := client.AllOrders(t, 0)
	if printed := p.paste(t, here, backUp); !strings.Contains(printed, "Dump completed") {
		t.Errorf("the lines that back up print\n%s", printed)
	}
	l.AwaitMore(t, 10) // which are not in the backup
	l.Pause(t)
	all := client.AllOrders(t, 0)

	if printed := p.paste(t, here, restore); !strings.HasSuffix(printed, "Stock and totals add up.\n") {
		t.Errorf("the lines that restore print\n%s", printed)
	}
	p.awaitHealthy(t, running...)
	after := client.AllOrders(t, 0)
	load.Kept(t, before, after)
	if len(after) >= len(all) {
		t.Errorf("there are %d orders, of %d: nothing was deleted before it was restored", len(after), len(all))
	}
	t.Logf("%d orders before the backup, %d in it, %d deleted", len(before), len(after), len(all))
	client.CreateProduct(t, "RESTORED", 250, 1) // and it goes on
}

// testPasswords changes a password of MySQL as docs/operations.md says: before and after the service is restarted it connects.
func (p *project) testPasswords(t *testing.T) {
	statements := document.Blocks(document.Section(t, "../../docs/operations.md", "### Passwords of MySQL"), "sql")
	if len(statements) != 2 {
		t.Fatalf("there are %d statements to paste, want two: %q", len(statements), statements)
	}
	administrator := func(statement string) {
		t.Helper()
		p.compose(t, "exec", "-T", "mysql", "mysql", "-u", "root", "-proot_pass", "-e", statement)
	}
	administrator(statements[0])
	// What connects anew is the audit.
	p.compose(t, "exec", "-T", "orders-api", "/pedidos", "audit")
	p.env = append(p.env, "DB_ORDERS_PASSWORD=new-password")
	p.compose(t, "up", "--detach", "--no-deps", "orders-api")
	p.awaitHealthy(t, "orders-api")
	administrator(statements[1])
	p.compose(t, "exec", "-T", "orders-api", "/pedidos", "audit")
	if _, err := p.try(t, "exec", "-T", "-e", "DB_PASSWORD=orders_pass", "-e", "DB_WAIT=1s", "orders-api", "/pedidos", "audit"); err == nil {
		t.Error("the old password is taken")
	} else if !strings.Contains(err.Error(), "Access denied") {
		t.Error(err)
	}
}

// paste pastes lines into a shell in a folder, where docker compose means this project.
func (p *project) paste(t *testing.T, folder, lines string) string {
	t.Helper()
	file, err := filepath.Abs("../../docker-compose.yml")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 2*patience)
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
