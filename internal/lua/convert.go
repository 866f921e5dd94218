package lua

import (
	"encoding/json"
	"fmt"
	"math"

	lua "github.com/yuin/gopher-lua"
)

// converter turns values of Go into those of Lua and back.
type converter struct {
	// empty are the tables that came from an empty list or map; Lua cannot tell the two apart.
	empty map[*lua.LTable]any
}

func (c *converter) toLua(value any) lua.LValue {
	switch v := value.(type) {
	case string:
		return lua.LString(v)
	case bool:
		return lua.LBool(v)
	case int64:
		return lua.LNumber(v)
	case int:
		return lua.LNumber(v)
	case int32:
		return lua.LNumber(v)
	case float64:
		return lua.LNumber(v)
	case json.Number:
		f, err := v.Float64()
		if err != nil {
			return lua.LString(v)
		}
		return lua.LNumber(f)
	case map[string]any:
		table := &lua.LTable{Metatable: lua.LNil}
		for key, item := range v {
			table.RawSetString(key, c.toLua(item))
		}
		if len(v) == 0 {
			c.empty[table] = map[string]any{}
		}
		return table
	case []any:
		table := &lua.LTable{Metatable: lua.LNil}
		for _, item := range v {
			table.Append(c.toLua(item))
		}
		if len(v) == 0 {
			c.empty[table] = []any{}
		}
		return table
	default:
		return lua.LNil
	}
}

// maxNesting is how deep a table may be that a script returns; one that contains itself is endless.
const maxNesting = 100

func (c *converter) toGo(value lua.LValue, depth int) (any, error) {
	if depth > maxNesting {
		return nil, fmt.Errorf("the script returned a table that contains itself, or goes deeper than %d levels", maxNesting)
	}
	switch v := value.(type) {
	case lua.LString:
		return string(v), nil
	case lua.LBool:
		return bool(v), nil
	case lua.LNumber:
		return number(float64(v)), nil
	case *lua.LTable:
		return c.table(v, depth)
	case *lua.LNilType:
		return nil, nil
	default:
		return nil, fmt.Errorf("the script returned a %s, which has no place in an object", value.Type())
	}
}

func (c *converter) table(t *lua.LTable, depth int) (any, error) {
	list := make([]any, 0, t.Len())
	object := make(map[string]any)
	var failure error
	t.ForEach(func(key, item lua.LValue) {
		if failure != nil {
			return
		}
		converted, err := c.toGo(item, depth+1)
		if err != nil {
			failure = err
			return
		}
		if n, ok := key.(lua.LNumber); ok {
			if int(n) == len(list)+1 {
				list = append(list, converted)
				return
			}
		}
		object[key.String()] = converted
	})
	switch {
	case failure != nil:
		return nil, failure
	case len(list) > 0 && len(object) > 0:
		return nil, fmt.Errorf("the script returned a table that is half a list and half a map")
	case len(list) > 0:
		return list, nil
	case len(object) > 0:
		return object, nil
	}
	if _, ok := c.empty[t].([]any); ok {
		return list, nil
	}
	return object, nil
}

// number gives whole numbers as the integers that Kubernetes' objects hold.
func number(f float64) any {
	if f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return int64(f)
	}
	return f
}
