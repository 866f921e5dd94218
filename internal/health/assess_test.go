package health_test

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/fairlead-cd/fairlead/internal/health"
)

func read(t testing.TB, text string) *unstructured.Unstructured {
	t.Helper()
	obj := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &obj.Object); err != nil {
		t.Fatalf("fixture: %v", err)
	}
	return obj
}

type want struct {
	object  string
	status  health.Status
	message string
}

func check(t *testing.T, cases map[string]want) {
	t.Helper()
	for sentence, c := range cases {
		t.Run(sentence, func(t *testing.T) {
			got, ok := health.Assess(read(t, c.object))
			if !ok {
				t.Fatal("not assessed")
			}
			if got.Status != c.status || got.Message != c.message {
				t.Errorf("got  %s %q\nwant %s %q", got.Status, got.Message, c.status, c.message)
			}
		})
	}
}

func TestDeletion(t *testing.T) {
	check(t, map[string]want{
		"an object being deleted is progressing, whatever its kind": {`
apiVersion: v1
kind: ConfigMap
metadata: {name: a, deletionTimestamp: "2026-01-01T00:00:00Z"}`,
			health.Progressing, "Pending deletion"},
		"the finalizers that hold it are named": {`
apiVersion: apps/v1
kind: Deployment
metadata: {name: a, deletionTimestamp: "2026-01-01T00:00:00Z", finalizers: [example.com/a, example.com/b]}`,
			health.Progressing, "Pending deletion: waits for finalizers example.com/a, example.com/b"},
		"an object held by the hook finalizer is judged as if it stayed": {`
apiVersion: batch/v1
kind: Job
metadata: {name: a, deletionTimestamp: "2026-01-01T00:00:00Z", finalizers: [argocd.argoproj.io/hook-finalizer]}
status: {conditions: [{type: Complete, status: "True"}]}`,
			health.Healthy, ""},
	})
}

func TestKindsWithoutHealth(t *testing.T) {
	for sentence, object := range map[string]string{
		"a ConfigMap has no health":              `{apiVersion: v1, kind: ConfigMap}`,
		"an Application has no health":           `{apiVersion: argoproj.io/v1alpha1, kind: Application, status: {health: {status: Degraded}}}`,
		"a Deployment of a foreign group has no": `{apiVersion: example.com/v1, kind: Deployment}`,
		"an object without kind has no":          `{metadata: {name: a}}`,
		"an empty object has no":                 `{}`,
	} {
		t.Run(sentence, func(t *testing.T) {
			if got, ok := health.Assess(read(t, object)); ok {
				t.Errorf("assessed as %v", got)
			}
		})
	}
	if _, ok := health.Assess(nil); ok {
		t.Error("nil was assessed")
	}
}

func TestOrder(t *testing.T) {
	order := []health.Status{health.Healthy, health.Suspended, health.Progressing, health.Missing, health.Degraded, health.Unknown}
	for i, a := range order {
		for j, b := range order {
			if health.Worse(a, b) != (i > j) {
				t.Errorf("Worse(%s, %s) = %v", a, b, health.Worse(a, b))
			}
		}
	}
	if got := health.Worst(); got != health.Healthy {
		t.Errorf("worst of nothing is %s", got)
	}
	if got := health.Worst(health.Progressing, health.Degraded, health.Missing); got != health.Degraded {
		t.Errorf("worst is %s", got)
	}
	if got := health.Worst("Fine"); got != health.Healthy {
		t.Errorf("a foreign word counts as %s", got)
	}
}

func TestOverall(t *testing.T) {
	here := func(s health.Status) health.Part { return health.Part{Status: s, Exists: true} }
	gone := health.Part{Status: health.Missing}
	for sentence, c := range map[string]struct {
		parts []health.Part
		want  health.Status
	}{
		"nothing is healthy":                                        {nil, health.Healthy},
		"objects without health do not count":                       {[]health.Part{here(""), here("")}, health.Healthy},
		"the worst object decides":                                  {[]health.Part{here(health.Progressing), here(health.Degraded), here(health.Healthy)}, health.Degraded},
		"an application of which nothing exists is missing":         {[]health.Part{gone, gone}, health.Missing},
		"one missing object among others does not count":            {[]health.Part{gone, here(health.Healthy)}, health.Healthy},
		"a check that says missing about an existing object counts": {[]health.Part{here(health.Missing), here(health.Healthy)}, health.Missing},
		"an object that asks to be ignored does not count":          {[]health.Part{{Status: health.Degraded, Exists: true, Ignored: true}, here(health.Healthy)}, health.Healthy},
	} {
		t.Run(sentence, func(t *testing.T) {
			if got := health.Overall(c.parts); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestIgnored(t *testing.T) {
	if !health.IgnoredInApplication(read(t, `{metadata: {annotations: {argocd.argoproj.io/ignore-healthcheck: "true"}}}`)) {
		t.Error("the annotation is not seen")
	}
	if health.IgnoredInApplication(read(t, `{metadata: {annotations: {argocd.argoproj.io/ignore-healthcheck: "yes"}}}`)) {
		t.Error("another value than true counts")
	}
}
