package e2e

import (
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// says checks the health of an object in the status, and that its message has
// all the parts.
func says(kind, name string, word v1alpha1.HealthStatusCode, parts ...string) check {
	return func(app *v1alpha1.Application) error {
		r := resourceOfStatus(app, kind, name)
		if r == nil || r.Health == nil || r.Health.Status != word {
			return fmt.Errorf("%s %s is %+v, want its health to be %s", kind, name, r, word)
		}
		for _, part := range parts {
			if !strings.Contains(r.Health.Message, part) {
				return fmt.Errorf("the health of %s %s says %q, want %q in it", kind, name, r.Health.Message, part)
			}
		}
		return nil
	}
}

// silent checks that an object has no health in the status.
func silent(kind, name string) check {
	return func(app *v1alpha1.Application) error {
		if r := resourceOfStatus(app, kind, name); r == nil || r.Health != nil {
			return fmt.Errorf("%s %s is %+v, want no health", kind, name, r)
		}
		return nil
	}
}

// installPersisting is an installation that keeps the health of resources in
// the status of their Application.
func installPersisting(t testing.TB) *installation {
	t.Helper()
	i := install(t)
	i.start(t, nil, "--persist-resource-health")
	return i
}

func TestAHealthCheckOfTheOperatorTakesEffectAtOnce(t *testing.T) {
	t.Parallel()
	w := newWidgets(t)
	i := installPersisting(t)
	a := i.deploy(t, map[string]string{"crd.yaml": w.definition(), "one.yaml": w.widget("one", "blue")}, automated)
	w.forget(t, a.controlPlane)
	a.await(t, synced, healthy, silent("Widget", "one"))
	key := "resource.customizations.health." + w.group + "_Widget"
	for _, step := range []struct{ script, word, message, why string }{
		{`
hs = {status = "Healthy"}
if obj.spec.color == "blue" then
  hs.status = "Degraded"
  hs.message = "blue is out of fashion"
end
return hs`, "Degraded", "blue is out of fashion", "a new script"},
		{`return {status = "Suspended", message = "waits for " .. obj.metadata.name}`, "Suspended", "waits for one", "a changed script"},
		{`return {status = obj.status.phase.deep}`, "Unknown", "health.lua:1:", "a script that fails"},
		{`while true do end`, "Unknown", "it may loop", "a script that loops"},
		{`if`, "Unknown", "no Lua", "what is no script"},
	} {
		i.set(t, map[string]string{key: step.script})
		a.awaitWithin(t, soon, isHealth(v1alpha1.HealthStatusCode(step.word)), says("Widget", "one", v1alpha1.HealthStatusCode(step.word), step.message))
		t.Log(step.why)
	}
	// A script that loops holds up nobody.
	a.othersSync(t)
	a.patch(t, `{"metadata":{"annotations":{"a":"b"}}}`)
	i.setIn(t, "argocd-cm", map[string]string{key: `return nil`})
	a.awaitWithin(t, soon, healthy, silent("Widget", "one"))
	i.set(t, map[string]string{key: "", "resource.customizations": "'*.example.com/*':\n  health.lua: return {status = \"Progressing\", message = \"by a pattern\"}\n"})
	a.awaitWithin(t, soon, says("Widget", "one", v1alpha1.HealthStatusProgressing, "by a pattern"))
}

func TestAStatusOfAnOlderGenerationIsNotHealthy(t *testing.T) {
	t.Parallel()
	w := newWidgets(t)
	i := installPersisting(t)
	a := i.deploy(t, map[string]string{"crd.yaml": w.definition(), "one.yaml": w.widget("one", "red")}, automated)
	w.forget(t, a.controlPlane)
	a.await(t, synced, healthy, silent("Widget", "one"))
	observe := func(generation int64, status string) {
		t.Helper()
		patch := fmt.Sprintf(`{"status":{"observedGeneration":%d,"conditions":[{"type":"Ready","status":%q,"reason":"Painting","message":"the paint is wet"}]}}`, generation, status)
		_, err := a.dynamic.Resource(w.resource()).Namespace(a.into).Patch(t.Context(), "one", types.MergePatchType, []byte(patch), metav1.PatchOptions{}, "status")
		if err != nil {
			t.Fatal(err)
		}
	}
	observe(1, "False")
	a.awaitWithin(t, soon, isHealth(v1alpha1.HealthStatusProgressing), says("Widget", "one", v1alpha1.HealthStatusProgressing, "the paint is wet"))
	observe(1, "True")
	a.awaitWithin(t, soon, healthy, says("Widget", "one", v1alpha1.HealthStatusHealthy))
	a.push(t, map[string]string{"one.yaml": w.widget("one", "green")})
	a.refresh(t, v1alpha1.RefreshTypeNormal)
	a.awaitWithin(t, soon, synced, isHealth(v1alpha1.HealthStatusProgressing), says("Widget", "one", v1alpha1.HealthStatusProgressing, "not been observed"))
	observe(2, "True")
	a.awaitWithin(t, soon, synced, healthy)
}

func TestTheHealthSaysWhy(t *testing.T) {
	t.Parallel()
	i := installPersisting(t)
	a := i.deploy(t, map[string]string{"web.yaml": deploymentYAML("web", 2, image)}, automated)
	a.await(t, synced, healthy)
	commit := a.push(t, map[string]string{"web.yaml": deploymentYAML("web", 2, brokenImage)})
	a.refresh(t, v1alpha1.RefreshTypeNormal)
	app := a.await(t, synced, says("Deployment", "web", v1alpha1.HealthStatusProgressing,
		"1 of 2 replicas run the new version: image pull error on "+brokenImage+" (ImagePullBackOff)", " since 20", "Z, since commit "+commit[:7]))
	if why := app.Status.Health.Message; !strings.HasPrefix(why, "Deployment web: ") || !strings.Contains(why, brokenImage) {
		t.Errorf("the Application's health says %q", why)
	}
	t.Run("and is written once, not again and again", func(t *testing.T) {
		before := resourceOfStatus(app, "Deployment", "web").Health.Message
		a.refresh(t, v1alpha1.RefreshTypeNormal)
		if after := resourceOfStatus(a.get(t), "Deployment", "web").Health.Message; after != before {
			t.Errorf("the message was %q and is %q", before, after)
		}
	})
	t.Run("and nothing once it is healthy", func(t *testing.T) {
		a.push(t, map[string]string{"web.yaml": deploymentYAML("web", 2, image)})
		a.refresh(t, v1alpha1.RefreshTypeNormal)
		if app := a.await(t, synced, healthy); app.Status.Health.Message != "" {
			t.Errorf("the Application's health says %q", app.Status.Health.Message)
		}
	})
}

func TestAPodThatNoNodeCanTakeSaysWhy(t *testing.T) {
	t.Parallel()
	i := installPersisting(t)
	huge := strings.Replace(deploymentYAML("web", 1, image), "      containers:", "      nodeSelector: {nowhere: \"true\"}\n      containers:", 1)
	a := i.deploy(t, map[string]string{"web.yaml": huge}, automated)
	a.await(t, synced, says("Deployment", "web", v1alpha1.HealthStatusProgressing, "no node can take the pod", "nodes are available"))
}

func TestAnEventSaysWhyWhenNothingElseDoes(t *testing.T) {
	t.Parallel()
	i := installPersisting(t)
	// A service account that does not exist keeps the controller from making pods, which it tells in an event alone.
	set := objectYAML("apps/v1", "StatefulSet", "db", "") + fmt.Sprintf(`spec:
  replicas: 1
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      serviceAccountName: nobody
      containers: [{name: app, image: %q}]
`, image)
	a := i.deploy(t, map[string]string{"db.yaml": set}, automated)
	app := a.await(t, synced, says("StatefulSet", "db", v1alpha1.HealthStatusProgressing, "FailedCreate", "nobody", " since 20"))
	if !strings.Contains(app.Status.Health.Message, "FailedCreate") {
		t.Errorf("the Application's health says %q", app.Status.Health.Message)
	}
}
