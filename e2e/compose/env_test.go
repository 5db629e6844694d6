package compose

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	settings "github.com/pedidos-hq/pedidos/services/platform/config"
)

// text reads a file of the repository.
func text(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile("../../" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// sorted returns the first submatches of all matches, sorted and without duplicates.
func sorted(pattern, text string) []string {
	var found []string
	for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		found = append(found, match[1])
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// TestEnvExample checks that .env.example lists exactly the variables that the Compose files read.
func TestEnvExample(t *testing.T) {
	t.Parallel()
	read := sorted(`\$\{(\w+)`, text(t, "docker-compose.yml")+text(t, "deploy/caddy/public.yaml")+text(t, "deploy/group/compose.yaml"))
	read = slices.DeleteFunc(read, func(name string) bool { return name == "COMPOSE_PROJECT_NAME" }) // Compose's own
	if named := sorted(`(?m)^(\w+)=`, text(t, ".env.example")); !slices.Equal(named, read) {
		t.Errorf(".env.example lists\n%q\nCompose reads\n%q", named, read)
	}
}

// TestPublishedSecrets checks that the configuration refuses every secret published in this repository, unless it is local.
func TestPublishedSecrets(t *testing.T) {
	t.Parallel()
	published := slices.Concat(
		sorted(`\$\{\w+(?:PASSWORD|SECRET|TOKEN):?-([^}]+)\}`, text(t, "docker-compose.yml")),
		sorted(`(?m)^\w+(?:PASSWORD|SECRET|TOKEN)=(\S+)`, text(t, "deploy/kubernetes/overlays/local/secrets.env")),
	)
	if len(published) < 10 {
		t.Fatalf("found only %q, want 10 secrets or more", published)
	}
	for _, secret := range published {
		c, err := settings.Read(map[string]string{
			"DB_HOST": "mysql", "DB_USER": "u", "DB_NAME": "n", "DB_PASSWORD": secret,
			"SIGNING_SECRET": secret, "JWT_SECRET": secret, "SERVICE_TOKEN": secret, "ADMIN_PASSWORD": secret,
		})
		if err != nil {
			t.Fatal(err)
		}
		err = c.Check(settings.Needs{Database: true, ServiceToken: true, Identity: true})
		for _, name := range []string{"DB_PASSWORD", "SIGNING_SECRET", "JWT_SECRET", "SERVICE_TOKEN", "ADMIN_PASSWORD"} {
			if err == nil || !strings.Contains(err.Error(), name+" is published") {
				t.Errorf("%s=%s: got %v, want it refused as published", name, secret, err)
			}
		}
	}
}
