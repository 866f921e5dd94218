package lua

import (
	"reflect"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/ast"
)

// concat is the global that joins strings in place of the operator, whose result nothing else bounds. No script can
// write its name.
const concat = "(concat)"

const tooLong = "a string would become longer than 1 MiB"

// guard replaces each operator .. of a script by a call of concat.
func guard(chunk []ast.Stmt) { replace(reflect.ValueOf(chunk)) }

func replace(v reflect.Value) {
	switch v.Kind() {
	case reflect.Slice:
		for i := range v.Len() {
			replace(v.Index(i))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			replace(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				replace(v.Field(i))
			}
		}
	case reflect.Interface:
		if v.IsNil() {
			return
		}
		replace(v.Elem())
		if join, ok := v.Interface().(*ast.StringConcatOpExpr); ok {
			v.Set(reflect.ValueOf(joining(join)))
		}
	default:
	}
}

func joining(join *ast.StringConcatOpExpr) ast.Expr {
	name := &ast.IdentExpr{Value: concat}
	call := &ast.FuncCallExpr{Func: name, Args: []ast.Expr{join.Lhs, join.Rhs}, AdjustRet: true}
	for _, node := range []ast.PositionHolder{name, call} {
		node.SetLine(join.Line())
		node.SetLastLine(join.LastLine())
	}
	return call
}

func join(l *lua.LState) int {
	a, b := l.Get(1), l.Get(2)
	for _, v := range []lua.LValue{a, b} {
		if !lua.LVCanConvToString(v) {
			if method := l.GetMetaField(v, "__concat"); method != lua.LNil {
				l.Push(method)
				l.Push(a)
				l.Push(b)
				l.Call(2, 1)
				return 1
			}
			l.RaiseError("cannot join a %s value to a string", v.Type())
		}
	}
	left, right := lua.LVAsString(a), lua.LVAsString(b)
	bound(l, len(left)+len(right))
	l.Push(lua.LString(left + right))
	return 1
}

func bound(l *lua.LState, size int) {
	if size > MaxString || size < 0 {
		l.RaiseError(tooLong)
	}
}

// boundRep checks the size before string.rep makes it.
func boundRep(original lua.LGFunction) lua.LGFunction {
	return func(l *lua.LState) int {
		if size, times := len(l.CheckString(1)), l.CheckInt(2); size > 0 && times > MaxString/size {
			l.RaiseError(tooLong)
		}
		return original(l)
	}
}

// boundGsub checks the most that string.gsub can make with a replacement that is a string. A function or a table can
// give more only by instructions of its own.
func boundGsub(original lua.LGFunction) lua.LGFunction {
	return func(l *lua.LState) int {
		subject := len(l.CheckString(1))
		if with, ok := l.Get(3).(lua.LString); ok && subject > 0 && (len(with)+1) > 16*MaxString/(subject+1) {
			l.RaiseError(tooLong)
		}
		return boundResult(original)(l)
	}
}

// boundConcat adds the sizes up before table.concat makes the string.
func boundConcat(original lua.LGFunction) lua.LGFunction {
	return func(l *lua.LState) int {
		list, size := l.CheckTable(1), 0
		separator := len(l.OptString(2, ""))
		for i := 1; i <= list.Len(); i++ {
			size += separator + len(lua.LVAsString(list.RawGetInt(i)))
			bound(l, size)
		}
		return original(l)
	}
}

// boundResult checks the first result.
func boundResult(original lua.LGFunction) lua.LGFunction {
	return func(l *lua.LState) int {
		n := original(l)
		if s, ok := l.Get(-n).(lua.LString); n > 0 && ok {
			bound(l, len(s))
		}
		return n
	}
}
