package check

import (
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Each rule detects the faults that are planted for it.
func TestFaults(t *testing.T) {
	t.Parallel()
	for overlay, planted := range faults {
		documents := build(t, overlay)
		for _, fault := range planted {
			t.Run(fault.want, func(t *testing.T) {
				t.Parallel()
				s := newSystem(t, documents)
				fault.plant(editor{t, &s})
				found := fault.rule.findings(s)
				if !slices.ContainsFunc(found, func(finding string) bool { return strings.Contains(finding, fault.want) }) {
					t.Errorf("found %q, want %q in it", found, fault.want)
				}
			})
		}
	}
}

type fault struct {
	rule  rule
	want  string // part of the finding
	plant func(e editor)
}

var faults = map[string][]fault{
	"local": {
		{checkPodSecurity, "orders: not restricted: allowPrivilegeEscalation", func(e editor) {
			e.container("orders").SecurityContext.AllowPrivilegeEscalation = nil
		}},
		{checkPodSecurity, "migrate: not restricted: seccompProfile", func(e editor) { e.pod("migrate").SecurityContext.SeccompProfile = nil }},
		{checkPodSecurity, "mysql: not restricted: runAsNonRoot", func(e editor) { e.pod("mysql").SecurityContext.RunAsNonRoot = nil }},
		{checkPodSecurity, "does not enforce the restricted profile", func(e editor) { get[*corev1.Namespace](e, "pedidos").Labels = nil }},

		{checkIsolation, "customers: the pods have a token", func(e editor) { e.pod("customers").AutomountServiceAccountToken = nil }},
		{checkIsolation, "seed: every Service puts variables", func(e editor) { e.pod("seed").EnableServiceLinks = nil }},
		{checkIsolation, "orders: the root file system", func(e editor) { e.container("orders").SecurityContext.ReadOnlyRootFilesystem = nil }},

		{checkResources, "mysql: a container lacks", func(e editor) { e.container("mysql").Resources.Limits = nil }},
		{checkResources, "orders: a container lacks", func(e editor) { delete(e.container("orders").Resources.Requests, corev1.ResourceCPU) }},
		{checkResources, `orders: GOMEMLIMIT is "256MiB"`, func(e editor) { e.set("orders", "GOMEMLIMIT", "256MiB") }},
		{checkResources, "orders: GOMEMLIMIT", func(e editor) {
			e.container("orders").Resources.Limits[corev1.ResourceMemory] = resource.MustParse("128Mi")
		}},
		{checkResources, `migrate: GOMEMLIMIT is ""`, func(e editor) { e.unset("migrate", "GOMEMLIMIT") }},

		{checkConfig, "orders: nothing reads CUSTOMER_API_BASE", func(e editor) { e.set("orders", "CUSTOMER_API_BASE", "http://customers:3001") }},
		{checkConfig, "SIGNING_SECRET is published", func(e editor) { delete(e.settings("pedidos").Data, "LOCAL") }},
		{checkConfig, "orders: nothing reads DB_ORDERS_USER", func(e editor) { e.set("orders", "DB_ORDERS_USER", "orders_user") }},
		{checkConfig, "migrate: nothing reads DB_ORDER_USER", func(e editor) { e.set("migrate", "DB_ORDER_USER", "orders_user") }},
		{checkConfig, "SIGNING_SECRET is not set", func(e editor) { e.unset("customers", "SIGNING_SECRET") }},
		{checkConfig, "SERVICE_TOKEN is not set", func(e editor) { e.unset("customers", "SERVICE_TOKEN") }},
		{checkConfig, "ADMIN_PASSWORD is too short", func(e editor) { e.secret("pedidos").Data["ADMIN_PASSWORD"] = []byte("short") }},
		{checkConfig, "CUSTOMERS_API_BASE is not set", func(e editor) { e.unset("orders", "CUSTOMERS_API_BASE") }},
		{checkConfig, "ORDERS_API_BASE can't be used", func(e editor) { e.set("orchestrator", "ORDERS_API_BASE", "orders:3002") }},
		{checkConfig, "DB_USER and DB_NAME must be set", func(e editor) { e.unset("migrate", "DB_USER") }},
		{checkConfig, "SIGNING_SECRET is too short", func(e editor) { e.secret("pedidos").Data["SIGNING_SECRET"] = []byte("short") }},
		{checkConfig, "orders: it does not start: pedidos: JWT_SECRET is too short", func(e editor) { e.secret("pedidos").Data["JWT_SECRET"] = []byte("short") }},
		{checkConfig, "customers: it does not start: it writes to its folder", func(e editor) { delete(e.settings("pedidos").Data, "DB_HOST") }},
		{checkConfig, "seed: it does not start: it writes to its folder", func(e editor) { delete(e.settings("pedidos").Data, "DB_HOST") }},
		{checkConfig, "DB_WAIT is \"60\"", func(e editor) { e.settings("pedidos").Data["DB_WAIT"] = "60" }},
		{checkConfig, "PORT is 300200", func(e editor) { e.set("orders", "PORT", "300200") }},
		{checkConfig, "orchestrator: it does not start: pedidos: unknown command", func(e editor) { e.container("orchestrator").Args = []string{"orchestrate"} }},

		{checkConnections, "orders: it listens on 127.0.0.1", func(e editor) { e.set("orders", "HOST", "127.0.0.1") }},
		{checkConnections, "orders: it listens on 3001, and its port http is 3002", func(e editor) { e.set("orders", "PORT", "3001") }},
		{checkConnections, "customers: it listens on 0, and its port metrics is 9090", func(e editor) { e.unset("customers", "ADMIN_PORT") }},
		{checkConnections, "orders: there is no Service at customer:3001", func(e editor) { e.set("orders", "CUSTOMERS_API_BASE", "http://customer:3001") }},
		{checkConnections, "orchestrator: there is no Service at orders:3001", func(e editor) { e.set("orchestrator", "ORDERS_API_BASE", "http://orders:3001") }},
		{checkConnections, "backoffice: there is no Service at orchestrator:3001", func(e editor) {
			e.set("backoffice", "ORCHESTRATOR_API_BASE", "http://orchestrator:3001")
		}},
		{checkConfig, "ORDERS_API_BASE is not set", func(e editor) { e.unset("backoffice", "ORDERS_API_BASE") }},
		{checkNetworkPolicies, "backoffice may connect to customers:3001: false", func(e editor) { e.policy("backoffice").Spec.Egress = nil }},
		{checkConnections, "migrate: there is no Service at db:3306", func(e editor) { e.settings("pedidos").Data["DB_HOST"] = "db" }},

		{checkProbes, "orders: the readiness probe is not GET /ready", func(e editor) { e.container("orders").ReadinessProbe.HTTPGet.Path = "/health" }},
		{checkProbes, "orders: the startup probe is not GET /health", func(e editor) { e.container("orders").StartupProbe = nil }},
		{checkProbes, "orders: the liveness probe uses the port metrics", func(e editor) {
			e.container("orders").LivenessProbe.HTTPGet.Port = intstr.FromString("metrics")
		}},
		{checkProbes, "orders: DRAIN_DELAY is", func(e editor) { e.unset("orders", "DRAIN_DELAY") }},
		{checkProbes, "orders: terminationGracePeriodSeconds", func(e editor) { *e.pod("orders").TerminationGracePeriodSeconds = 20 }},

		{checkNames, "orders: the selector does not match its own pods", func(e editor) {
			get[*appsv1.Deployment](e, "orders").Spec.Selector.MatchLabels["app.kubernetes.io/name"] = "order"
		}},
		{checkNames, "orders: the spread over kubernetes.io/hostname", func(e editor) {
			e.pod("orders").TopologySpreadConstraints[0].LabelSelector.MatchLabels["app.kubernetes.io/part-of"] = "order"
		}},
		{checkNames, "Service orders: it selects 0 workloads", func(e editor) { e.service("orders").Spec.Selector["app.kubernetes.io/name"] = "order" }},
		{checkNames, "Service orders: it selects 7 workloads", func(e editor) {
			e.service("orders").Spec.Selector = map[string]string{"app.kubernetes.io/part-of": "pedidos"}
		}},
		{checkNames, "Service orders: orders has no port web", func(e editor) { e.service("orders").Spec.Ports[0].TargetPort = intstr.FromString("web") }},
		{checkNames, "Service orders: it exposes the metrics", func(e editor) { e.service("orders").Spec.Ports[0].TargetPort = intstr.FromInt32(9090) }},
		{checkNames, "StatefulSet mysql: there is no Service db", func(e editor) { get[*appsv1.StatefulSet](e, "mysql").Spec.ServiceName = "db" }},
		{checkNames, "HorizontalPodAutoscaler orders: there is no Deployment order ", func(e editor) {
			get[*autoscalingv2.HorizontalPodAutoscaler](e, "orders").Spec.ScaleTargetRef.Name = "order"
		}},
		{checkNames, "PodDisruptionBudget orders: it selects 0 workloads", func(e editor) {
			get[*policyv1.PodDisruptionBudget](e, "orders").Spec.Selector.MatchLabels["app.kubernetes.io/name"] = "order"
		}},
		{checkNames, "Deployment orders: it has no HorizontalPodAutoscaler or no PodDisruptionBudget", func(e editor) {
			e.remove(get[*policyv1.PodDisruptionBudget](e, "orders"))
		}},
		{checkNames, "Ingress pedidos: /auth leads to no Service", func(e editor) { e.paths()[0].Backend.Service.Name = "auth" }},
		{checkNames, "Ingress pedidos: /auth leads to no Service", func(e editor) { e.paths()[0].Backend.Service.Port.Name = "metrics" }},

		{checkReferences, "customers: there is no ConfigMap settings", func(e editor) { e.container("customers").EnvFrom[0].ConfigMapRef.Name = "settings" }},
		{checkReferences, "mysql: there is no Secret users", func(e editor) { e.pod("mysql").Volumes[0].Secret.SecretName = "users" }},
		{checkReferences, "mysql: MYSQL_PASSWORD: there is no Secret", func(e editor) { e.variable("mysql", "MYSQL_PASSWORD").ValueFrom.SecretKeyRef.Key = "PASSWORD" }},
		{checkReferences, "orders: SERVICE_TOKEN: there is no Secret tokens with a SERVICE_TOKEN", func(e editor) { e.variable("orders", "SERVICE_TOKEN").ValueFrom.SecretKeyRef.Name = "tokens" }},

		{checkRoutes, `GET /internal/customers/{id} leads to "customers", want ""`, func(e editor) { e.paths()[0].Path = "/internal" }},
		{checkRoutes, `POST /auth/login leads to "", want "customers"`, func(e editor) { e.paths()[0].Path = "/login" }},
		{checkRoutes, `PUT /customers/{id} leads to "", want "customers"`, func(e editor) { *e.paths()[1].PathType = networkingv1.PathTypeExact }},
		{checkRoutes, `GET /users leads to "", want "customers"`, func(e editor) { e.paths()[2].Path = "/people" }},
		{checkRoutes, `GET /orders leads to "customers", want "orders"`, func(e editor) { e.paths()[7].Backend.Service.Name = "customers" }},
		{checkRoutes, `GET /ready leads to "orders", want ""`, func(e editor) { e.paths()[6].Path = "/" }},
		{checkRoutes, `/metrics leads to "orders"`, func(e editor) { e.paths()[6].Path = "/metrics" }},
		{checkRoutes, `/debug/pprof/ leads to "orders"`, func(e editor) {
			e.ingress().Spec.DefaultBackend = &networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{Name: "orders"}}
		}},

		{checkNetworkPolicies, "ingress may connect to unlisted:80: true, want false", func(e editor) { e.remove(e.policy("default-deny")) }},
		{checkNetworkPolicies, "orchestrator may connect to elsewhere:443: true", func(e editor) {
			e.policy("orchestrator").Spec.Egress[0] = networkingv1.NetworkPolicyEgressRule{}
		}},
		{checkNetworkPolicies, "orders may connect to customers:3001: false", func(e editor) { e.policy("orders").Spec.Egress = nil }},
		{checkNetworkPolicies, "orders may connect to customers:3001: false", func(e editor) {
			e.policy("customers").Spec.Ingress[0].From[1].PodSelector.MatchLabels["app.kubernetes.io/name"] = "orchestrator"
		}},
		{checkNetworkPolicies, "elsewhere may connect to customers:9090: true", func(e editor) { e.policy("metrics").Spec.Ingress[0].From = nil }},
		{checkNetworkPolicies, "ingress may connect to customers:9090: true", func(e editor) { e.policy("customers").Spec.Ingress[0].Ports = nil }},
		{checkNetworkPolicies, "monitoring may connect to orders:9090: false", func(e editor) { *e.policy("metrics").Spec.Ingress[0].Ports[0].Port = intstr.FromInt32(9091) }},
		{checkNetworkPolicies, "orchestrator may connect to elsewhere:53: false", func(e editor) { e.remove(e.policy("dns")) }},
		{checkNetworkPolicies, "seed may connect to mysql:3306: false", func(e editor) { delete(e.template("seed").Labels, "connects-to") }},
		{checkNetworkPolicies, "orchestrator may connect to mysql:3306: true", func(e editor) { e.template("orchestrator").Labels["connects-to"] = "mysql" }},
		{checkNetworkPolicies, "NetworkPolicy mysql-server: &LabelSelector{MatchLabels:map[string]string{app.kubernetes.io/name: db,}", func(e editor) {
			e.policy("mysql-server").Spec.PodSelector.MatchLabels["app.kubernetes.io/name"] = "db"
		}},
	},
	"group": {
		{checkConnections, "orders: there is no pod at mysql-3.mysql:3306", func(e editor) {
			e.settings("pedidos").Data["DB_HOST"] = "mysql-0.mysql,mysql-3.mysql"
		}},
		{checkConnections, "customers: there is no pod at mysql-2.mysql:3306", func(e editor) {
			*get[*appsv1.StatefulSet](e, "mysql").Spec.Replicas = 2
		}},
		{checkReferences, "group: the ConfigMap mysql-group-", func(e editor) { delete(e.settings("mysql-group").Data, "group.sh") }},
		{checkNetworkPolicies, "group may connect to mysql:33061: true, want false", func(e editor) {
			policy := get[*networkingv1.NetworkPolicy](e, "mysql-server")
			policy.Spec.Ingress[0].Ports = append(policy.Spec.Ingress[0].Ports, policy.Spec.Ingress[1].Ports...)
			egress := get[*networkingv1.NetworkPolicy](e, "mysql")
			egress.Spec.Egress[0].Ports = nil
		}},
	},
	"production": {
		{checkRoutes, "Ingress backoffice: / does not lead to the backoffice", func(e editor) {
			paths(get[*networkingv1.Ingress](e, "backoffice"))[0].Backend.Service.Name = "orders"
		}},
		{checkRoutes, `it shares the host "pedidos.example.com"`, func(e editor) {
			get[*networkingv1.Ingress](e, "backoffice").Spec.Rules[0].Host = "pedidos.example.com"
		}},
		{checkResources, `orders: GOMEMLIMIT is "600MiB"`, func(e editor) { e.set("orders", "GOMEMLIMIT", "600MiB") }},
		{checkConfig, "SIGNING_SECRET is not set", func(e editor) { delete(e.secret("pedidos").StringData, "SIGNING_SECRET") }},
		{checkConfig, "TRUSTED_PROXIES holds", func(e editor) { e.settings("pedidos").Data["TRUSTED_PROXIES"] = "10.244.0.0" }},
		{checkConnections, "orders: there is no Service at mysql:3306", func(e editor) { e.settings("pedidos").Data["DB_HOST"] = "mysql" }},
		{checkNames, "Ingress pedidos: there is no Secret tls with a certificate", func(e editor) { e.ingress().Spec.TLS[0].SecretName = "tls" }},
		{checkReferences, "customers: SERVICE_TOKEN: there is no Secret pedidos with a SERVICE_TOKEN", func(e editor) { delete(e.secret("pedidos").StringData, "SERVICE_TOKEN") }},
		{checkReferences, "Secret pedidos: ADMIN_PASSWORD has a value", func(e editor) { e.secret("pedidos").StringData["ADMIN_PASSWORD"] = "hunter2" }},
		{checkReferences, "Secret pedidos: ADMIN_PASSWORD is unused", func(e editor) { e.unset("customers", "ADMIN_PASSWORD") }},
	},
}

// editor changes the objects of an overlay.
type editor struct {
	t *testing.T
	s *system
}

// get returns the object of the given type and name. Kustomize appends a hash to the names of the objects it generates.
func get[T object](e editor, name string) (found T) {
	e.t.Helper()
	for _, o := range all[T](*e.s) {
		if o.GetName() == name || strings.HasPrefix(o.GetName(), name+"-") {
			return o
		}
	}
	e.t.Fatalf("there is no %T %s", found, name)
	return found
}

func (e editor) remove(o object) {
	*e.s = slices.DeleteFunc(*e.s, func(other object) bool { return other == o })
}

func (e editor) template(workload string) *corev1.PodTemplateSpec {
	for _, w := range e.s.workloads() {
		if w.GetName() == workload {
			return w.template
		}
	}
	e.t.Fatalf("there is no workload %s", workload)
	return nil
}

func (e editor) pod(workload string) *corev1.PodSpec { return &e.template(workload).Spec }

func (e editor) container(workload string) *corev1.Container { return &e.pod(workload).Containers[0] }

func (e editor) variable(workload, name string) *corev1.EnvVar {
	c := e.container(workload)
	i := slices.IndexFunc(c.Env, func(v corev1.EnvVar) bool { return v.Name == name })
	if i < 0 {
		e.t.Fatalf("%s has no variable %s", workload, name)
	}
	return &c.Env[i]
}

func (e editor) set(workload, name, value string) {
	c := e.container(workload)
	c.Env = append(c.Env, corev1.EnvVar{Name: name, Value: value})
}

func (e editor) unset(workload, name string) {
	e.variable(workload, name)
	c := e.container(workload)
	c.Env = slices.DeleteFunc(c.Env, func(v corev1.EnvVar) bool { return v.Name == name })
}

func (e editor) settings(name string) *corev1.ConfigMap { return get[*corev1.ConfigMap](e, name) }

func (e editor) secret(name string) *corev1.Secret { return get[*corev1.Secret](e, name) }

func (e editor) service(name string) *corev1.Service { return get[*corev1.Service](e, name) }

func (e editor) policy(name string) *networkingv1.NetworkPolicy {
	return get[*networkingv1.NetworkPolicy](e, name)
}

func (e editor) ingress() *networkingv1.Ingress { return get[*networkingv1.Ingress](e, "pedidos") }

func (e editor) paths() []networkingv1.HTTPIngressPath { return e.ingress().Spec.Rules[0].HTTP.Paths }
