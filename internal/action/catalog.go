package action

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// Operation is what a change does.
type Operation string

// Operations that actions ask for, as scripts spell them.
const (
	// Patch brings the object of the action to the state given.
	Patch Operation = "patch"
	// Create makes a new object.
	Create Operation = "create"
)

// Change is one effect of an action.
type Change struct {
	Operation Operation
	// Object is the object after the change.
	Object *unstructured.Unstructured
}

// Catalog knows the actions of all kinds. It is safe for concurrent use.
type Catalog struct {
	now     func() time.Time
	scripts *scripts
}

// New returns a catalog. find gives the operator's scripts for a kind, and must always give the same; nil for none.
func New(now func() time.Time, find func(group, kind string) (Scripts, bool)) *Catalog {
	if find == nil {
		find = func(string, string) (Scripts, bool) { return Scripts{}, false }
	}
	return &Catalog{now: now, scripts: newScripts(find)}
}

// Discover returns the actions that an object offers, by name; those that make no sense now are disabled.
func (c *Catalog) Discover(ctx context.Context, obj *unstructured.Unstructured) ([]v1alpha1.ResourceAction, error) {
	custom, err := c.scripts.of(obj)
	if err != nil {
		return nil, err
	}
	var out []v1alpha1.ResourceAction
	if custom != nil {
		if out, err = custom.discover(ctx, obj); err != nil {
			return nil, err
		}
	}
	if custom == nil || custom.merge {
		for _, b := range builtins[kindOf(obj)] {
			if !slices.ContainsFunc(out, func(a v1alpha1.ResourceAction) bool { return a.Name == b.name }) {
				out = append(out, b.offer(obj))
			}
		}
	}
	slices.SortFunc(out, func(a, b v1alpha1.ResourceAction) int { return cmp.Compare(a.Name, b.Name) })
	return out, nil
}

// Run computes what an action leads to. The object is not changed. The error says why the action cannot be run; an
// action that is disabled for this object is refused.
func (c *Catalog) Run(ctx context.Context, obj *unstructured.Unstructured, name string, params map[string]string) ([]Change, error) {
	offers, err := c.Discover(ctx, obj)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(offers, func(a v1alpha1.ResourceAction) bool { return a.Name == name })
	switch {
	case i < 0:
		return nil, fmt.Errorf("%s %s offers no action %q; it offers %s", obj.GetKind(), obj.GetName(), name, names(offers))
	case offers[i].Disabled:
		return nil, fmt.Errorf("the action %q makes no sense for %s %s in its present state", name, obj.GetKind(), obj.GetName())
	}
	for param := range params {
		if !slices.ContainsFunc(offers[i].Params, func(p v1alpha1.ResourceActionParam) bool { return p.Name == param }) {
			return nil, fmt.Errorf("the action %q of %s takes no parameter %q", name, obj.GetKind(), param)
		}
	}
	custom, err := c.scripts.of(obj)
	if err != nil {
		return nil, err
	}
	if custom != nil {
		if script, ok := custom.actions[name]; ok {
			return custom.run(ctx, script, obj, params)
		}
	}
	for _, b := range builtins[kindOf(obj)] {
		if b.name == name {
			return b.run(request{obj: obj.DeepCopy(), params: params, now: c.now().UTC()})
		}
	}
	return nil, fmt.Errorf("discovery.lua of %s offers the action %q, but there is no definition of it", kindOf(obj), name)
}

func names(offers []v1alpha1.ResourceAction) string {
	if len(offers) == 0 {
		return "none"
	}
	out := ""
	for i, a := range offers {
		if i > 0 {
			out += ", "
		}
		out += a.Name
	}
	return out
}

// kindOf names a kind as group/kind.
func kindOf(obj *unstructured.Unstructured) string {
	gvk := obj.GroupVersionKind()
	return gvk.Group + "/" + gvk.Kind
}
