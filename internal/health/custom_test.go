package health_test

import (
	"strings"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fairlead-cd/fairlead/internal/health"
)

// assessor has one script for Widgets of example.com.
func assessor(script string) *health.Assessor {
	return health.NewAssessor(func(group, kind string) (health.Script, bool) {
		return health.Script{Lua: script}, group == "example.com" && kind == "Widget"
	})
}

func TestAScriptOfTheOperatorDecides(t *testing.T) {
	t.Parallel()
	const widget = `
apiVersion: example.com/v1
kind: Widget
status: {phase: Broken, conditions: [{type: Ready, status: "True"}]}`
	for sentence, c := range map[string]struct {
		script string
		want   health.Result
	}{
		"with status and message": {`
hs = {}
if obj.status ~= nil and obj.status.phase == "Broken" then
  hs.status = "Degraded"
  hs.message = "the widget is " .. obj.status.phase
  return hs
end
hs.status = "Healthy"
return hs`, health.Result{Status: health.Degraded, Message: "the widget is Broken"}},
		"with a status alone":          {`return {status = "Suspended"}`, health.Result{Status: health.Suspended}},
		"by saying that there is none": {`return nil`, health.Result{}},
		"by returning nothing":         {`local x = 1`, health.Result{}},
	} {
		t.Run(sentence, func(t *testing.T) {
			got, ok := assessor(c.script).Assess(t.Context(), read(t, widget))
			if got != c.want || ok != (c.want != health.Result{}) {
				t.Errorf("got %+v, %v; want %+v", got, ok, c.want)
			}
		})
	}
}

func TestAScriptThatFailsIsShownOnTheObject(t *testing.T) {
	t.Parallel()
	for sentence, c := range map[string]struct{ script, want string }{
		"because it is no Lua":                {`if then`, "health.lua of example.com/Widget: the script is no Lua"},
		"because it stumbles":                 {`return obj.status.phase.x.y`, "health.lua of example.com/Widget: the script failed: health.lua:1:"},
		"because it loops":                    {`while true do end`, "; it may loop"},
		"because it makes up a status":        {`return {status = "Fine"}`, `returned the status "Fine"; known are`},
		"because it returns no table":         {`return "Healthy"`, "returned no table"},
		"because it returns no status":        {`return {message = "x"}`, `returned the status ""`},
		"because it wants a library it lacks": {`return {status = io.read()}`, "the script failed"},
	} {
		t.Run(sentence, func(t *testing.T) {
			got, ok := assessor(c.script).Assess(t.Context(), read(t, `{apiVersion: example.com/v1, kind: Widget, status: {}}`))
			if !ok || got.Status != health.Unknown || !strings.Contains(got.Message, c.want) {
				t.Errorf("got %+v, %v; want %q", got, ok, c.want)
			}
		})
	}
}

func TestWhereThereIsNoScriptWhatIsBuiltInHolds(t *testing.T) {
	t.Parallel()
	a := assessor(`return {status = "Degraded"}`)
	got, ok := a.Assess(t.Context(), read(t, `{apiVersion: v1, kind: Service, spec: {type: ClusterIP}}`))
	if !ok || got.Status != health.Healthy {
		t.Errorf("a Service is %+v, %v", got, ok)
	}
	if got, ok := a.Assess(t.Context(), read(t, `{apiVersion: v1, kind: ConfigMap}`)); ok {
		t.Errorf("a ConfigMap is %+v", got)
	}
	if _, ok := a.Assess(t.Context(), nil); ok {
		t.Error("nil was assessed")
	}
	got, _ = a.Assess(t.Context(), read(t, `{apiVersion: example.com/v1, kind: Widget, metadata: {deletionTimestamp: "2026-01-01T00:00:00Z"}}`))
	if got.Status != health.Progressing {
		t.Errorf("a Widget that is being deleted is %+v", got)
	}
}

func TestAnApplicationHasHealthByAScript(t *testing.T) {
	t.Parallel()
	a := health.NewAssessor(func(_, kind string) (health.Script, bool) {
		return health.Script{Lua: `
hs = {status = "Progressing", message = ""}
if obj.status ~= nil and obj.status.health ~= nil then
  hs.status = obj.status.health.status
  hs.message = obj.status.health.message or ""
end
return hs`}, kind == "Application"
	})
	got, ok := a.Assess(t.Context(), read(t, `{apiVersion: argoproj.io/v1alpha1, kind: Application, status: {health: {status: Degraded, message: it broke}}}`))
	if want := (health.Result{Status: health.Degraded, Message: "it broke"}); !ok || got != want {
		t.Errorf("got %+v, %v", got, ok)
	}
}

func TestAssessorsAreSharedByGoroutines(t *testing.T) {
	t.Parallel()
	a := assessor(`count = (count or 0) + 1 return {status = "Healthy", message = tostring(count)}`)
	obj := read(t, `{apiVersion: example.com/v1, kind: Widget}`)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 {
				if got, _ := a.Assess(t.Context(), obj); got.Message != "1" {
					t.Errorf("a run saw another: %+v", got)
				}
			}
		})
	}
	all.Wait()
}

func TestAScriptThatIsStoppedAlwaysIsGivenUp(t *testing.T) {
	t.Parallel()
	// It calls itself for ever: a loop may be stopped by its time, which a busy machine may be to blame for.
	a := assessor(`local function deep() return 1 + deep() end if obj.spec == nil then deep() end return {status = "Healthy"}`)
	loops, ends := read(t, `{apiVersion: example.com/v1, kind: Widget}`), read(t, `{apiVersion: example.com/v1, kind: Widget, spec: {}}`)
	for _, obj := range []*unstructured.Unstructured{loops, loops, ends, loops, loops} {
		want := health.Unknown
		if obj == ends {
			want = health.Healthy
		}
		if got, _ := a.Assess(t.Context(), obj); got.Status != want || strings.Contains(got.Message, "in a row") {
			t.Fatalf("got %+v", got)
		}
	}
	a.Assess(t.Context(), loops)
	if got, _ := a.Assess(t.Context(), ends); got.Status != health.Unknown || !strings.Contains(got.Message, "was stopped 3 times in a row") {
		t.Errorf("after three loops: %+v", got)
	}
}

func TestTheHealthOfAnApplicationIsWhatItSays(t *testing.T) {
	object := func(apiVersion, status string) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": apiVersion, "kind": "Application",
			"status": map[string]any{"health": map[string]any{"status": status, "message": "why"}},
		}}
	}
	for sentence, test := range map[string]struct {
		obj  *unstructured.Unstructured
		want string
	}{
		"what it says":          {object("argoproj.io/v1alpha1", "Degraded"), "Degraded why"},
		"nothing yet":           {object("argoproj.io/v1alpha1", ""), ""},
		"a word that is none":   {object("argoproj.io/v1alpha1", "Great"), ""},
		"an object of others":   {object("example.com/v1", "Degraded"), ""},
		"an object without any": {nil, ""},
	} {
		t.Run(sentence, func(t *testing.T) {
			got := ""
			if result, ok := health.OfApplication(test.obj); ok {
				got = string(result.Status) + " " + result.Message
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
