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

// rule checks an overlay and reports each fault in a sentence.
type rule func(s system, report report)

var rules = []rule{checkPodSecurity, checkIsolation, checkResources, checkConfig, checkConnections, checkProbes, checkNames, checkReferences, checkRoutes, checkNetworkPolicies}

func (r rule) findings(s system) (found []string) {
	r(s, func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) })
	return found
}

type report = func(format string, args ...any)

// checkPodSecurity checks that namespaces enforce the restricted profile of the Pod Security Standards and that pods meet it.
func checkPodSecurity(s system, report report) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		report("%v", err)
		return
	}
	for _, w := range s.workloads() {
		namespace, ok := named[*corev1.Namespace](s, w.GetNamespace())
		if !ok || namespace.Labels[api.EnforceLevelLabel] != string(api.LevelRestricted) {
			report("%s: the namespace %q is missing or does not enforce the restricted profile", w.GetName(), w.GetNamespace())
		}
		result := policy.AggregateCheckResults(evaluator.EvaluatePod(
			api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}, &w.template.ObjectMeta, &w.template.Spec))
		if !result.Allowed {
			report("%s: not restricted: %s", w.GetName(), result.ForbiddenDetail())
		}
	}
}

// checkIsolation checks that pods write only to volumes, and get neither a Kubernetes token nor the variables of Services.
func checkIsolation(s system, report report) {
	for _, w := range s.workloads() {
		if token := w.template.Spec.AutomountServiceAccountToken; token == nil || *token {
			report("%s: the pods have a token for Kubernetes", w.GetName())
		}
		if links := w.template.Spec.EnableServiceLinks; links == nil || *links {
			report("%s: every Service puts variables into its pods", w.GetName())
		}
		for _, c := range w.containers() {
			if sc := c.SecurityContext; sc == nil || sc.ReadOnlyRootFilesystem == nil || !*sc.ReadOnlyRootFilesystem {
				report("%s: the root file system is writable", w.GetName())
			}
		}
	}
}

// checkResources checks that every container has resource requests and a memory limit, and that GOMEMLIMIT is below the
// limit, so that Go collects garbage before the kernel kills the process.
func checkResources(s system, report report) {
	for _, w := range s.workloads() {
		for _, c := range w.containers() {
			if c.Resources.Requests.Cpu().IsZero() || c.Resources.Requests.Memory().IsZero() || c.Resources.Limits.Memory().IsZero() {
				report("%s: a container lacks a CPU request, a memory request or a memory limit", w.GetName())
			}
		}
	}
	for _, p := range s.programs() {
		soft, err := resource.ParseQuantity(strings.TrimSuffix(p.env["GOMEMLIMIT"], "B"))
		if hard := p.Resources.Limits.Memory(); err != nil || soft.Cmp(*hard) >= 0 {
			report("%s: GOMEMLIMIT is %q, not below the limit of %s", p.of.GetName(), p.env["GOMEMLIMIT"], hard)
		}
	}
}

// checkConfig checks that the executable reads every variable of its containers, and starts with them.
func checkConfig(s system, report report) {
	for _, p := range s.programs() {
		help := execute(nil, slices.Concat(p.Args, []string{"--help"})...)
		for name := range p.env {
			if name != "GOMEMLIMIT" && !configVariables[name] && !regexp.MustCompile(`\b`+name+`\b`).MatchString(help) {
				report("%s: nothing reads %s", p.of.GetName(), name)
			}
		}
		if refusal := start(p.env, p.Args...); refusal != "" {
			report("%s: it does not start: %s", p.of.GetName(), refusal)
		}
	}
}

// checkConnections checks that the services listen on the ports of their containers, and that hosts without a dot in their
// settings are Services.
func checkConnections(s system, report report) {
	for _, p := range s.programs() {
		settings, err := config.Read(p.env)
		if err != nil { // checkConfig reports it
			continue
		}
		if settings.Host != "" && !net.ParseIP(settings.Host).IsUnspecified() {
			report("%s: it listens on %s, where other pods can't connect", p.of.GetName(), settings.Host)
		}
		for name, port := range map[string]int{"http": settings.Port, "metrics": settings.AdminPort} {
			if number, ok := p.of.port(intstr.FromString(name)); ok && int(number) != port {
				report("%s: it listens on %d, and its port %s is %d", p.of.GetName(), port, name, number)
			}
		}
		_ = settings.Check(config.Needs{Database: true}) // checkConfig reports its faults
		hosts := slices.Clone(settings.DBServers())
		for _, base := range []string{settings.CustomersAPIBase, settings.OrdersAPIBase, settings.OrchestratorAPIBase} {
			if u, err := url.Parse(base); err == nil && base != "" {
				hosts = append(hosts, u.Host)
			}
		}
		for _, host := range hosts {
			name, port, _ := strings.Cut(host, ":")
			if pod, service, dotted := strings.Cut(name, "."); dotted {
				if set, ok := s.set(service); ok && (!slices.Contains(pods(set), pod) || !s.serves(service, port)) {
					report("%s: there is no pod at %s", p.of.GetName(), host)
				}
			} else if !s.serves(name, port) {
				report("%s: there is no Service at %s", p.of.GetName(), host)
			}
		}
	}
}

// set returns the StatefulSet with a Service, through which its pods have names.
func (s system) set(service string) (*appsv1.StatefulSet, bool) {
	for _, set := range all[*appsv1.StatefulSet](s) {
		if set.Spec.ServiceName == service {
			return set, true
		}
	}
	return nil, false
}

// pods returns the names of the pods of a StatefulSet.
func pods(set *appsv1.StatefulSet) (names []string) {
	replicas := int32(1)
	if set.Spec.Replicas != nil {
		replicas = *set.Spec.Replicas
	}
	for n := range replicas {
		names = append(names, fmt.Sprintf("%s-%d", set.Name, n))
	}
	return names
}

// serves reports whether a Service has the given port, a name or a number.
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

// checkProbes checks the probes of the Deployments, and that their pods have enough time to shut down gracefully.
func checkProbes(s system, report report) {
	for _, d := range all[*appsv1.Deployment](s) {
		for _, c := range d.Spec.Template.Spec.Containers {
			for _, probe := range []struct {
				name, path string
				probe      *corev1.Probe
			}{
				{"startup", "/health", c.StartupProbe}, {"readiness", "/ready", c.ReadinessProbe}, {"liveness", "/health", c.LivenessProbe},
			} {
				if probe.probe == nil || probe.probe.HTTPGet == nil || probe.probe.HTTPGet.Path != probe.path {
					report("%s: the %s probe is not GET %s", d.Name, probe.name, probe.path)
				} else if port := probe.probe.HTTPGet.Port; port.String() != "http" {
					report("%s: the %s probe uses the port %s", d.Name, probe.name, port.String())
				}
			}
			env, _ := s.environment(c)
			settings, err := config.Read(env)
			if err != nil { // checkConfig reports it
				continue
			}
			if settings.DrainDelay < time.Second {
				report("%s: DRAIN_DELAY is %s, too short: the pod still receives requests", d.Name, settings.DrainDelay)
			}
			grace := d.Spec.Template.Spec.TerminationGracePeriodSeconds
			if grace == nil || time.Duration(*grace)*time.Second <= settings.DrainDelay+drain {
				report("%s: terminationGracePeriodSeconds is too short: the pod is killed during its last requests", d.Name)
			}
		}
	}
}

// drain is how long services/platform/server waits for requests during a shutdown.
const drain = 15 * time.Second

// checkNames checks that the pods, ports, Services and Deployments that other objects name or select exist.
func checkNames(s system, report report) {
	for _, w := range s.workloads() {
		if w.selector != nil && !matches(w.selector, w.template.Labels) {
			report("%s: the selector does not match its own pods", w.GetName())
		}
		for _, spread := range w.template.Spec.TopologySpreadConstraints {
			if !matches(spread.LabelSelector, w.template.Labels) {
				report("%s: the spread over %s counts other pods than its own", w.GetName(), spread.TopologyKey)
			}
		}
	}
	for _, service := range all[*corev1.Service](s) {
		pods := s.selected(&metav1.LabelSelector{MatchLabels: service.Spec.Selector})
		if len(pods) != 1 {
			report("Service %s: it selects %d workloads, want 1", service.Name, len(pods))
		}
		for _, w := range pods {
			for _, p := range service.Spec.Ports {
				number, ok := w.port(p.TargetPort)
				metrics, _ := w.port(intstr.FromString("metrics"))
				if !ok {
					report("Service %s: %s has no port %s", service.Name, w.GetName(), p.TargetPort.String())
				} else if number == metrics {
					report("Service %s: it exposes the metrics of %s", service.Name, w.GetName())
				}
			}
		}
	}
	for _, set := range all[*appsv1.StatefulSet](s) {
		if _, ok := named[*corev1.Service](s, set.Spec.ServiceName); !ok {
			report("StatefulSet %s: there is no Service %s", set.Name, set.Spec.ServiceName)
		}
	}
	for _, scaler := range all[*autoscalingv2.HorizontalPodAutoscaler](s) {
		target := scaler.Spec.ScaleTargetRef
		if _, ok := named[*appsv1.Deployment](s, target.Name); !ok || target.Kind != "Deployment" || target.APIVersion != "apps/v1" {
			report("HorizontalPodAutoscaler %s: there is no %s %s of %s", scaler.Name, target.Kind, target.Name, target.APIVersion)
		}
	}
	for _, budget := range all[*policyv1.PodDisruptionBudget](s) {
		if pods := s.selected(budget.Spec.Selector); len(pods) != 1 {
			report("PodDisruptionBudget %s: it selects %d workloads, want 1", budget.Name, len(pods))
		}
	}
	for _, d := range all[*appsv1.Deployment](s) {
		_, scaled := named[*autoscalingv2.HorizontalPodAutoscaler](s, d.Name)
		_, budgeted := named[*policyv1.PodDisruptionBudget](s, d.Name)
		if !scaled || !budgeted {
			report("Deployment %s: it has no HorizontalPodAutoscaler or no PodDisruptionBudget of its name", d.Name)
		}
	}
	for _, ingress := range all[*networkingv1.Ingress](s) {
		for _, tls := range ingress.Spec.TLS {
			if _, ok := s.secret(tls.SecretName, corev1.TLSCertKey); !ok {
				report("Ingress %s: there is no Secret %s with a certificate", ingress.Name, tls.SecretName)
			}
		}
		for _, path := range paths(ingress) {
			if to := path.Backend.Service; to == nil || !s.serves(to.Name, backendPort(to)) {
				report("Ingress %s: %s leads to no Service", ingress.Name, path.Path)
			}
		}
	}
}

// checkReferences checks that the ConfigMaps and Secrets of pods exist, and that the Secrets in secrets.example.yaml have no
// values and no unused keys.
func checkReferences(s system, report report) {
	asked := map[string]bool{}
	for _, w := range s.workloads() {
		for _, v := range w.template.Spec.Volumes {
			if v.Secret != nil {
				if _, ok := named[*corev1.Secret](s, v.Secret.SecretName); !ok {
					report("%s: there is no Secret %s", w.GetName(), v.Secret.SecretName)
				}
			} else if v.ConfigMap != nil {
				files, ok := named[*corev1.ConfigMap](s, v.ConfigMap.Name)
				if !ok {
					report("%s: there is no ConfigMap %s", w.GetName(), v.ConfigMap.Name)
				}
				for _, item := range v.ConfigMap.Items {
					if _, there := files.Data[item.Key]; ok && !there {
						report("%s: the ConfigMap %s has no %s", w.GetName(), v.ConfigMap.Name, item.Key)
					}
				}
			} else if v.EmptyDir == nil {
				report("%s: the volume %s is neither a Secret, a ConfigMap nor an emptyDir", w.GetName(), v.Name)
			}
		}
		for _, c := range w.containers() {
			if _, err := s.environment(c); err != nil {
				report("%s: %v", w.GetName(), err)
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
				report("Secret %s: %s has a value, which must not be in the repository", secret.Name, key)
			}
			if secret.Type != corev1.SecretTypeTLS && !asked[secret.Name+" "+key] {
				report("Secret %s: %s is unused", secret.Name, key)
			}
		}
	}
}

// checkRoutes checks that the Ingress of the APIs routes every public path of the contracts to its service, and no other path. The
// one of the backoffice, if there is one, must have another host and lead to nothing else.
func checkRoutes(s system, report report) {
	for service, document := range map[string][]byte{"customers": contract.Customers, "orders": contract.Orders, "orchestrator": contract.Orchestrator} {
		doc, err := openapi3.NewLoader().LoadFromData(document)
		if err != nil {
			report("contract of %s: %v", service, err)
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
					report("Ingress: %s %s leads to %q, want %q", method, path, got, want)
				}
			}
		}
	}
	for _, path := range []string{"/", "/internal", "/metrics", "/debug/pprof/"} {
		if got := s.route(path); got != "" {
			report("Ingress: %s leads to %q", path, got)
		}
	}
	if pages, ok := named[*networkingv1.Ingress](s, "backoffice"); ok {
		for _, path := range paths(pages) {
			if to := path.Backend.Service; path.Path != "/" || to == nil || to.Name != "backoffice" {
				report("Ingress backoffice: %s does not lead to the backoffice alone", path.Path)
			}
		}
		for _, rule := range pages.Spec.Rules {
			if host := rule.Host; host == "" || slices.ContainsFunc(s.apis(), func(i *networkingv1.Ingress) bool {
				return slices.ContainsFunc(i.Spec.Rules, func(r networkingv1.IngressRule) bool { return r.Host == host })
			}) {
				report("Ingress backoffice: it shares the host %q with the APIs, whose paths its pages have", host)
			}
		}
	}
}

// apis returns the Ingresses other than the one of the backoffice.
func (s system) apis() []*networkingv1.Ingress {
	return slices.DeleteFunc(all[*networkingv1.Ingress](s), func(i *networkingv1.Ingress) bool { return i.Name == "backoffice" })
}

// route returns the Service that an Ingress routes a path to, by the longest match, or "".
func (s system) route(path string) (service string) {
	longest := -1
	for _, ingress := range s.apis() {
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
