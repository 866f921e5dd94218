package health

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fairlead-cd/fairlead/internal/lua"
)

// Script is a health check that an operator wrote.
type Script struct {
	// Lua is its text; it finds the object in the global obj and returns a table with status and message.
	Lua string
	// OpenLibs gives it Lua's standard libraries.
	OpenLibs bool
}

// Assessor judges objects by the operator's scripts where there are some, and by what is built in otherwise. It is
// safe for concurrent use.
type Assessor struct {
	find func(group, kind string) (Script, bool)

	mu       sync.Mutex
	compiled map[[2]string]*compiled
}

type compiled struct {
	script *lua.Script // nil: there is none
	err    error
	// stops counts how often in a row the script was stopped.
	stops atomic.Int32
}

// maxStops is how often in a row a script may be stopped before it is not run any more: it would hold up the live state
// of all objects of its kind.
const maxStops = 3

// NewAssessor returns an Assessor for the scripts that find gives for kinds; it must always give the same.
func NewAssessor(find func(group, kind string) (Script, bool)) *Assessor {
	return &Assessor{find: find, compiled: map[[2]string]*compiled{}}
}

// Assess judges one live object; false when it has no health. A script that fails or is stopped makes the object
// Unknown, with the reason as its message.
func (a *Assessor) Assess(ctx context.Context, obj *unstructured.Unstructured) (Result, bool) {
	if obj == nil || obj.Object == nil {
		return Result{}, false
	}
	if result, ok := deletion(obj.Object); ok {
		return result, true
	}
	group, kind := groupOf(text(obj.Object, "apiVersion")), text(obj.Object, "kind")
	c := a.scriptFor(group, kind)
	switch {
	case c.err != nil:
		return say(Unknown, fmt.Sprintf("health.lua of %s: %v", kindName(group, kind), c.err)), true
	case c.script == nil:
		return builtin(obj.Object)
	}
	if c.stops.Load() >= maxStops {
		return say(Unknown, fmt.Sprintf("health.lua of %s was stopped %d times in a row, as it may loop, and is not run again until it is changed", kindName(group, kind), maxStops)), true
	}
	values, err := c.script.Run(ctx, map[string]any{"obj": obj.Object})
	if errors.Is(err, lua.ErrLimit) && !errors.Is(err, lua.ErrTime) {
		c.stops.Add(1)
	} else {
		c.stops.Store(0)
	}
	if err != nil {
		return say(Unknown, fmt.Sprintf("health.lua of %s: %v", kindName(group, kind), err)), true
	}
	return read(values, kindName(group, kind))
}

// read takes the answer of a script. One that returns nothing says that the object has no health.
func read(values []any, kind string) (Result, bool) {
	if len(values) == 0 || values[0] == nil {
		return Result{}, false
	}
	table, ok := values[0].(map[string]any)
	if !ok {
		return say(Unknown, fmt.Sprintf("health.lua of %s returned no table; return one with status and message", kind)), true
	}
	result := say(Status(text(table, "status")), text(table, "message"))
	switch result.Status {
	case Healthy, Suspended, Progressing, Missing, Degraded, Unknown:
		return result, true
	}
	return say(Unknown, fmt.Sprintf("health.lua of %s returned the status %q; known are Healthy, Progressing, Degraded, Suspended, Missing and Unknown", kind, text(table, "status"))), true
}

func (a *Assessor) scriptFor(group, kind string) *compiled {
	key := [2]string{group, kind}
	a.mu.Lock()
	defer a.mu.Unlock()
	if found, ok := a.compiled[key]; ok {
		return found
	}
	c := &compiled{}
	if script, ok := a.find(group, kind); ok {
		c.script, c.err = lua.Compile("health.lua", script.Lua, lua.Libraries(script.OpenLibs))
	}
	a.compiled[key] = c
	return c
}

func kindName(group, kind string) string {
	if group == "" {
		return kind
	}
	return group + "/" + kind
}
