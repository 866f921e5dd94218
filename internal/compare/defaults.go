package compare

import (
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// fieldDefault is a value that the API server fills in where a field is absent.
type fieldDefault struct {
	// path leads to the map that has the field; a name with [] leads into each item of a list.
	path  string
	field string
	value any
	// only restricts it to maps in which this field has this value.
	onlyField string
	onlyValue any
}

// podDefaults are defaults inside of the lists and maps of a pod that an apply replaces as a whole. Elsewhere a default
// is a field that the apply does not own, and so no difference.
var podDefaults = []fieldDefault{
	{path: "containers[].env[].valueFrom.fieldRef", field: "apiVersion", value: "v1"},
	{path: "containers[].env[].valueFrom.resourceFieldRef", field: "divisor", value: "0"},
	{path: "initContainers[].env[].valueFrom.fieldRef", field: "apiVersion", value: "v1"},
	{path: "initContainers[].env[].valueFrom.resourceFieldRef", field: "divisor", value: "0"},
	{path: "volumes[].projected.sources[].serviceAccountToken", field: "expirationSeconds", value: int64(3600)},
	{path: "volumes[].projected.sources[].downwardAPI.items[].fieldRef", field: "apiVersion", value: "v1"},
	{path: "volumes[].downwardAPI.items[].fieldRef", field: "apiVersion", value: "v1"},
}

// builtinDefaults are those inside of atomic lists and maps of Kubernetes' own kinds, as the reference of the API
// documents them. What is missing here costs a dry run, and nothing else.
var builtinDefaults = map[schema.GroupKind][]fieldDefault{
	{Kind: "Pod"}:                        under("spec", podDefaults),
	{Kind: "ReplicationController"}:      under("spec.template.spec", podDefaults),
	{Group: "apps", Kind: "Deployment"}:  under("spec.template.spec", podDefaults),
	{Group: "apps", Kind: "DaemonSet"}:   under("spec.template.spec", podDefaults),
	{Group: "apps", Kind: "ReplicaSet"}:  under("spec.template.spec", podDefaults),
	{Group: "batch", Kind: "Job"}:        under("spec.template.spec", podDefaults),
	{Group: "batch", Kind: "CronJob"}:    under("spec.jobTemplate.spec.template.spec", podDefaults),
	{Group: "apps", Kind: "StatefulSet"}: append(under("spec.template.spec", podDefaults), claimDefaults...),
	{Group: "networking.k8s.io", Kind: "NetworkPolicy"}: {
		{path: "spec.ingress[].ports[]", field: "protocol", value: "TCP"},
		{path: "spec.egress[].ports[]", field: "protocol", value: "TCP"},
	},
	{Group: "rbac.authorization.k8s.io", Kind: "RoleBinding"}:        bindingDefaults,
	{Group: "rbac.authorization.k8s.io", Kind: "ClusterRoleBinding"}: bindingDefaults,
	{Group: "admissionregistration.k8s.io", Kind: "ValidatingWebhookConfiguration"}: {
		{path: "webhooks[].rules[]", field: "scope", value: "*"},
	},
	{Group: "admissionregistration.k8s.io", Kind: "MutatingWebhookConfiguration"}: {
		{path: "webhooks[].rules[]", field: "scope", value: "*"},
	},
	{Kind: "Endpoints"}: {{path: "subsets[].ports[]", field: "protocol", value: "TCP"}},
	{Group: "discovery.k8s.io", Kind: "EndpointSlice"}: {
		{path: "ports[]", field: "protocol", value: "TCP"},
		{path: "ports[]", field: "name", value: ""},
	},
}

var claimDefaults = []fieldDefault{
	{path: "spec.volumeClaimTemplates[]", field: "apiVersion", value: "v1"},
	{path: "spec.volumeClaimTemplates[]", field: "kind", value: "PersistentVolumeClaim"},
	{path: "spec.volumeClaimTemplates[].spec", field: "volumeMode", value: "Filesystem"},
	{path: "spec.volumeClaimTemplates[]", field: "status", value: map[string]any{"phase": "Pending"}},
}

var bindingDefaults = []fieldDefault{
	{path: "roleRef", field: "apiGroup", value: "rbac.authorization.k8s.io"},
	{path: "subjects[]", field: "apiGroup", value: "rbac.authorization.k8s.io", onlyField: "kind", onlyValue: "User"},
	{path: "subjects[]", field: "apiGroup", value: "rbac.authorization.k8s.io", onlyField: "kind", onlyValue: "Group"},
}

func under(path string, defaults []fieldDefault) []fieldDefault {
	out := make([]fieldDefault, len(defaults))
	for i, d := range defaults {
		d.path = path + "." + d.path
		out[i] = d
	}
	return out
}

// defaultsOf returns what fills in the defaults of a kind of Kubernetes, or nil.
func defaultsOf(kind schema.GroupKind) func(object map[string]any) {
	defaults := builtinDefaults[kind]
	if len(defaults) == 0 {
		return nil
	}
	return func(object map[string]any) {
		for _, d := range defaults {
			eachMap(object, d.path, d.set)
		}
	}
}

func (d fieldDefault) set(m map[string]any) {
	if _, present := m[d.field]; present || (d.onlyField != "" && m[d.onlyField] != d.onlyValue) {
		return
	}
	m[d.field] = d.value
}

// eachMap calls visit for every map that path leads to.
func eachMap(m map[string]any, path string, visit func(map[string]any)) {
	if path == "" {
		visit(m)
		return
	}
	step, rest, _ := strings.Cut(path, ".")
	name, each := strings.CutSuffix(step, "[]")
	if !each {
		if next, ok := m[name].(map[string]any); ok {
			eachMap(next, rest, visit)
		}
		return
	}
	list, _ := m[name].([]any)
	for _, item := range list {
		if next, ok := item.(map[string]any); ok {
			eachMap(next, rest, visit)
		}
	}
}
