package application

import (
	"context"
	"fmt"
	"sync"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fairlead-cd/fairlead/internal/cluster"
	"github.com/fairlead-cd/fairlead/internal/compare"
)

// schemas keeps the schemas of custom resources, read from their definitions
// when they are first needed, and again when a definition changed.
type schemas struct {
	mu   sync.Mutex
	kept map[schemaKey]*keptSchema
}

type schemaKey struct {
	server string
	kind   schema.GroupVersionKind
}

type keptSchema struct {
	mu         sync.Mutex
	definition types.UID
	generation int64
	schema     *compare.Schema
}

// schemaOf returns the schema of a kind in a cluster; nil for a kind that no
// definition there describes.
func (r *reconciliation) schemaOf(ctx context.Context, gvk schema.GroupVersionKind) (*compare.Schema, error) {
	live := r.destination.Live
	resource, err := live.Resource(ctx, gvk)
	if err != nil {
		return nil, nil // a kind that is not served has no schema, and no live objects to compare
	}
	key := cluster.Key{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition", Name: resource.Name + "." + gvk.Group}
	definition, ok := live.Get(key)
	if !ok {
		return nil, nil
	}
	kept := r.schemas.of(schemaKey{server: r.destination.Server, kind: gvk})
	kept.mu.Lock()
	defer kept.mu.Unlock()
	if kept.definition == definition.UID && kept.generation == definition.Generation {
		return kept.schema, nil
	}
	body := definition.Live()
	if body == nil {
		if body, err = live.Fetch(ctx, key, "v1"); err != nil {
			return nil, fmt.Errorf("reading the definition of %s: %w", gvk.Kind, err)
		}
	}
	crd := &apiextensionsv1.CustomResourceDefinition{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(body.Object, crd); err != nil {
		return nil, fmt.Errorf("reading the definition of %s: %w", gvk.Kind, err)
	}
	made, err := r.Comparer.SchemaOf(crd, gvk.Version)
	if err != nil {
		// Older definitions have no schema that says anything; the API server's answer to a dry run is right all the same.
		r.Logger.Debug("a custom resource is compared without its schema", "kind", gvk.String(), "error", err)
		made = nil
	}
	kept.definition, kept.generation, kept.schema = definition.UID, definition.Generation, made
	return made, nil
}

func (s *schemas) of(key schemaKey) *keptSchema {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept, ok := s.kept[key]
	if !ok {
		if s.kept == nil {
			s.kept = make(map[schemaKey]*keptSchema)
		}
		kept = &keptSchema{}
		s.kept[key] = kept
	}
	return kept
}
