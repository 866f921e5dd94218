package action

import (
	"context"
	"fmt"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/lua"
)

// Scripts are the actions that an operator wrote for a kind.
type Scripts struct {
	// Discovery returns a table of the actions by name.
	Discovery string
	// Actions are the scripts by the actions' names. Each returns the changed object, or a list of operations.
	Actions map[string]string
	// MergeBuiltin keeps what is built in.
	MergeBuiltin bool
	// OpenLibs gives the scripts Lua's standard libraries.
	OpenLibs bool
}

// scripts keeps scripts compiled.
type scripts struct {
	find func(group, kind string) (Scripts, bool)

	mu       sync.Mutex
	compiled map[string]*custom
	failed   map[string]error
}

// custom are the compiled scripts of one kind.
type custom struct {
	kind      string
	discovery *lua.Script
	actions   map[string]*lua.Script
	merge     bool
}

func newScripts(find func(group, kind string) (Scripts, bool)) *scripts {
	return &scripts{find: find, compiled: map[string]*custom{}, failed: map[string]error{}}
}

// of returns the scripts of an object's kind, nil when there are none.
func (s *scripts) of(obj *unstructured.Unstructured) (*custom, error) {
	kind, gvk := kindOf(obj), obj.GroupVersionKind()
	s.mu.Lock()
	defer s.mu.Unlock()
	if found, ok := s.compiled[kind]; ok {
		return found, s.failed[kind]
	}
	var made *custom
	var err error
	if text, ok := s.find(gvk.Group, gvk.Kind); ok {
		made, err = compile(kind, text)
	}
	s.compiled[kind], s.failed[kind] = made, err
	return made, err
}

func compile(kind string, text Scripts) (*custom, error) {
	c := &custom{kind: kind, actions: make(map[string]*lua.Script, len(text.Actions)), merge: text.MergeBuiltin}
	var err error
	if c.discovery, err = lua.Compile("discovery.lua", text.Discovery, lua.Libraries(text.OpenLibs)); err != nil {
		return nil, fmt.Errorf("discovery.lua of %s: %w", kind, err)
	}
	for name, source := range text.Actions {
		if c.actions[name], err = lua.Compile("action.lua", source, lua.Libraries(text.OpenLibs)); err != nil {
			return nil, fmt.Errorf("action.lua of the action %q of %s: %w", name, kind, err)
		}
	}
	return c, nil
}

func (c *custom) discover(ctx context.Context, obj *unstructured.Unstructured) ([]v1alpha1.ResourceAction, error) {
	values, err := c.discovery.Run(ctx, map[string]any{"obj": obj.Object})
	if err != nil {
		return nil, fmt.Errorf("discovery.lua of %s: %w", c.kind, err)
	}
	var table map[string]any
	if len(values) > 0 {
		table, _ = values[0].(map[string]any)
	}
	if table == nil {
		return nil, fmt.Errorf("discovery.lua of %s returned no table; return one with the actions by name", c.kind)
	}
	out := make([]v1alpha1.ResourceAction, 0, len(table))
	for name, value := range table {
		out = append(out, offered(name, value))
	}
	return out, nil
}

func offered(name string, value any) v1alpha1.ResourceAction {
	fields, _ := value.(map[string]any)
	a := v1alpha1.ResourceAction{Name: name}
	a.Disabled, _ = fields["disabled"].(bool)
	a.IconClass, _ = fields["iconClass"].(string)
	a.DisplayName, _ = fields["displayName"].(string)
	list, _ := fields["params"].([]any)
	for _, item := range list {
		if param, ok := item.(map[string]any); ok {
			if name, ok := param["name"].(string); ok {
				a.Params = append(a.Params, v1alpha1.ResourceActionParam{Name: name})
			}
		}
	}
	return a
}

func (c *custom) run(ctx context.Context, script *lua.Script, obj *unstructured.Unstructured, params map[string]string) ([]Change, error) {
	given := make(map[string]any, len(params))
	for name, value := range params {
		given[name] = value
	}
	values, err := script.Run(ctx, map[string]any{"obj": obj.Object, "actionParams": given})
	if err != nil {
		return nil, fmt.Errorf("action.lua of %s: %w", c.kind, err)
	}
	if len(values) == 0 {
		return nil, fmt.Errorf("action.lua of %s returned nothing; return the object, or a list of operations", c.kind)
	}
	switch result := values[0].(type) {
	case map[string]any:
		return c.changes(obj, []any{map[string]any{"operation": string(Patch), "resource": result}})
	case []any:
		return c.changes(obj, result)
	default:
		return nil, fmt.Errorf("action.lua of %s returned no table; return the object, or a list of operations", c.kind)
	}
}

func (c *custom) changes(source *unstructured.Unstructured, list []any) ([]Change, error) {
	out := make([]Change, 0, len(list))
	for i, item := range list {
		fields, _ := item.(map[string]any)
		resource, ok := fields["resource"].(map[string]any)
		if !ok {
			return nil, fmt.Errorf("action.lua of %s: operation %d has no resource", c.kind, i+1)
		}
		change := Change{Object: &unstructured.Unstructured{Object: resource}}
		operation, _ := fields["operation"].(string)
		switch change.Operation = Operation(operation); change.Operation {
		case Create:
			if change.Object.GetKind() == "" || change.Object.GetAPIVersion() == "" || change.Object.GetName() == "" && change.Object.GetGenerateName() == "" {
				return nil, fmt.Errorf("action.lua of %s: operation %d creates an object without apiVersion, kind or name", c.kind, i+1)
			}
		case Patch:
			if !same(source, change.Object) {
				return nil, fmt.Errorf("action.lua of %s: operation %d patches %s %s; only the object of the action can be patched",
					c.kind, i+1, change.Object.GetKind(), change.Object.GetName())
			}
			restore(change.Object.Object, source.Object)
		default:
			return nil, fmt.Errorf("action.lua of %s: operation %d is %q; known are create and patch", c.kind, i+1, operation)
		}
		out = append(out, change)
	}
	return out, nil
}

func same(a, b *unstructured.Unstructured) bool {
	return a.GroupVersionKind() == b.GroupVersionKind() && a.GetNamespace() == b.GetNamespace() && a.GetName() == b.GetName()
}

// restore gives back what the way through Lua lost: an empty list that was copied looks like a map there, and a field
// that was null is missing.
func restore(after, before map[string]any) {
	for key, was := range before {
		is, ok := after[key]
		switch was := was.(type) {
		case nil:
			if !ok {
				after[key] = nil
			}
		case map[string]any:
			if is, ok := is.(map[string]any); ok {
				restore(is, was)
			}
		case []any:
			restoreList(after, key, is, was)
		}
	}
}

func restoreList(after map[string]any, key string, is any, was []any) {
	if empty, ok := is.(map[string]any); ok && len(empty) == 0 {
		after[key] = []any{}
	}
	list, _ := is.([]any)
	for i := range min(len(list), len(was)) {
		a, ok := list[i].(map[string]any)
		b, also := was[i].(map[string]any)
		if ok && also {
			restore(a, b)
		}
	}
}
