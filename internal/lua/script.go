package lua

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/parse"
)

// The limits of one run.
const (
	MaxTime         = time.Second
	MaxInstructions = 2_000_000
	MaxDepth        = 120
	MaxString       = 1 << 20
	MaxList         = 1 << 16
)

// ErrLimit is what Run returns, wrapped, for a script that was stopped at a limit.
var ErrLimit = errors.New("the script was stopped")

// ErrTime is the ErrLimit of time, which a busy machine may cause as well as the script.
var ErrTime = fmt.Errorf("%w after %s", ErrLimit, MaxTime)

// Libraries say what a script may call.
type Libraries bool

// Limited is what every script has; Open adds the standard libraries of useOpenLibs.
const (
	Limited Libraries = false
	Open    Libraries = true
)

// Script is a compiled script. It is safe for concurrent use.
type Script struct {
	name  string
	proto *lua.FunctionProto
	libs  Libraries
}

// Compile reads a script. name appears in errors.
func Compile(name, source string, libs Libraries) (*Script, error) {
	chunk, err := parse.Parse(strings.NewReader(source), name)
	if err != nil {
		return nil, fmt.Errorf("the script is no Lua: %s", oneLine(err))
	}
	guard(chunk)
	proto, err := lua.Compile(chunk, name)
	if err != nil {
		return nil, fmt.Errorf("the script cannot be compiled: %s", oneLine(err))
	}
	return &Script{name: name, proto: proto, libs: libs}, nil
}

// Run carries the script out with the given globals and returns what it returns.
func (s *Script) Run(ctx context.Context, globals map[string]any) (values []any, err error) {
	vm := take(s.libs)
	ctx, cancel := context.WithTimeout(ctx, MaxTime)
	defer cancel()
	meter := &meter{Context: ctx}
	vm.state.SetContext(meter)
	defer func() {
		// The interpreter panics on some errors that it finds in itself; they are the script's all the same.
		if failure := recover(); failure != nil {
			values, err = nil, fmt.Errorf("the script failed: %v", failure)
		}
		if err == nil {
			vm.release()
		}
	}()
	in := &converter{empty: map[*lua.LTable]any{}}
	function := vm.state.NewFunctionFromProto(s.proto)
	function.Env = vm.environment()
	for name, value := range globals {
		function.Env.RawSetString(name, in.toLua(value))
	}
	vm.state.Push(function)
	if err := vm.state.PCall(0, lua.MultRet, nil); err != nil {
		return nil, meter.explain(err)
	}
	for i := 1; i <= vm.state.GetTop(); i++ {
		value, err := in.toGo(vm.state.Get(i), 0)
		if err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	return values, nil
}

// meter counts instructions: the interpreter asks for Done before each.
type meter struct {
	context.Context
	count int
}

var over = closed()

func closed() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

func (m *meter) Done() <-chan struct{} {
	if m.count++; m.count > MaxInstructions {
		return over
	}
	return m.Context.Done()
}

func (m *meter) Err() error {
	if m.count > MaxInstructions {
		return fmt.Errorf("%w after %d instructions", ErrLimit, MaxInstructions)
	}
	return m.Context.Err()
}

// explain turns the interpreter's error into one sentence.
func (m *meter) explain(err error) error {
	switch {
	case m.count > MaxInstructions:
		return fmt.Errorf("%w after %d instructions; it may loop", ErrLimit, MaxInstructions)
	case errors.Is(m.Context.Err(), context.DeadlineExceeded):
		return fmt.Errorf("%w; it may loop", ErrTime)
	case m.Context.Err() != nil:
		return m.Context.Err()
	}
	var api *lua.ApiError
	if errors.As(err, &api) && api.Object != nil {
		text := api.Object.String()
		switch {
		case strings.Contains(text, "stack overflow"), strings.Contains(text, "registry overflow"):
			return fmt.Errorf("%w because its calls or values go too deep (at most %d calls); it may call itself for ever", ErrLimit, MaxDepth)
		case strings.Contains(text, tooLong):
			return fmt.Errorf("%w: %s", ErrLimit, text)
		}
		return fmt.Errorf("the script failed: %s", firstLine(text))
	}
	return fmt.Errorf("the script failed: %s", firstLine(err.Error()))
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
