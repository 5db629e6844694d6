// Package check tests deploy/kubernetes without a cluster. It builds each overlay as `kubectl apply -k` does, decodes it as
// strictly as the API server, starts the executable with the environment of each container, and applies rules for faults
// that would otherwise show only in a running cluster.
//
// Run it with -count=1: the test cache does not notice changes to the executable or the overlays.
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
	for _, overlay := range []string{"local", "production", "group"} {
		s := newSystem(t, build(t, overlay))
		for _, rule := range rules {
			for _, finding := range rule.findings(s) {
				t.Errorf("%s: %s", overlay, finding)
			}
		}
		t.Logf("%s: %d objects", overlay, len(s))
	}
}

// The local MySQL creates the users of the services with the passwords that the services use.
func TestLocalUsers(t *testing.T) {
	e := editor{t, new(system)}
	*e.s = newSystem(t, build(t, "local"))
	script := string(e.secret("mysql").Data["users.sql"])
	for user, password := range map[string]string{"customers_user": "DB_CUSTOMERS_PASSWORD", "orders_user": "DB_ORDERS_PASSWORD"} {
		if made := fmt.Sprintf("CREATE USER %s IDENTIFIED BY '%s';", user, e.secret("pedidos").Data[password]); !strings.Contains(script, made) {
			t.Errorf("users.sql lacks\n%s", made)
		}
	}
}

// The production overlay has TLS and images of a registry, and neither Secrets nor settings for development.
func TestProduction(t *testing.T) {
	s := newSystem(t, build(t, "production"))
	for _, secret := range all[*corev1.Secret](s) {
		if len(secret.Data) > 0 {
			t.Errorf("the overlay creates the Secret %s", secret.Name)
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
		if name := p.of.GetName(); name != "customers" && (p.env["SIGNING_SECRET"] != "" || p.env["JWT_SECRET"] != "") {
			t.Errorf("%s can sign access tokens", name)
		}
		for _, name := range []string{"LOCAL", "ALLOW_ANONYMOUS", "SAMPLE_DATA"} {
			if value, set := p.env[name]; set {
				t.Errorf("%s has %s=%s, which is for local use only", p.of.GetName(), name, value)
			}
		}
	}
	for _, w := range s.workloads() {
		for _, c := range w.containers() {
			if !ours(c) || !strings.Contains(c.Image, "/") {
				t.Errorf("%s runs %s, which names no registry, or is not the image of this repository", w.GetName(), c.Image)
			}
		}
	}
}

// Unknown fields and kinds are rejected at every level.
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
				t.Errorf("decode accepts\n%s", planted)
			}
		}
	}
}
