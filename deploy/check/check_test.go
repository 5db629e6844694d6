// Package check holds the test of deploy/kubernetes. Each overlay is built as `kubectl apply -k` builds it and decoded as a
// strict API server would; then the executable itself says whether it starts with what its containers get, and the rules
// say what else a cluster would only show once it runs.
//
// Run it with -count=1: the test cache does not know what the executable and the overlays are made of.
package check

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
)

func TestOverlays(t *testing.T) {
	for _, overlay := range []string{"local", "production"} {
		s := newSystem(t, build(t, overlay))
		for _, rule := range rules {
			for _, finding := range rule.findings(s) {
				t.Errorf("%s: %s", overlay, finding)
			}
		}
		t.Logf("%s: %d objects", overlay, len(s))
	}
}

// MySQL makes the services' users with the passwords by which they connect.
func TestLocalUsers(t *testing.T) {
	e := editor{t, new(system)}
	*e.s = newSystem(t, build(t, "local"))
	script := string(e.secret("mysql").Data["users.sql"])
	for user, password := range map[string]string{"customers_user": "DB_CUSTOMERS_PASSWORD", "orders_user": "DB_ORDERS_PASSWORD"} {
		if made := fmt.Sprintf("CREATE USER %s IDENTIFIED BY '%s';", user, e.secret("pedidos").Data[password]); !strings.Contains(script, made) {
			t.Errorf("users.sql is without\n%s", made)
		}
	}
}

// What production adds, and what it must not have.
func TestProduction(t *testing.T) {
	s := newSystem(t, build(t, "production"))
	for _, secret := range all[*corev1.Secret](s) {
		if len(secret.Data) > 0 {
			t.Errorf("the overlay makes the Secret %s", secret.Name)
		}
	}
	for _, ingress := range all[*networkingv1.Ingress](s) {
		var hosts []string
		for _, tls := range ingress.Spec.TLS {
			hosts = append(hosts, tls.Hosts...)
		}
		for _, rule := range ingress.Spec.Rules {
			if !slices.Contains(hosts, rule.Host) {
				t.Errorf("the Ingress serves %q without TLS", rule.Host)
			}
		}
	}
	for _, p := range s.programs() {
		for _, name := range []string{"LOCAL", "ALLOW_ANONYMOUS", "SAMPLE_DATA"} {
			if value, set := p.env[name]; set {
				t.Errorf("%s has %s=%s, which is for a machine of one's own", p.of.GetName(), name, value)
			}
		}
	}
	for _, w := range s.workloads() {
		for _, c := range w.containers() {
			if !ours(c) || !strings.Contains(c.Image, "/") {
				t.Errorf("%s runs %s, which is of no registry of one's own", w.GetName(), c.Image)
			}
		}
	}
}

// A field or a kind that Kubernetes does not have is refused wherever it is.
func TestDecode(t *testing.T) {
	t.Parallel()
	for _, document := range build(t, "local") {
		for _, fault := range []struct{ line, planted string }{
			{"(?m)^kind: ", "kind: X"},
			{"(?m)^apiVersion: .*", "${0}beta0"},
			{"(?m)^metadata:", "unknown: x\nmetadata:"},
			{"(?m)^metadata:", "metadata:\n  unknown: x"},
			{"(?m)^spec:", "spec:\n  unknown: x"},
			{"(?m)^( *)containers:", "${1}unknown: x\n${1}containers:"},
		} {
			line := regexp.MustCompile(fault.line)
			if !line.Match(document) {
				continue
			}
			planted := line.ReplaceAll(document, []byte(fault.planted))
			if _, err := decode(planted); err == nil {
				t.Errorf("this is decoded:\n%s", planted)
			}
		}
	}
}
