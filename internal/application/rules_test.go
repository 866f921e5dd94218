package application

import (
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

func TestRetryDelayBacksOff(t *testing.T) {
	factor := int64(3)
	for name, test := range map[string]struct {
		backoff *v1alpha1.Backoff
		attempt int64
		want    time.Duration
	}{
		"first, by default":     {nil, 1, 5 * time.Second},
		"third, by default":     {nil, 3, 20 * time.Second},
		"never beyond the most": {nil, 1000, 3 * time.Minute},
		"as the policy says":    {&v1alpha1.Backoff{Duration: "2s", Factor: &factor, MaxDuration: "10s"}, 2, 6 * time.Second},
		"limited by the policy": {&v1alpha1.Backoff{Duration: "2s", Factor: &factor, MaxDuration: "10s"}, 9, 10 * time.Second},
		"plain seconds":         {&v1alpha1.Backoff{Duration: "7"}, 1, 7 * time.Second},
		"a malformed duration":  {&v1alpha1.Backoff{Duration: "soon"}, 1, 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			if got := retryDelay(test.backoff, test.attempt); got != test.want {
				t.Errorf("delay %s, want %s", got, test.want)
			}
		})
	}
}

func TestSelfHealDelayBacksOff(t *testing.T) {
	for attempts, want := range map[int64]time.Duration{0: 0, 1: 2 * time.Second, 2: 6 * time.Second, 3: 18 * time.Second, 50: 5 * time.Minute} {
		if got := DefaultSelfHealBackoff.delay(attempts); got != want {
			t.Errorf("delay after %d attempts is %s, want %s", attempts, got, want)
		}
	}
}

func TestNamespacesAllowTheirOwnAndPatterns(t *testing.T) {
	namespaces, err := NewNamespaces("argocd", []string{"team-*", " apps", "", "/^dev-[0-9]+$/"})
	if err != nil {
		t.Fatal(err)
	}
	for namespace, want := range map[string]bool{"argocd": true, "team-a": true, "apps": true, "apps-2": false, "default": false, "dev-7": true, "dev-x": false, "": false} {
		if got := namespaces.Allows(namespace); got != want {
			t.Errorf("allows %q: %v, want %v", namespace, got, want)
		}
	}
	for _, malformed := range []string{"[oops", "/(oops/"} {
		if _, err := NewNamespaces("argocd", []string{malformed}); err == nil {
			t.Errorf("the malformed pattern %s was accepted", malformed)
		}
	}
}

func TestNeedsReconcileTellsPeopleFromTheController(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*v1alpha1.Application)
		want   bool
	}{
		"nothing":               {func(*v1alpha1.Application) {}, false},
		"the status":            {func(a *v1alpha1.Application) { a.Status.Sync.Status = "Synced" }, false},
		"a label":               {func(a *v1alpha1.Application) { a.Labels = map[string]string{"a": "b"} }, false},
		"the specification":     {func(a *v1alpha1.Application) { a.Spec.Project = "other" }, true},
		"a requested operation": {func(a *v1alpha1.Application) { a.Operation = &v1alpha1.Operation{} }, true},
		"a refresh": {func(a *v1alpha1.Application) {
			a.Annotations = map[string]string{v1alpha1.AnnotationRefresh: "normal"}
		}, true},
		"a termination": {func(a *v1alpha1.Application) {
			a.Status.OperationState = &v1alpha1.OperationState{Phase: v1alpha1.OperationTerminating}
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			old := &v1alpha1.Application{}
			changed := old.DeepCopy()
			test.change(changed)
			if got := needsReconcile(old, changed); got != test.want {
				t.Errorf("needs a reconcile: %v, want %v", got, test.want)
			}
		})
	}
}

func TestSummaryReadsImagesAndAddresses(t *testing.T) {
	deployment := parseObject(t, `
apiVersion: apps/v1
kind: Deployment
metadata: {name: a, annotations: {link.argocd.argoproj.io/dashboard: "https://127.0.0.1/d"}}
spec: {template: {spec: {initContainers: [{name: i, image: init:1}], containers: [{name: a, image: app:1}, {name: b}]}}}`)
	if got, want := imagesOf(deployment), []string{"init:1", "app:1"}; !slices.Equal(got, want) {
		t.Errorf("images %q, want %q", got, want)
	}
	if got, want := urlsOf(deployment), []string{"https://127.0.0.1/d"}; !slices.Equal(got, want) {
		t.Errorf("addresses %q, want %q", got, want)
	}
	cron := parseObject(t, `{apiVersion: batch/v1, kind: CronJob, spec: {jobTemplate: {spec: {template: {spec: {containers: [{image: cron:1}]}}}}}}`)
	if got, want := imagesOf(cron), []string{"cron:1"}; !slices.Equal(got, want) {
		t.Errorf("images %q, want %q", got, want)
	}
	ingress := parseObject(t, `
apiVersion: networking.k8s.io/v1
kind: Ingress
spec:
  tls: [{hosts: [a.example.com]}]
  rules:
  - {host: a.example.com, http: {paths: [{path: /x}]}}
  - {host: b.example.com, http: {paths: [{path: /y*}]}}
  - {http: {paths: [{path: /z}]}}`)
	if got, want := urlsOf(ingress), []string{"http://b.example.com/y", "https://a.example.com/x"}; !slices.Equal(got, want) {
		t.Errorf("addresses %q, want %q", got, want)
	}
	odd := parseObject(t, `{apiVersion: v1, kind: Ingress, spec: {template: 3, containers: {}, rules: [7], tls: x}}`)
	if images, urls := imagesOf(odd), urlsOf(odd); len(images)+len(urls) != 0 {
		t.Errorf("read %q and %q from an object of odd shape", images, urls)
	}
}

func TestSecretStringsBecomeData(t *testing.T) {
	secret := parseObject(t, `{apiVersion: v1, kind: Secret, data: {kept: eA==, replaced: eA==}, stringData: {replaced: new, added: "1"}}`)
	if err := secretDataFromStrings(secret); err != nil {
		t.Fatal(err)
	}
	got, _, _ := unstructured.NestedStringMap(secret.Object, "data")
	if got["kept"] != "eA==" || got["replaced"] != "bmV3" || got["added"] != "MQ==" || len(got) != 3 {
		t.Errorf("data %v", got)
	}
	if _, found := secret.Object["stringData"]; found {
		t.Error("stringData stayed")
	}
	if err := secretDataFromStrings(parseObject(t, `{apiVersion: v1, kind: Secret, stringData: {port: 8080}}`)); err == nil {
		t.Error("a number in stringData was accepted")
	}
}

func parseObject(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	obj := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &obj.Object); err != nil {
		t.Fatal(err)
	}
	return obj
}
