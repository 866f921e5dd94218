package cluster

import (
	"encoding/json"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// networked tells the kinds that Network knows more of than links.
func networked(gk schema.GroupKind) bool {
	return gk == service || gk.Kind == "Ingress" && (gk.Group == "networking.k8s.io" || gk.Group == "extensions")
}

// Network returns an object's place in the network: where an Ingress or a Service sends traffic, and under which
// addresses it is reached, by its rules and by the annotations for links. It is nil when there is nothing to tell.
func Network(obj *unstructured.Unstructured) *v1alpha1.ResourceNetworkingInfo {
	info := &v1alpha1.ResourceNetworkingInfo{}
	for name, value := range obj.GetAnnotations() {
		if strings.HasPrefix(name, v1alpha1.AnnotationLinkPrefix) {
			info.ExternalURLs = append(info.ExternalURLs, value)
		}
	}
	gk := obj.GroupVersionKind().GroupKind()
	switch {
	case gk == service:
		info.TargetLabels, _, _ = unstructured.NestedStringMap(obj.Object, "spec", "selector")
		info.Ingress = addresses(obj)
	case networked(gk):
		info.Ingress = addresses(obj)
		routes(obj, info)
	}
	slices.Sort(info.ExternalURLs)
	info.ExternalURLs = slices.Compact(info.ExternalURLs)
	if len(info.TargetLabels) == 0 && len(info.TargetRefs) == 0 && len(info.Ingress) == 0 && len(info.ExternalURLs) == 0 {
		return nil
	}
	return info
}

// addresses are those of the load balancer that leads to the object.
func addresses(obj *unstructured.Unstructured) (out []corev1.LoadBalancerIngress) {
	list, _, _ := unstructured.NestedSlice(obj.Object, "status", "loadBalancer", "ingress")
	data, err := json.Marshal(list)
	if err != nil || json.Unmarshal(data, &out) != nil {
		return nil
	}
	return out
}

// routes reads the rules of an Ingress.
func routes(obj *unstructured.Unstructured, info *v1alpha1.ResourceNetworkingInfo) {
	target := func(backend map[string]any) {
		name, _, _ := unstructured.NestedString(backend, "service", "name")
		if name == "" {
			name, _, _ = unstructured.NestedString(backend, "serviceName") // of the API of old
		}
		ref := v1alpha1.ResourceRef{Kind: "Service", Namespace: obj.GetNamespace(), Name: name}
		if name != "" && !slices.Contains(info.TargetRefs, ref) {
			info.TargetRefs = append(info.TargetRefs, ref)
		}
	}
	for _, field := range []string{"defaultBackend", "backend"} {
		if backend, found, _ := unstructured.NestedMap(obj.Object, "spec", field); found {
			target(backend)
		}
	}
	secure := secureHosts(obj)
	rules, _, _ := unstructured.NestedSlice(obj.Object, "spec", "rules")
	for _, item := range rules {
		rule, _ := item.(map[string]any)
		host, _ := rule["host"].(string)
		paths, _, _ := unstructured.NestedSlice(rule, "http", "paths")
		for _, item := range paths {
			entry, _ := item.(map[string]any)
			backend, _ := entry["backend"].(map[string]any)
			target(backend)
			path, _ := entry["path"].(string)
			for _, at := range hosts(host, info.Ingress) {
				scheme := "http://"
				if secure[host] {
					scheme = "https://"
				}
				info.ExternalURLs = append(info.ExternalURLs, scheme+at+strings.TrimSuffix(path, "*"))
			}
		}
	}
}

// hosts are where a rule is reached: under its host, or when it has none under every address of the load balancer.
func hosts(host string, addresses []corev1.LoadBalancerIngress) (out []string) {
	if host != "" {
		return []string{host}
	}
	for _, a := range addresses {
		if a.Hostname != "" {
			out = append(out, a.Hostname)
		} else if a.IP != "" {
			out = append(out, a.IP)
		}
	}
	return out
}

// secureHosts are the hosts that an Ingress has a certificate for; "" when it has one without naming hosts.
func secureHosts(obj *unstructured.Unstructured) map[string]bool {
	secure := make(map[string]bool)
	tls, _, _ := unstructured.NestedSlice(obj.Object, "spec", "tls")
	for _, item := range tls {
		entry, _ := item.(map[string]any)
		names, _, _ := unstructured.NestedStringSlice(entry, "hosts")
		for _, name := range names {
			secure[name] = true
		}
		if len(names) == 0 {
			secure[""] = true
		}
	}
	return secure
}
