package check

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
)

// flows lists the allowed clients of each host and port. ingress and monitoring are namespaces. elsewhere is any other place,
// in the cluster or outside, such as an external MySQL or the cluster's DNS. unlisted is a pod that no policy names.
var flows = map[string][]string{
	"customers:3001":    {"ingress", "orders", "backoffice"},
	"orders:3002":       {"ingress", "orchestrator", "backoffice"},
	"orchestrator:3003": {"ingress", "backoffice"},
	"backoffice:3000":   {"ingress"},
	"backoffice:9090":   {"monitoring"},
	"customers:9090":    {"monitoring"},
	"orders:9090":       {"monitoring"},
	"orchestrator:9090": {"monitoring"},
	"mysql:3306":        {"customers", "orders", "migrate", "seed", "group"},
	"elsewhere:3306":    {"customers", "orders", "migrate", "seed", "group"},
	"elsewhere:53":      {"customers", "orders", "orchestrator", "backoffice", "migrate", "seed", "group", "mysql", "unlisted"},
}

// party is one end of a connection.
type party struct {
	name, namespace string
	labels          map[string]string
	ports           []int32
}

// checkNetworkPolicies checks that the policies allow exactly the connections in flows, and that their selectors match pods.
func checkNetworkPolicies(s system, report report) {
	inside := []party{{name: "unlisted", namespace: "pedidos", ports: []int32{80}}}
	for _, w := range s.workloads() {
		p := party{name: w.GetName(), namespace: w.GetNamespace(), labels: w.template.Labels}
		for _, c := range w.containers() {
			for _, port := range c.Ports {
				p.ports = append(p.ports, port.ContainerPort)
			}
		}
		inside = append(inside, p)
	}
	elsewhere := party{name: "elsewhere", namespace: "elsewhere"}
	outside := []party{{name: "ingress", namespace: "ingress"}, {name: "monitoring", namespace: "monitoring"}, elsewhere}
	check := func(from, to party, port int32, may bool) {
		flow := fmt.Sprintf("%s:%d", to.name, port)
		if want := slices.Contains(flows[flow], from.name); may != want {
			report("NetworkPolicies: %s may connect to %s: %t, want %t", from.name, flow, may, want)
		}
	}
	for _, to := range inside {
		for _, port := range to.ports {
			for _, from := range slices.Concat(inside, outside) {
				if from.name == to.name {
					continue
				}
				may := s.admits(networkingv1.PolicyTypeIngress, to, from, port, corev1.ProtocolTCP)
				if from.namespace == to.namespace {
					may = may && s.admits(networkingv1.PolicyTypeEgress, from, to, port, corev1.ProtocolTCP)
				}
				check(from, to, port, may)
			}
		}
	}
	for _, from := range inside {
		for port, protocol := range map[int32]corev1.Protocol{53: corev1.ProtocolUDP, 3306: corev1.ProtocolTCP, 443: corev1.ProtocolTCP} {
			check(from, elsewhere, port, s.admits(networkingv1.PolicyTypeEgress, from, elsewhere, port, protocol))
		}
	}
	for _, policy := range all[*networkingv1.NetworkPolicy](s) {
		selected := []*networkingv1.NetworkPolicyPeer{{PodSelector: &policy.Spec.PodSelector}}
		for _, o := range slices.Concat(openings(policy, networkingv1.PolicyTypeIngress), openings(policy, networkingv1.PolicyTypeEgress)) {
			for _, peer := range o.peers {
				selected = append(selected, &peer)
			}
		}
		for _, pods := range selected {
			if pods.NamespaceSelector == nil && pods.PodSelector != nil && len(s.selected(pods.PodSelector)) == 0 {
				report("NetworkPolicy %s: %v selects no pods", policy.Name, pods.PodSelector)
			}
		}
	}
}

// admits reports whether the policies allow the pods own to accept a connection from other (Ingress) or to open one to it
// (Egress).
func (s system) admits(direction networkingv1.PolicyType, own, other party, port int32, protocol corev1.Protocol) bool {
	isolated := false
	for _, policy := range all[*networkingv1.NetworkPolicy](s) {
		if policy.Namespace != own.namespace || !matches(&policy.Spec.PodSelector, own.labels) || !slices.Contains(policy.Spec.PolicyTypes, direction) {
			continue
		}
		isolated = true
		for _, o := range openings(policy, direction) {
			if o.isAt(port, protocol) && o.isFor(other, policy.Namespace) {
				return true
			}
		}
	}
	return !isolated
}

// opening is an ingress or egress rule of a policy.
type opening struct {
	peers []networkingv1.NetworkPolicyPeer
	ports []networkingv1.NetworkPolicyPort
}

func openings(policy *networkingv1.NetworkPolicy, direction networkingv1.PolicyType) (found []opening) {
	if direction == networkingv1.PolicyTypeIngress {
		for _, r := range policy.Spec.Ingress {
			found = append(found, opening{r.From, r.Ports})
		}
		return found
	}
	for _, r := range policy.Spec.Egress {
		found = append(found, opening{r.To, r.Ports})
	}
	return found
}

func (o opening) isAt(port int32, protocol corev1.Protocol) bool {
	return len(o.ports) == 0 || slices.ContainsFunc(o.ports, func(p networkingv1.NetworkPolicyPort) bool {
		is := corev1.ProtocolTCP
		if p.Protocol != nil {
			is = *p.Protocol
		}
		return is == protocol && (p.Port == nil || p.Port.IntVal == port)
	})
}

// isFor reports whether the rule, of a policy in the namespace from, applies to others.
func (o opening) isFor(others party, from string) bool {
	return len(o.peers) == 0 || slices.ContainsFunc(o.peers, func(p networkingv1.NetworkPolicyPeer) bool {
		switch {
		case p.IPBlock != nil:
			return others.name == "elsewhere"
		case p.NamespaceSelector == nil:
			return others.namespace == from && matches(p.PodSelector, others.labels)
		}
		namespace := map[string]string{corev1.LabelMetadataName: others.namespace}
		return matches(p.NamespaceSelector, namespace) && (p.PodSelector == nil || matches(p.PodSelector, others.labels))
	})
}
