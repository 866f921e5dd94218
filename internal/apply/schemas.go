package apply

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/client-go/openapi"
	"k8s.io/kube-openapi/pkg/spec3"
)

// errLocal is what an object does not fit its schema with, wrapped.
var errLocal = errors.New("it does not fit the schema of its kind")

// schemas are those that the API server publishes of its kinds, read when an
// object cannot be checked in a dry run.
type schemas struct {
	mu   sync.Mutex
	kept map[schema.GroupVersion]published
}

// published is the schema of a group in a version. Its address changes with its
// content.
type published struct {
	address string
	types   managedfields.TypeConverter
}

// check reports fields of an object that its kind does not have, and values of
// a wrong type. The error wraps errLocal if the object is at fault, and is
// another if the schema cannot be had.
func (s *schemas) check(ctx context.Context, client openapi.ClientWithContext, obj *unstructured.Unstructured) error {
	types, err := s.of(ctx, client, obj.GroupVersionKind().GroupVersion())
	if err != nil {
		return fmt.Errorf("reading the schema of %s: %w", obj.GroupVersionKind().GroupVersion(), err)
	}
	if _, err := types.ObjectToTyped(obj); err != nil {
		return fmt.Errorf("%w: %w", errLocal, err)
	}
	return nil
}

func (s *schemas) of(ctx context.Context, client openapi.ClientWithContext, gv schema.GroupVersion) (managedfields.TypeConverter, error) {
	paths, err := client.PathsWithContext(ctx)
	if err != nil {
		return nil, err
	}
	path := "apis/" + gv.String()
	if gv.Group == "" {
		path = "api/" + gv.Version
	}
	found, ok := paths[path]
	if !ok {
		return nil, errors.New("the API server publishes none")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if kept := s.kept[gv]; kept.types != nil && kept.address == found.ServerRelativeURL() {
		return kept.types, nil
	}
	types, err := download(ctx, found)
	if err != nil {
		return nil, err
	}
	if s.kept == nil {
		s.kept = make(map[schema.GroupVersion]published)
	}
	s.kept[gv] = published{address: found.ServerRelativeURL(), types: types}
	return types, nil
}

func download(ctx context.Context, from openapi.GroupVersionWithContext) (managedfields.TypeConverter, error) {
	text, err := from.SchemaWithContext(ctx, "application/json")
	if err != nil {
		return nil, err
	}
	var document spec3.OpenAPI
	if err := json.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	if document.Components == nil {
		return nil, errors.New("the API server publishes none")
	}
	return managedfields.NewTypeConverter(document.Components.Schemas, false)
}
