package lua

import (
	"sync"

	lua "github.com/yuin/gopher-lua"
)

// machine is an interpreter with its libraries.
type machine struct {
	state *lua.LState
	libs  Libraries
	// base holds the libraries; an environment is a copy of it.
	base map[string]lua.LValue
}

// pools keep idle interpreters: making one costs about as much as a script.
var pools = map[Libraries]*sync.Pool{
	Limited: {New: func() any { return newMachine(Limited) }},
	Open:    {New: func() any { return newMachine(Open) }},
}

func take(libs Libraries) *machine {
	vm, ok := pools[libs].Get().(*machine)
	if !ok {
		return newMachine(libs)
	}
	return vm
}

func (m *machine) release() {
	m.state.SetTop(0)
	m.state.RemoveContext()
	pools[m.libs].Put(m)
}

var limitLists = sync.OnceFunc(func() {
	// A table makes room for all indexes below one that is set; beyond this it keeps the index alone.
	lua.MaxArrayIndex = MaxList
})

func newMachine(libs Libraries) *machine {
	limitLists()
	state := lua.NewState(lua.Options{
		SkipOpenLibs: true, CallStackSize: MaxDepth, RegistrySize: 1024, RegistryMaxSize: 64 * 1024, RegistryGrowStep: 1024,
	})
	m := &machine{state: state, libs: libs, base: map[string]lua.LValue{}}
	for name, open := range map[string]lua.LGFunction{
		lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable, lua.StringLibName: lua.OpenString,
		lua.MathLibName: lua.OpenMath, lua.OsLibName: lua.OpenOs,
	} {
		state.Push(state.NewFunction(open))
		state.Push(lua.LString(name))
		state.Call(1, 0)
	}
	if libs == Open {
		for name, open := range map[string]lua.LGFunction{
			lua.IoLibName: lua.OpenIo, lua.CoroutineLibName: lua.OpenCoroutine, lua.DebugLibName: lua.OpenDebug, lua.LoadLibName: lua.OpenPackage,
		} {
			state.Push(state.NewFunction(open))
			state.Push(lua.LString(name))
			state.Call(1, 0)
		}
	}
	m.restrict()
	state.G.Global.ForEach(func(key, value lua.LValue) {
		if name, ok := key.(lua.LString); ok && name != "_G" {
			m.base[string(name)] = value
		}
	})
	m.base[concat] = state.NewFunction(join)
	return m
}

// restrict takes out what no script may have, and what needs useOpenLibs.
func (m *machine) restrict() {
	globals := m.state.G.Global
	// Code that is loaded at run time would not be guarded; printing goes to the log of nobody.
	forbidden := []string{"load", "loadstring", "loadfile", "dofile", "print", "_printregs", "getfenv", "setfenv", "newproxy", "module", "collectgarbage"}
	for _, name := range forbidden {
		globals.RawSetString(name, lua.LNil)
	}
	os := []string{"execute", "exit", "getenv", "setenv", "setlocale"}
	if m.libs == Limited {
		os = append(os, "remove", "rename", "tmpname")
		globals.RawSetString("require", lua.LNil)
	}
	remove(globals, lua.OsLibName, os...)
	remove(globals, lua.IoLibName, "popen")
	// Coroutines and debugging run outside of the count of instructions.
	remove(globals, lua.DebugLibName, "sethook", "setfenv", "setmetatable", "setupvalue")
	wrap(m.state, globals, lua.StringLibName, "rep", boundRep)
	wrap(m.state, globals, lua.StringLibName, "gsub", boundGsub)
	wrap(m.state, globals, lua.StringLibName, "format", boundResult)
	remove(globals, lua.StringLibName, "dump")
	wrap(m.state, globals, lua.TabLibName, "concat", boundConcat)
}

func remove(globals *lua.LTable, library string, names ...string) {
	if table, ok := globals.RawGetString(library).(*lua.LTable); ok {
		for _, name := range names {
			table.RawSetString(name, lua.LNil)
		}
	}
}

func wrap(state *lua.LState, globals *lua.LTable, library, name string, with func(lua.LGFunction) lua.LGFunction) {
	table, ok := globals.RawGetString(library).(*lua.LTable)
	if !ok {
		return
	}
	if original, ok := table.RawGetString(name).(*lua.LFunction); ok && original.IsG {
		table.RawSetString(name, state.NewFunction(with(original.GFunction)))
	}
}

// environment returns globals for one run. Tables are copied, so that what a script does to a library ends with it.
func (m *machine) environment() *lua.LTable {
	env := m.state.CreateTable(0, len(m.base)+4)
	for name, value := range m.base {
		if library, ok := value.(*lua.LTable); ok {
			fresh := m.state.NewTable()
			library.ForEach(fresh.RawSet)
			value = fresh
		}
		env.RawSetString(name, value)
	}
	env.RawSetString("_G", env)
	return env
}
