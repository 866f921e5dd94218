package lua_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/fairlead-cd/fairlead/internal/lua"
)

func run(t testing.TB, source string, libs lua.Libraries, globals map[string]any) ([]any, error) {
	t.Helper()
	script, err := lua.Compile("test", source, libs)
	if err != nil {
		return nil, err
	}
	return script.Run(context.Background(), globals) //nolint:usetesting // fuzz targets have none
}

func TestAScriptReturnsValues(t *testing.T) {
	t.Parallel()
	object := map[string]any{
		"list": []any{int64(1), "two", true}, "none": []any{}, "map": map[string]any{}, "half": 1.5, "nil": nil,
	}
	for sentence, c := range map[string]struct {
		source string
		want   []any
	}{
		"nothing is nothing":               {`local x = 1`, nil},
		"several values":                   {`return 1, "a", nil, true`, []any{int64(1), "a", nil, true}},
		"an object comes back as it was":   {`return obj`, []any{map[string]any{"list": []any{int64(1), "two", true}, "none": []any{}, "map": map[string]any{}, "half": 1.5}}},
		"an own empty table is a map":      {`return {}`, []any{map[string]any{}}},
		"strings are joined":               {`return "a" .. 1 .. "b" .. obj.half`, []any{"a1b1.5"}},
		"methods of strings work":          {`return ("abc"):upper(), ("x"):rep(3), ("a-b"):gsub("-", "+")`, []any{"ABC", "xxx", "a+b", int64(1)}},
		"the table library works":          {`local t = {} table.insert(t, "b") table.insert(t, "a") table.sort(t) return table.concat(t, ",")`, []any{"a,b"}},
		"the time is known":                {`return os.time() > 0, os.date("%Y") ~= nil`, []any{true, true}},
		"ipairs and pcall work":            {`local n = 0 for i, v in ipairs(obj.list) do n = n + i end return n, pcall(error, "x", 0)`, []any{int64(6), false, "x"}},
		"objects with __concat are joined": {`return setmetatable({}, {__concat = function(a, b) return "joined" end}) .. "x"`, []any{"joined"}},
	} {
		t.Run(sentence, func(t *testing.T) {
			got, err := run(t, c.source, lua.Limited, map[string]any{"obj": object})
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %#v, %v; want %#v", got, err, c.want)
			}
		})
	}
}

func TestAScriptIsStopped(t *testing.T) {
	t.Parallel()
	for sentence, source := range map[string]string{
		"when it loops":                         `while true do end`,
		"when it loops around errors it caught": `while true do pcall(function() while true do end end) end`,
		"when it calls itself for ever":         `function f() return 1 + f() end return f()`,
		"when it doubles a string":              `local s = "0123456789" while true do s = s .. s end`,
		"when it repeats a string":              `return string.rep("x", 1e9)`,
		"when it repeats a string by method":    `local s = ("x"):rep(1e6) return s:rep(1e6)`,
		"when it joins a list into too much":    `local s, t = ("x"):rep(1e6), {} for i = 1, 100 do t[i] = s end return table.concat(t)`,
		"when it replaces with too much":        `local s = ("x"):rep(1e6) return s:gsub("x", s)`,
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			if got, err := run(t, source, lua.Limited, nil); !errors.Is(err, lua.ErrLimit) {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
	t.Run("when nobody waits for it any more", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		script, err := lua.Compile("test", `while true do end`, lua.Limited)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := script.Run(ctx, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

func TestAnErrorSaysWhere(t *testing.T) {
	t.Parallel()
	for sentence, c := range map[string]struct{ source, want string }{
		"of what is no Lua":               {"local = 1", "no Lua"},
		"of a missing field":              {"\nreturn obj.status.phase", "test:2:"},
		"of a table without end":          {"local t = {} t.t = t return t", "contains itself"},
		"of a function":                   {"return print or function() end", "function"},
		"of a list that is a map as well": {`return {1, a = 2}`, "half"},
	} {
		t.Run(sentence, func(t *testing.T) {
			if _, err := run(t, c.source, lua.Limited, nil); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestLibraries(t *testing.T) {
	t.Parallel()
	for _, call := range []string{
		`io.open("/etc/hostname")`, `dofile("/etc/hostname")`, `loadfile("/etc/hostname")`, `load("return 1")`, `loadstring("return 1")`,
		`require("os")`, `os.execute("true")`, `os.exit(1)`, `os.getenv("HOME")`, `os.remove("/nowhere")`, `print("x")`,
		`coroutine.create(function() end)`, `getfenv(1)`,
	} {
		if got, err := run(t, "return "+call, lua.Limited, nil); err == nil {
			t.Errorf("a limited script called %s: %v", call, got)
		}
	}
	if got, err := run(t, `local f = io.open("/dev/null") return f ~= nil`, lua.Open, nil); err != nil || got[0] != true {
		t.Errorf("an open script could not open a file: %v, %v", got, err)
	}
	for _, call := range []string{`os.execute("true")`, `os.exit(1)`, `os.getenv("HOME")`, `io.popen("true")`, `loadstring("return 1")`} {
		if got, err := run(t, "return "+call, lua.Open, nil); err == nil {
			t.Errorf("an open script called %s: %v", call, got)
		}
	}
}

func TestRunsDoNotSeeEachOther(t *testing.T) {
	t.Parallel()
	leave, err := lua.Compile("leave", `left = "x" string.upper = nil _G.more = 1 return left`, lua.Limited)
	if err != nil {
		t.Fatal(err)
	}
	look, err := lua.Compile("look", `return left, more, string.upper("a"), me`, lua.Limited)
	if err != nil {
		t.Fatal(err)
	}
	var runs sync.WaitGroup
	for i := range 8 {
		runs.Go(func() {
			for range 50 {
				if _, err := leave.Run(t.Context(), nil); err != nil {
					t.Error(err)
				}
				got, err := look.Run(t.Context(), map[string]any{"me": int64(i)})
				if want := []any{nil, nil, "A", int64(i)}; err != nil || !reflect.DeepEqual(got, want) {
					t.Errorf("got %v, %v", got, err)
				}
			}
		})
	}
	runs.Wait()
}

func FuzzScript(f *testing.F) {
	for _, seed := range []string{`return obj`, `return "a" .. obj.a`, `for k, v in pairs(obj) do obj[k] = {v, v} end return obj`, `goto x ::x::`, `return ...`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, source string) {
		_, _ = run(t, source, lua.Limited, map[string]any{"obj": map[string]any{"a": "b", "list": []any{int64(1)}}})
	})
}

func BenchmarkRun(b *testing.B) {
	conditions := []any{map[string]any{"type": "Ready", "status": "True", "message": "all is well"}}
	object := map[string]any{"status": map[string]any{"conditions": conditions}, "metadata": map[string]any{"name": "a"}}
	script, err := lua.Compile("bench", `
local hs = {}
for _, c in ipairs(obj.status.conditions) do
  if c.type == "Ready" and c.status == "True" then hs.status = "Healthy" hs.message = c.message end
end
return hs`, lua.Limited)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := script.Run(b.Context(), map[string]any{"obj": object}); err != nil {
			b.Fatal(err)
		}
	}
}
