package check

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// build returns the documents that `kubectl apply -k` sends for an overlay.
func build(t *testing.T, overlay string) (documents [][]byte) {
	t.Helper()
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), "../kubernetes/overlays/"+overlay)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range built.Resources() {
		document, err := r.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		documents = append(documents, document)
	}
	if overlay == "production" { // its Secrets are created by hand, with these keys
		secrets, err := os.ReadFile("../kubernetes/overlays/production/secrets.example.yaml")
		if err != nil {
			t.Fatal(err)
		}
		for document := range strings.SplitSeq(string(secrets), "\n---\n") {
			documents = append(documents, []byte(document))
		}
	}
	return documents
}

// object is a decoded document.
type object interface {
	runtime.Object
	metav1.Object
}

// decode reads a document as an API server with strict field validation: an unknown field is an error.
func decode(document []byte) (object, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		appsv1.AddToScheme, autoscalingv2.AddToScheme, batchv1.AddToScheme, corev1.AddToScheme, networkingv1.AddToScheme, policyv1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	decoder := json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme, scheme, json.SerializerOptions{Yaml: true, Strict: true})
	decoded, _, err := decoder.Decode(document, nil, nil)
	if err != nil {
		return nil, err
	}
	return decoded.(object), nil
}

// system holds the objects of an overlay.
type system []object

func newSystem(t *testing.T, documents [][]byte) (s system) {
	t.Helper()
	for _, document := range documents {
		o, err := decode(document)
		if err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
		s = append(s, o)
	}
	return s
}

// all returns the objects of one type.
func all[T object](s system) (found []T) {
	for _, o := range s {
		if o, ok := o.(T); ok {
			found = append(found, o)
		}
	}
	return found
}

// named returns the object of the given type and name, and whether it exists.
func named[T object](s system, name string) (found T, ok bool) {
	for _, o := range all[T](s) {
		if o.GetName() == name {
			return o, true
		}
	}
	return found, false
}

// workload is an object that creates pods, with their template.
type workload struct {
	object
	selector *metav1.LabelSelector
	template *corev1.PodTemplateSpec
}

func (s system) workloads() (found []workload) {
	for _, o := range s {
		switch o := o.(type) {
		case *appsv1.Deployment:
			found = append(found, workload{o, o.Spec.Selector, &o.Spec.Template})
		case *appsv1.StatefulSet:
			found = append(found, workload{o, o.Spec.Selector, &o.Spec.Template})
		case *batchv1.Job:
			found = append(found, workload{o, o.Spec.Selector, &o.Spec.Template})
		}
	}
	return found
}

func (w workload) containers() []corev1.Container {
	return slices.Concat(w.template.Spec.InitContainers, w.template.Spec.Containers)
}

// ours reports whether a container runs the executable of this repository, as all do except the local MySQL.
func ours(c corev1.Container) bool { return !strings.HasPrefix(c.Image, "mysql:") }

// port returns the number of a port, given by name or number, and whether the pods have it.
func (w workload) port(wanted intstr.IntOrString) (int32, bool) {
	for _, c := range w.containers() {
		for _, p := range c.Ports {
			if wanted.Type == intstr.String && p.Name == wanted.StrVal || wanted.Type == intstr.Int && p.ContainerPort == wanted.IntVal {
				return p.ContainerPort, true
			}
		}
	}
	return 0, false
}

// selected returns the workloads whose pods match a selector.
func (s system) selected(by *metav1.LabelSelector) (found []workload) {
	for _, w := range s.workloads() {
		if matches(by, w.template.Labels) {
			found = append(found, w)
		}
	}
	return found
}

func matches(by *metav1.LabelSelector, set map[string]string) bool {
	selector, err := metav1.LabelSelectorAsSelector(by)
	return err == nil && selector.Matches(labels.Set(set))
}

// program is a container that runs the executable, with its environment.
type program struct {
	corev1.Container
	of  workload
	env map[string]string
}

// programs returns the programs of all workloads. It omits those whose environment refers to a missing object, which
// checkReferences reports.
func (s system) programs() (found []program) {
	for _, w := range s.workloads() {
		for _, c := range w.containers() {
			if env, err := s.environment(c); err == nil && ours(c) {
				found = append(found, program{c, w, env})
			}
		}
	}
	return found
}

// environment returns the environment of a container, with made-up values for Secrets that are created by hand.
func (s system) environment(c corev1.Container) (map[string]string, error) {
	env := map[string]string{}
	for _, from := range c.EnvFrom {
		if from.ConfigMapRef == nil {
			return nil, fmt.Errorf("envFrom refers to something other than a ConfigMap")
		}
		settings, ok := named[*corev1.ConfigMap](s, from.ConfigMapRef.Name)
		if !ok {
			return nil, fmt.Errorf("there is no ConfigMap %s", from.ConfigMapRef.Name)
		}
		for key, value := range settings.Data {
			env[key] = value
		}
	}
	for _, e := range c.Env {
		switch from := e.ValueFrom; {
		case from == nil:
			env[e.Name] = e.Value
		case from.SecretKeyRef != nil:
			value, ok := s.secret(from.SecretKeyRef.Name, from.SecretKeyRef.Key)
			if optional := from.SecretKeyRef.Optional; !ok && optional != nil && *optional {
				continue
			}
			if !ok {
				return nil, fmt.Errorf("%s: there is no Secret %s with a %s", e.Name, from.SecretKeyRef.Name, from.SecretKeyRef.Key)
			}
			env[e.Name] = value
		default:
			return nil, fmt.Errorf("%s is neither a value nor a key of a Secret", e.Name)
		}
	}
	return env, nil
}

func (s system) secret(name, key string) (string, bool) {
	secret, ok := named[*corev1.Secret](s, name)
	if !ok {
		return "", false
	}
	if _, byHand := secret.StringData[key]; byHand {
		return "made-up-by-the-check-" + strings.Repeat("x", 20), true
	}
	value, ok := secret.Data[key]
	return string(value), ok
}
