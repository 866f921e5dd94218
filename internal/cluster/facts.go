package cluster

import (
	"encoding/json"
	"reflect"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// details fills in what is kept beyond the metadata: the body of objects that somebody asked for, facts of others.
func (d *decoder) details(o *Object, p *parts, data []byte) (err error) {
	whole := o.App != "" || d.wanted != nil && d.wanted(o.Key)
	if whole {
		o.body = keep(data)
		// Decoded once here, so that Live cannot fail later.
		if !json.Valid(o.body) {
			return errJSON
		}
	}
	switch d.gvk.GroupKind() {
	case statefulSet:
		if o.claims, err = d.claimNames(p.spec); err != nil {
			return err
		}
	case crdKind:
		if o.crd, err = d.readCRD(p.spec, p.status); err != nil {
			return err
		}
	case apiServiceKind:
		if o.crd, err = d.readAPIService(p.spec, p.status); err != nil {
			return err
		}
	}
	return d.facts(o, p, data, whole)
}

var (
	pod                   = schema.GroupKind{Kind: "Pod"}
	replicaSet            = schema.GroupKind{Group: "apps", Kind: "ReplicaSet"}
	statefulSet           = schema.GroupKind{Group: "apps", Kind: "StatefulSet"}
	endpoints             = schema.GroupKind{Kind: "Endpoints"}
	service               = schema.GroupKind{Kind: "Service"}
	persistentVolumeClaim = schema.GroupKind{Kind: "PersistentVolumeClaim"}
	secret                = schema.GroupKind{Kind: "Secret"}
	node                  = schema.GroupKind{Kind: "Node"}
)

func (d *decoder) facts(o *Object, p *parts, data []byte, whole bool) error {
	f := Facts{Labels: p.labels}
	switch d.gvk.GroupKind() {
	case node:
		facts, err := d.nodeFacts(p.status)
		if err != nil {
			return err
		}
		f.Node = facts
	case pod:
		facts, err := d.podFacts(p.spec, p.status)
		if err != nil {
			return err
		}
		f.Pod = facts
	case replicaSet:
		f.Revision = p.revision
	}
	// Only an object that somebody owns can be part of an application without being managed itself.
	connects := networked(d.gvk.GroupKind())
	if !whole && len(o.Owners) > 0 && (d.health != nil || connects) {
		u, err := decodeBody(data)
		if err != nil {
			return err
		}
		u.SetGroupVersionKind(d.gvk)
		if d.health != nil {
			if status, message, ok := d.health(u); ok {
				f.Health, f.Message = d.strings.of(status), message
			}
		}
		if connects {
			f.Network = Network(u)
		}
	}
	if f != (Facts{}) {
		o.Facts = &f
	}
	return nil
}

func (d *decoder) claimNames(spec []byte) (names []string, err error) {
	if spec == nil {
		return nil, nil
	}
	err = members(spec, func(key, value []byte) error {
		if string(key) != "volumeClaimTemplates" {
			return nil
		}
		return elements(value, func(value []byte) error {
			var template struct {
				Metadata unstructuredName `json:"metadata"`
			}
			if err := json.Unmarshal(value, &template); err != nil {
				return err
			}
			names = append(names, d.strings.of(template.Metadata.Name))
			return nil
		})
	})
	return names, err
}

type unstructuredName struct {
	Name string `json:"name"`
}

type containerSpec struct {
	Name          string `json:"name"`
	Image         string `json:"image"`
	RestartPolicy string `json:"restartPolicy"`
	Resources     struct {
		Requests map[corev1.ResourceName]resource.Quantity `json:"requests"`
	} `json:"resources"`
}

// requests are what a container asks for.
func (c *containerSpec) requests() Resources { return amounts(c.Resources.Requests) }

func amounts(list map[corev1.ResourceName]resource.Quantity) Resources {
	cpu, memory := list[corev1.ResourceCPU], list[corev1.ResourceMemory]
	return Resources{CPU: cpu.MilliValue(), Memory: memory.MilliValue()}
}

// podRequests is what the scheduler reckons with: all containers together, those beside them included, or what an init
// container needs before them, if that is more.
func podRequests(initial, containers []containerSpec) Resources {
	var sum, most Resources
	for _, c := range containers {
		r := c.requests()
		sum.CPU, sum.Memory = sum.CPU+r.CPU, sum.Memory+r.Memory
	}
	var beside Resources
	for _, c := range initial {
		r := c.requests()
		if c.RestartPolicy == "Always" {
			beside.CPU, beside.Memory = beside.CPU+r.CPU, beside.Memory+r.Memory
			continue
		}
		most.CPU, most.Memory = max(most.CPU, beside.CPU+r.CPU), max(most.Memory, beside.Memory+r.Memory)
	}
	return Resources{CPU: max(most.CPU, sum.CPU+beside.CPU), Memory: max(most.Memory, sum.Memory+beside.Memory)}
}

func (d *decoder) nodeFacts(status []byte) (*NodeFacts, error) {
	var s struct {
		Capacity map[corev1.ResourceName]resource.Quantity `json:"capacity"`
		NodeInfo corev1.NodeSystemInfo                     `json:"nodeInfo"`
	}
	if status != nil {
		if err := json.Unmarshal(status, &s); err != nil {
			return nil, err
		}
	}
	return &NodeFacts{Capacity: amounts(s.Capacity), System: s.NodeInfo}, nil
}

// sameReference reports whether two states of an unmanaged object differ in nothing that is kept, their resource
// versions aside.
func sameReference(a, b *Object) bool {
	return a.UID == b.UID && a.Version == b.Version && a.Generation == b.Generation && a.App == b.App &&
		a.Deleting.Equal(b.Deleting) && slices.Equal(a.Owners, b.Owners) && slices.Equal(a.claims, b.claims) && sameFacts(a.Facts, b.Facts)
}

func sameFacts(a, b *Facts) bool {
	if a == nil || b == nil {
		return a == b
	}
	if a.Health != b.Health || a.Message != b.Message || a.Revision != b.Revision || (a.Pod == nil) != (b.Pod == nil) {
		return false
	}
	if a.Labels != b.Labels || !reflect.DeepEqual(a.Node, b.Node) || !reflect.DeepEqual(a.Network, b.Network) {
		return false
	}
	return a.Pod == nil || a.Pod.Requests == b.Pod.Requests && a.Pod.Phase == b.Pod.Phase && a.Pod.Reason == b.Pod.Reason && a.Pod.Node == b.Pod.Node &&
		a.Pod.Ready == b.Pod.Ready && a.Pod.Containers == b.Pod.Containers && a.Pod.Restarts == b.Pod.Restarts &&
		slices.Equal(a.Pod.Images, b.Pod.Images) && sameTrouble(a.Pod.Trouble, b.Pod.Trouble)
}

func sameTrouble(a, b *Trouble) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Container == b.Container && a.Image == b.Image && a.Message == b.Message && a.ExitCode == b.ExitCode && a.Since.Equal(b.Since)
}
