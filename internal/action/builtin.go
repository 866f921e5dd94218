package action

import (
	"fmt"
	"maps"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// builtin is an action written here.
type builtin struct {
	name, display, icon string
	params              []string
	// disabled says that the action makes no sense for the object now; nil for never.
	disabled func(object) bool
	run      func(request) ([]Change, error)
}

// request is one run of an action; obj may be changed.
type request struct {
	obj    *unstructured.Unstructured
	params map[string]string
	now    time.Time
}

func (b builtin) offer(obj *unstructured.Unstructured) v1alpha1.ResourceAction {
	a := v1alpha1.ResourceAction{Name: b.name, DisplayName: b.display, IconClass: b.icon}
	a.Disabled = b.disabled != nil && b.disabled(object(obj.Object))
	for _, name := range b.params {
		a.Params = append(a.Params, v1alpha1.ResourceActionParam{Name: name})
	}
	return a
}

// builtins are the actions of each kind, by group/kind.
var builtins = assemble(workloads(), jobs(), argo(), operators(), flux())

func assemble(lists ...map[string][]builtin) map[string][]builtin {
	out := map[string][]builtin{}
	for _, list := range lists {
		maps.Copy(out, list)
	}
	return out
}

// object reads fields of any shape; what is missing or of another type is the zero value.
type object map[string]any

func (o object) at(path ...string) any {
	var v any = map[string]any(o)
	for _, step := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[step]
	}
	return v
}

func (o object) flag(path ...string) bool {
	b, _ := o.at(path...).(bool)
	return b
}

func (o object) text(path ...string) string {
	s, _ := o.at(path...).(string)
	return s
}

func (o object) number(path ...string) (int64, bool) {
	switch n := o.at(path...).(type) {
	case int64:
		return n, true
	case float64:
		return int64(n), true
	default:
		return 0, false
	}
}

// set writes a field, and the maps above it where they are missing.
func (r request) set(value any, path ...string) error {
	if err := unstructured.SetNestedField(r.obj.Object, value, path...); err != nil {
		return fmt.Errorf("changing %s %s: %w", r.obj.GetKind(), r.obj.GetName(), err)
	}
	return nil
}

func (r request) patch() []Change { return []Change{{Patch, r.obj}} }

// setting is an action that writes one field.
func setting(value any, path ...string) func(request) ([]Change, error) {
	return func(r request) ([]Change, error) {
		if err := r.set(value, path...); err != nil {
			return nil, err
		}
		return r.patch(), nil
	}
}

// stamping is an action that writes the present time into a field.
func stamping(format func(time.Time) string, path ...string) func(request) ([]Change, error) {
	return func(r request) ([]Change, error) { return setting(format(r.now), path...)(r) }
}

func rfc3339(t time.Time) string { return t.Format(time.RFC3339) }
func unix(t time.Time) string    { return strconv.FormatInt(t.Unix(), 10) }

// on and off are actions of a switch: the one that would change nothing is disabled.
func on(path ...string) func(object) bool { return func(o object) bool { return o.flag(path...) } }
func off(path ...string) func(object) bool {
	return func(o object) bool { return !o.flag(path...) }
}

const (
	iconRestart = "fa fa-fw fa-redo"
	iconPause   = "fa fa-fw fa-pause-circle"
	iconPlay    = "fa fa-fw fa-play-circle"
	iconPlus    = "fa fa-fw fa-plus-circle"
	iconStop    = "fa fa-fw fa-stop-circle"
	iconRefresh = "fa fa-fw fa-sync-alt"
	iconNew     = "fa fa-fw fa-plus"
)

// replicas reads the parameter of that name.
func (r request) replicas() (int64, error) {
	n, err := strconv.ParseInt(r.params["replicas"], 10, 32)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("the parameter replicas is %q; give a whole number from 0 on", r.params["replicas"])
	}
	return n, nil
}
