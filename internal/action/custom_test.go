package action_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead-cd/fairlead/internal/action"
)

func scripted(kind string, scripts action.Scripts) *action.Catalog {
	return action.New(now, func(group, k string) (action.Scripts, bool) { return scripts, group+"/"+k == kind })
}

const cronJob = `{apiVersion: batch/v1, kind: CronJob, metadata: {name: nightly, namespace: shop, labels: {app.kubernetes.io/instance: shop}, finalizers: []},
spec: {schedule: "0 3 * * *", suspend: false, jobTemplate: {spec: {template: {spec: {volumes: [{name: tmp, emptyDir: {}}], containers: []}}}}}}`

// suspending are the scripts that Argo CD's documentation describes: the one offers what makes sense, the others return the object.
var suspending = action.Scripts{
	Discovery: `
actions = {}
local suspended = obj.spec.suspend == true
actions["suspend"] = {["disabled"] = suspended, ["iconClass"] = "fa fa-fw fa-bed", ["displayName"] = "Put to sleep"}
actions["resume"] = {["disabled"] = not suspended}
actions["run"] = {["params"] = {{["name"] = "image"}}}
return actions`,
	Actions: map[string]string{
		"suspend": `obj.spec.suspend = true return obj`,
		"resume":  `obj.spec.suspend = false return obj`,
		"run": `
local cm = {}
cm.apiVersion = "v1"
cm.kind = "ConfigMap"
cm.metadata = {}
cm.metadata.name = "cm1"
cm.metadata.namespace = obj.metadata.namespace
cm.metadata.labels = {}
cm.metadata.labels["app.kubernetes.io/instance"] = obj.metadata.labels["app.kubernetes.io/instance"]
cm.data = {}
cm.data.image = actionParams["image"]
obj.metadata.labels["ran"] = "true"
return {{operation = "create", resource = cm}, {operation = "patch", resource = obj}}`,
	},
}

func TestScriptsTakeThePlaceOfWhatIsBuiltIn(t *testing.T) {
	t.Parallel()
	if got, want := offers(t, scripted("batch/CronJob", suspending), read(t, cronJob)), "(resume), run image, suspend"; got != want {
		t.Errorf("offers %s, want %s", got, want)
	}
	merging := suspending
	merging.MergeBuiltin = true
	catalog := scripted("batch/CronJob", merging)
	if got, want := offers(t, catalog, read(t, cronJob)), "create-job, (resume), run image, suspend"; got != want {
		t.Errorf("merged, it offers %s, want %s", got, want)
	}
	list, err := catalog.Discover(t.Context(), read(t, cronJob))
	if err != nil || list[3].DisplayName != "Put to sleep" || list[3].IconClass != "fa fa-fw fa-bed" {
		t.Errorf("the script's suspend is %+v, %v", list[3], err)
	}
	if _, err := catalog.Run(t.Context(), read(t, cronJob), "create-job", nil); err != nil {
		t.Errorf("a built-in action beside scripts: %v", err)
	}
	if got, want := offers(t, scripted("batch/CronJob", suspending), read(t, `{apiVersion: apps/v1, kind: DaemonSet}`)), "restart"; got != want {
		t.Errorf("another kind offers %s", got)
	}
}

func TestAScriptReturnsTheObjectOrOperations(t *testing.T) {
	t.Parallel()
	catalog := scripted("batch/CronJob", suspending)
	obj := read(t, cronJob)
	before := obj.DeepCopy()
	changes, err := catalog.Run(t.Context(), obj, "suspend", nil)
	if err != nil {
		t.Fatal(err)
	}
	// Nothing but the field may differ: neither empty lists nor empty maps.
	if diff := cmp.Diff("patch\nspec:\n  suspend: true", effect(before, changes)); diff != "" {
		t.Error(diff)
	}
	changes, err = catalog.Run(t.Context(), obj, "run", map[string]string{"image": "x:1"})
	if err != nil {
		t.Fatal(err)
	}
	want := `create
apiVersion: v1
data:
  image: x:1
kind: ConfigMap
metadata:
  labels:
    app.kubernetes.io/instance: shop
  name: cm1
  namespace: shop
patch
metadata:
  labels:
    ran: "true"`
	if diff := cmp.Diff(want, effect(before, changes)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(before.Object, obj.Object); diff != "" {
		t.Errorf("the object was changed: %s", diff)
	}
}

func TestScriptsThatFailSaySo(t *testing.T) {
	t.Parallel()
	const discovery = `return {act = {}}`
	for sentence, c := range map[string]struct {
		scripts action.Scripts
		want    string
	}{
		"a discovery that is no Lua":        {action.Scripts{Discovery: `if`}, "discovery.lua of batch/CronJob: the script is no Lua"},
		"a discovery that loops":            {action.Scripts{Discovery: `while true do end`}, "it may loop"},
		"a discovery without a table":       {action.Scripts{Discovery: `return 1`}, "returned no table"},
		"an action without a definition":    {action.Scripts{Discovery: discovery}, `there is no definition of it`},
		"an action that is no Lua":          {action.Scripts{Discovery: discovery, Actions: map[string]string{"act": `if`}}, `action.lua of the action "act"`},
		"an action that stumbles":           {action.Scripts{Discovery: discovery, Actions: map[string]string{"act": `return obj.a.b`}}, "the script failed"},
		"an action that returns nothing":    {action.Scripts{Discovery: discovery, Actions: map[string]string{"act": `obj.x = 1`}}, "returned nothing"},
		"an action that returns a word":     {action.Scripts{Discovery: discovery, Actions: map[string]string{"act": `return "x"`}}, "returned no table"},
		"an operation that is not known":    {action.Scripts{Discovery: discovery, Actions: map[string]string{"act": `return {{operation = "delete", resource = obj}}`}}, `is "delete"; known are create and patch`},
		"an operation without a resource":   {action.Scripts{Discovery: discovery, Actions: map[string]string{"act": `return {{operation = "patch"}}`}}, "has no resource"},
		"a patch of another object":         {action.Scripts{Discovery: discovery, Actions: map[string]string{"act": `obj.metadata.name = "other" return obj`}}, "only the object of the action can be patched"},
		"the creation of something unnamed": {action.Scripts{Discovery: discovery, Actions: map[string]string{"act": `return {{operation = "create", resource = {kind = "Job"}}}`}}, "without apiVersion, kind or name"},
	} {
		t.Run(sentence, func(t *testing.T) {
			_, err := scripted("batch/CronJob", c.scripts).Run(t.Context(), read(t, cronJob), "act", nil)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
