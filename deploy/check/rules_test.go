package check

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"

	"github.com/pedidos-hq/pedidos/gen/contract"
	"github.com/pedidos-hq/pedidos/services/platform/config"
)

// rule is something that every overlay is held to. It says what is wrong, in a sentence each.
type rule func(s system, say say)

var rules = []rule{restricted, sealed, bounded, configured, connected, probed, resolved, referred, routed, policed}

func (r rule) findings(s system) (found []string) {
	r(s, func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) })
	return found
}

type say = func(format string, args ...any)

// restricted: the namespace asks for the restricted profile, and every pod has it.
func restricted(s system, say say) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		say("%v", err)
		return
	}
	for _, w := range s.workloads() {
		namespace, ok := named[*corev1.Namespace](s, w.GetNamespace())
		if !ok || namespace.Labels[api.EnforceLevelLabel] != string(api.LevelRestricted) {
			say("%s: the namespace %q is not there, or does not enforce the restricted profile", w.GetName(), w.GetNamespace())
		}
		result := policy.AggregateCheckResults(evaluator.EvaluatePod(
			api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}, &w.template.ObjectMeta, &w.template.Spec))
		if !result.Allowed {
			say("%s: not restricted: %s", w.GetName(), result.ForbiddenDetail())
		}
	}
}

// sealed: a pod writes to volumes alone, and has nothing of Kubernetes in it.
func sealed(s system, say say) {
	for _, w := range s.workloads() {
		if token := w.template.Spec.AutomountServiceAccountToken; token == nil || *token {
			say("%s: its pods have a token for Kubernetes", w.GetName())
		}
		if links := w.template.Spec.EnableServiceLinks; links == nil || *links {
			say("%s: every Service puts variables into its pods", w.GetName())
		}
		for _, c := range w.containers() {
			if sc := c.SecurityContext; sc == nil || sc.ReadOnlyRootFilesystem == nil || !*sc.ReadOnlyRootFilesystem {
				say("%s: its root file system can be written to", w.GetName())
			}
		}
	}
}

// bounded: every container says what it needs and may take, and Go's own limit comes before the kernel's.
func bounded(s system, say say) {
	for _, w := range s.workloads() {
		for _, c := range w.containers() {
			if c.Resources.Requests.Cpu().IsZero() || c.Resources.Requests.Memory().IsZero() || c.Resources.Limits.Memory().IsZero() {
				say("%s: it does not say how much CPU and memory it needs, and how much memory it may take", w.GetName())
			}
		}
	}
	for _, p := range s.programs() {
		soft, err := resource.ParseQuantity(strings.TrimSuffix(p.env["GOMEMLIMIT"], "B"))
		if hard := p.Resources.Limits.Memory(); err != nil || soft.Cmp(*hard) >= 0 {
			say("%s: GOMEMLIMIT is %q, not below the limit of %s", p.of.GetName(), p.env["GOMEMLIMIT"], hard)
		}
	}
}

// configured: the executable knows every variable that it is given, and has all that it needs.
func configured(s system, say say) {
	for _, p := range s.programs() {
		help := execute(nil, slices.Concat(p.Args, []string{"--help"})...)
		for name := range p.env {
			if name != "GOMEMLIMIT" && !configVariables[name] && !regexp.MustCompile(`\b`+name+`\b`).MatchString(help) {
				say("%s: nothing reads %s", p.of.GetName(), name)
			}
		}
		if refusal := start(p.env, p.Args...); refusal != "" {
			say("%s: it does not start: %s", p.of.GetName(), refusal)
		}
	}
}

// connected: the ports of the variables are the container's, and a host without a dot in one is a Service.
func connected(s system, say say) {
	for _, p := range s.programs() {
		settings, err := config.Read(p.env)
		if err != nil { // configured has said so
			continue
		}
		if settings.Host != "" && !net.ParseIP(settings.Host).IsUnspecified() {
			say("%s: it listens on %s, where nobody else can connect", p.of.GetName(), settings.Host)
		}
		for name, port := range map[string]int{"http": settings.Port, "metrics": settings.AdminPort} {
			if number, ok := p.of.port(intstr.FromString(name)); ok && int(number) != port {
				say("%s: it listens on %d, and its port %s is %d", p.of.GetName(), port, name, number)
			}
		}
		var hosts []string
		if settings.DBHost != "" {
			hosts = append(hosts, fmt.Sprintf("%s:%d", settings.DBHost, settings.DBPort))
		}
		for _, base := range []string{settings.CustomersAPIBase, settings.OrdersAPIBase} {
			if u, err := url.Parse(base); err == nil && base != "" {
				hosts = append(hosts, u.Host)
			}
		}
		for _, host := range hosts {
			name, port, _ := strings.Cut(host, ":")
			if !strings.Contains(name, ".") && !s.serves(name, port) {
				say("%s: there is no Service at %s", p.of.GetName(), host)
			}
		}
	}
}

// serves reports whether there is a Service of that name with that port, by its name or number.
func (s system) serves(name, port string) bool {
	service, ok := named[*corev1.Service](s, name)
	if !ok {
		return false
	}
	for _, p := range service.Spec.Ports {
		if p.Name == port || strconv.Itoa(int(p.Port)) == port {
			return true
		}
	}
	return false
}

// probed: each Deployment is asked the right questions, and is given the time to stop.
func probed(s system, say say) {
	for _, d := range all[*appsv1.Deployment](s) {
		for _, c := range d.Spec.Template.Spec.Containers {
			for _, probe := range []struct {
				name, path string
				probe      *corev1.Probe
			}{
				{"startup", "/health", c.StartupProbe}, {"readiness", "/ready", c.ReadinessProbe}, {"liveness", "/health", c.LivenessProbe},
			} {
				if probe.probe == nil || probe.probe.HTTPGet == nil || probe.probe.HTTPGet.Path != probe.path {
					say("%s: its %s probe does not ask %s", d.Name, probe.name, probe.path)
				} else if port := probe.probe.HTTPGet.Port; port.String() != "http" {
					say("%s: its %s probe asks the port %s", d.Name, probe.name, port.String())
				}
			}
			env, _ := s.environment(c)
			settings, err := config.Read(env)
			if err != nil { // configured has said so
				continue
			}
			if settings.DrainDelay < time.Second {
				say("%s: it stops listening while it still gets requests", d.Name)
			}
			grace := d.Spec.Template.Spec.TerminationGracePeriodSeconds
			if grace == nil || time.Duration(*grace)*time.Second <= settings.DrainDelay+drain {
				say("%s: it is killed before it has finished its requests", d.Name)
			}
		}
	}
}

// drain is how long services/platform/server lets requests finish.
const drain = 15 * time.Second

// resolved: what a selector, a Service, an Ingress or a HorizontalPodAutoscaler names is there.
func resolved(s system, say say) {
	for _, w := range s.workloads() {
		if w.selector != nil && !matches(w.selector, w.template.Labels) {
			say("%s: it does not select its own pods", w.GetName())
		}
		for _, spread := range w.template.Spec.TopologySpreadConstraints {
			if !matches(spread.LabelSelector, w.template.Labels) {
				say("%s: it is spread over %s by pods that are not its own", w.GetName(), spread.TopologyKey)
			}
		}
	}
	for _, service := range all[*corev1.Service](s) {
		pods := s.selected(&metav1.LabelSelector{MatchLabels: service.Spec.Selector})
		if len(pods) != 1 {
			say("Service %s: it selects the pods of %d, want one", service.Name, len(pods))
		}
		for _, w := range pods {
			for _, p := range service.Spec.Ports {
				number, ok := w.port(p.TargetPort)
				metrics, _ := w.port(intstr.FromString("metrics"))
				if !ok {
					say("Service %s: %s has no port %s", service.Name, w.GetName(), p.TargetPort.String())
				} else if number == metrics {
					say("Service %s: it leads to the metrics of %s", service.Name, w.GetName())
				}
			}
		}
	}
	for _, set := range all[*appsv1.StatefulSet](s) {
		if _, ok := named[*corev1.Service](s, set.Spec.ServiceName); !ok {
			say("StatefulSet %s: there is no Service %s", set.Name, set.Spec.ServiceName)
		}
	}
	for _, scaler := range all[*autoscalingv2.HorizontalPodAutoscaler](s) {
		target := scaler.Spec.ScaleTargetRef
		if _, ok := named[*appsv1.Deployment](s, target.Name); !ok || target.Kind != "Deployment" || target.APIVersion != "apps/v1" {
			say("HorizontalPodAutoscaler %s: there is no %s %s of %s", scaler.Name, target.Kind, target.Name, target.APIVersion)
		}
	}
	for _, budget := range all[*policyv1.PodDisruptionBudget](s) {
		if pods := s.selected(budget.Spec.Selector); len(pods) != 1 {
			say("PodDisruptionBudget %s: it selects the pods of %d, want one", budget.Name, len(pods))
		}
	}
	for _, d := range all[*appsv1.Deployment](s) {
		_, scaled := named[*autoscalingv2.HorizontalPodAutoscaler](s, d.Name)
		_, budgeted := named[*policyv1.PodDisruptionBudget](s, d.Name)
		if !scaled || !budgeted {
			say("Deployment %s: it has no HorizontalPodAutoscaler or no PodDisruptionBudget of its name", d.Name)
		}
	}
	for _, ingress := range all[*networkingv1.Ingress](s) {
		for _, tls := range ingress.Spec.TLS {
			if _, ok := s.secret(tls.SecretName, corev1.TLSCertKey); !ok {
				say("Ingress %s: there is no Secret %s with a certificate", ingress.Name, tls.SecretName)
			}
		}
		for _, path := range paths(ingress) {
			if to := path.Backend.Service; to == nil || !s.serves(to.Name, backendPort(to)) {
				say("Ingress %s: %s leads to no Service", ingress.Name, path.Path)
			}
		}
	}
}

// referred: the ConfigMaps and Secrets that pods take are there, and of the Secrets that are kept elsewhere every key is asked for.
func referred(s system, say say) {
	asked := map[string]bool{}
	for _, w := range s.workloads() {
		for _, v := range w.template.Spec.Volumes {
			if v.Secret != nil {
				if _, ok := named[*corev1.Secret](s, v.Secret.SecretName); !ok {
					say("%s: there is no Secret %s", w.GetName(), v.Secret.SecretName)
				}
			} else if v.EmptyDir == nil {
				say("%s: its volume %s is neither a Secret nor empty", w.GetName(), v.Name)
			}
		}
		for _, c := range w.containers() {
			if _, err := s.environment(c); err != nil {
				say("%s: %v", w.GetName(), err)
			}
			for _, e := range c.Env {
				if e.ValueFrom != nil && e.ValueFrom.SecretKeyRef != nil {
					asked[e.ValueFrom.SecretKeyRef.Name+" "+e.ValueFrom.SecretKeyRef.Key] = true
				}
			}
		}
	}
	for _, secret := range all[*corev1.Secret](s) {
		for key, value := range secret.StringData {
			if value != "" {
				say("Secret %s: %s has a value, which is not for a repository", secret.Name, key)
			}
			if secret.Type != corev1.SecretTypeTLS && !asked[secret.Name+" "+key] {
				say("Secret %s: nobody asks for its %s", secret.Name, key)
			}
		}
	}
}

// routed: the Ingress leads every public route of the contracts to its service, and nothing else anywhere.
func routed(s system, say say) {
	for service, document := range map[string][]byte{"customers": contract.Customers, "orders": contract.Orders, "orchestrator": contract.Orchestrator} {
		doc, err := openapi3.NewLoader().LoadFromData(document)
		if err != nil {
			say("contract of %s: %v", service, err)
			continue
		}
		for path, item := range doc.Paths.Map() {
			for method, operation := range item.Operations() {
				want := service
				switch operation.Tags[0] {
				case "internal", "service", "docs":
					want = ""
				}
				if got := s.route(path); got != want {
					say("Ingress: %s %s leads to %q, want %q", method, path, got, want)
				}
			}
		}
	}
	for _, path := range []string{"/", "/internal", "/metrics", "/debug/pprof/"} {
		if got := s.route(path); got != "" {
			say("Ingress: %s leads to %q", path, got)
		}
	}
}

// route is the Service that an Ingress leads a path to: that of the longest path in it.
func (s system) route(path string) (service string) {
	longest := -1
	for _, ingress := range all[*networkingv1.Ingress](s) {
		if ingress.Spec.DefaultBackend != nil {
			service = ingress.Spec.DefaultBackend.Service.Name
		}
		for _, p := range paths(ingress) {
			prefix := strings.TrimSuffix(p.Path, "/")
			hit := path == p.Path
			if p.PathType == nil || *p.PathType != networkingv1.PathTypeExact {
				hit = hit || strings.HasPrefix(path, prefix+"/")
			}
			if hit && len(prefix) > longest && p.Backend.Service != nil {
				longest, service = len(prefix), p.Backend.Service.Name
			}
		}
	}
	return service
}

func paths(ingress *networkingv1.Ingress) (found []networkingv1.HTTPIngressPath) {
	for _, rule := range ingress.Spec.Rules {
		if rule.HTTP != nil {
			found = append(found, rule.HTTP.Paths...)
		}
	}
	return found
}

func backendPort(to *networkingv1.IngressServiceBackend) string {
	if to.Port.Name != "" {
		return to.Port.Name
	}
	return strconv.Itoa(int(to.Port.Number))
}
