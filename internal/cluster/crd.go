package cluster

import (
	"encoding/json"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

var (
	crdKind        = schema.GroupKind{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}
	apiServiceKind = schema.GroupKind{Group: "apiregistration.k8s.io", Kind: "APIService"}
)

// crdFacts are what a CustomResourceDefinition or an APIService says about the kinds that the API server serves.
type crdFacts struct {
	group, plural, kind string
	// versions are those served. An APIService has one.
	versions []string
	// ready is the condition Established of a CRD, Available of an APIService.
	ready bool
	// remote tells that an APIService is served by another server.
	remote bool
}

func (f *crdFacts) equal(g *crdFacts) bool {
	if f == nil || g == nil {
		return f == g
	}
	return f.group == g.group && f.plural == g.plural && f.kind == g.kind && f.ready == g.ready && f.remote == g.remote &&
		slices.Equal(f.versions, g.versions)
}

func (d *decoder) readCRD(spec, status []byte) (*crdFacts, error) {
	f := &crdFacts{ready: condition(status, "Established")}
	if spec == nil {
		return f, nil
	}
	err := members(spec, func(key, value []byte) error {
		switch string(key) {
		case "group":
			f.group = d.strings.json(value)
		case "names":
			return members(value, func(key, value []byte) error {
				switch string(key) {
				case "plural":
					f.plural = d.strings.json(value)
				case "kind":
					f.kind = d.strings.json(value)
				}
				return nil
			})
		case "versions":
			return elements(value, func(value []byte) error { return f.version(d.strings, value) })
		}
		return nil
	})
	return f, err
}

// version reads an entry of spec.versions, stepping over its schema, which can be megabytes.
func (f *crdFacts) version(strings *interner, entry []byte) error {
	var name string
	var served bool
	err := members(entry, func(key, value []byte) error {
		switch string(key) {
		case "name":
			name = text(value)
		case "served":
			served = string(value) == "true"
		}
		return nil
	})
	if served {
		f.versions = append(f.versions, strings.of(name))
	}
	return err
}

func (d *decoder) readAPIService(spec, status []byte) (*crdFacts, error) {
	var s struct {
		Group, Version string
		Service        *struct{}
	}
	if spec != nil {
		if err := json.Unmarshal(spec, &s); err != nil {
			return nil, err
		}
	}
	return &crdFacts{
		group: d.strings.of(s.Group), versions: []string{d.strings.of(s.Version)}, remote: s.Service != nil,
		ready: condition(status, "Available"),
	}, nil
}

// condition reports whether the condition of a type stands at True.
func condition(status []byte, name string) bool {
	var s struct {
		Conditions []struct{ Type, Status string }
	}
	if status == nil || json.Unmarshal(status, &s) != nil {
		return false
	}
	for _, c := range s.Conditions {
		if c.Type == name {
			return c.Status == "True"
		}
	}
	return false
}

// goneLife is how long a deleted definition is held against discovery.
const goneLife = 30 * time.Second

// definitions returns what the definitions in the cluster say at the moment.
func (s *state) definitions() *definitions {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := &definitions{known: make(map[schema.GroupResource]*crdFacts), gone: make(map[schema.GroupResource]bool)}
	for _, o := range s.index.kinds[crdKind] {
		if o.crd != nil {
			d.known[schema.GroupResource{Group: o.crd.group, Resource: o.crd.plural}] = o.crd
		}
	}
	for resource, at := range s.gone {
		if s.now().Sub(at) > goneLife {
			delete(s.gone, resource)
			continue
		}
		d.gone[resource] = true
	}
	return d
}

// remote returns the versions that other servers serve, behind the API server.
func (s *state) remote() map[schema.GroupVersion]bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make(map[schema.GroupVersion]bool)
	for _, o := range s.index.kinds[apiServiceKind] {
		if o.crd != nil && o.crd.remote {
			out[schema.GroupVersion{Group: o.crd.group, Version: o.crd.versions[0]}] = true
		}
	}
	return out
}
