package kustomize

import (
	"fmt"
	"sync"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/openapi"
)

// schema guards the OpenAPI schema that Kustomize's library keeps in package variables. Builds with the built-in
// schema only read it once it is there, and share the lock.
//
// It is the one variable of this package, because what it guards is one for the process.
var schema sync.RWMutex

// build runs Kustomize on a folder that has been prepared.
func (p *preparer) build(virtual string) (resmap.ResMap, error) {
	if p.ownSchema {
		schema.Lock()
		defer schema.Unlock()
		// An earlier schema would show through, and this one must not show later.
		openapi.ResetOpenAPI()
		defer openapi.ResetOpenAPI()
		return p.run(virtual)
	}
	schema.RLock()
	defer schema.RUnlock()
	openapi.Schema() // parses the built-in schema the first time, under the library's own lock
	return p.run(virtual)
}

func (p *preparer) run(virtual string) (objects resmap.ResMap, err error) {
	defer func() {
		// The library panics on some input, such as an empty file of CRDs.
		if r := recover(); r != nil {
			err = &buildError{fmt.Sprintf("kustomize cannot handle a file: %v", r)}
		}
	}()
	k := krusty.MakeKustomizer(&krusty.Options{
		Reorder:          p.options.reorder,
		LoadRestrictions: p.options.restrictions,
		PluginConfig:     types.DisabledPluginConfig(),
	})
	if objects, err = k.Run(p.fs, virtual); err != nil {
		return nil, &buildError{err.Error()}
	}
	return objects, nil
}
