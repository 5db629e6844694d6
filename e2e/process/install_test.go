package process

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestInstallAtVersion prepares and tags a release in a clone of what is committed, and installs pedidos at its version as its users do.
// Only with -long it compiles what it installs.
func TestInstallAtVersion(t *testing.T) {
	t.Parallel()
	const version, pkg = "v0.9.0", "github.com/pedidos-hq/pedidos/services/cmd/pedidos"
	clone, bin := filepath.Join(t.TempDir(), "clone"), t.TempDir()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	known, err := exec.CommandContext(t.Context(), "go", "env", "GOMODCACHE", "GOPROXY").Output()
	if err != nil {
		t.Fatal(err)
	}
	cache, proxy, _ := strings.Cut(strings.TrimSpace(string(known)), "\n")
	env := append(os.Environ(),
		"GIT_AUTHOR_NAME=test", "GIT_AUTHOR_EMAIL=test@example.com", "GIT_COMMITTER_NAME=test", "GIT_COMMITTER_EMAIL=test@example.com",
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=url.file://"+clone+".insteadOf", "GIT_CONFIG_VALUE_0=https://github.com/pedidos-hq/pedidos",
		// The modules of this repository come from the clone, all others from the module cache,
		// or from the proxy where the workspace selects another version than the services alone.
		"GOPRIVATE=github.com/pedidos-hq", "GOMODCACHE="+t.TempDir(), "GOFLAGS=-modcacherw -trimpath",
		"GOPROXY=file://"+cache+"/cache/download,"+proxy, "GONOSUMDB=*", "GOWORK=off", "GOBIN="+bin, "CGO_ENABLED=0")
	run := func(dir, script string) (string, error) {
		c := exec.CommandContext(t.Context(), "bash", "-euc", script)
		c.Dir, c.Env = dir, env
		out, err := c.CombinedOutput()
		return string(out), err
	}
	if out, err := run(".", "git clone --quiet "+root+" "+clone+"; git -C "+clone+" switch --quiet --force-create release"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	const commit, tag = "; git commit --quiet --all --message='Prepare the release'", "bash .ci/tag " + version
	for _, step := range []struct{ script, want string }{
		{"echo >> api/released/orders.json" + commit, ""},
		{tag, "run task contracts:release"},
		{"cp gen/contract/{customers,orders,orchestrator}.json api/released/" + commit, ""},
		{tag, "CHANGELOG.md has no section ## " + version},
		{"sed -i 's/^## Unreleased$/## " + version + "/' CHANGELOG.md" + commit, ""},
		{tag, "sdk/typescript/package.json has another version"},
		{`sed -i '0,/"version": "[^"]*"/s//"version": "` + version[1:] + `"/' sdk/typescript/package.json`, ""},
		{tag, "there are changes that are not committed"},
		{"true" + commit, ""},
		{"bash .ci/tag 0.9.0", "0.9.0 is not a version such as v1.2.3"},
	} {
		if out, err := run(clone, step.script); (err == nil) != (step.want == "") || !strings.Contains(out, step.want) {
			t.Fatalf("%s: got %v, %s, want %q", step.script, err, out, step.want)
		}
	}
	if out, err := run(os.TempDir(), "go install -n "+pkg+"@"+version); err == nil {
		t.Errorf("there is a version before it is tagged: %s", out)
	}
	if out, err := run(clone, tag+"; git symbolic-ref --short HEAD; git status --porcelain"); err != nil || !strings.HasSuffix(out, "\nrelease\n") {
		t.Fatalf("the tag: %v\n%s", err, out)
	}
	install := "go install -n " + pkg + "@" + version
	if *long {
		install = "go install " + pkg + "@" + version + " && " + bin + "/pedidos version"
	}
	if out, err := run(os.TempDir(), install); err != nil || *long && !strings.Contains(out, version) {
		t.Errorf("%s: %v\n%s", install, err, out)
	}
	const outside = "go mod init example.com/outside && go get github.com/pedidos-hq/pedidos/sdk/go@" + version + " && go list -m all"
	out, err := run(t.TempDir(), outside)
	if err != nil || !strings.HasSuffix(out, "example.com/outside\ngithub.com/pedidos-hq/pedidos/sdk/go "+version+"\n") {
		t.Errorf("the SDK: %v\n%s", err, out)
	}
}
