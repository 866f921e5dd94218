package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// ask reads what the API says below an Application, as curl does. query is pairs of names and values.
func (p *program) ask(t testing.TB, a *application, path string, into any, query ...string) error {
	t.Helper()
	body, err := get(t.Context(), p.of(t, a, path, query...))
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(body), into)
}

// of is an address below an Application.
func (p *program) of(t testing.TB, a *application, path string, query ...string) string {
	t.Helper()
	v := url.Values{"appNamespace": {a.home}}
	for n := 0; n+1 < len(query); n += 2 {
		v.Set(query[n], query[n+1])
	}
	return "http://" + p.api(t) + "/api/v1/applications/" + a.name + path + "?" + v.Encode()
}

// managed asks for the managed objects, by kind and name.
func (p *program) managed(t testing.TB, a *application, query ...string) map[string]v1alpha1.ResourceDiff {
	t.Helper()
	var answer struct{ Items []v1alpha1.ResourceDiff }
	if err := p.ask(t, a, "/managed-resources", &answer, query...); err != nil {
		t.Fatal(err)
	}
	out := make(map[string]v1alpha1.ResourceDiff)
	for _, item := range answer.Items {
		out[item.Kind+" "+item.Name] = item
	}
	return out
}

// at reads a value out of an object in JSON.
func at(t testing.TB, text string, path ...string) any {
	t.Helper()
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	for _, step := range path {
		fields, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = fields[step]
	}
	return value
}

func TestManagedResourcesAreShownSideBySide(t *testing.T) {
	t.Parallel()
	i := shared(t)
	p := common.program
	secret := objectYAML("v1", "Secret", "password", "") + "stringData: {same: constant, other: from-git}\n"
	a := i.deploy(t, map[string]string{
		"web.yaml": deploymentYAML("web", 1, image), "secret.yaml": secret, "map.yaml": configMapYAML("settings", "k", "v"), "hook.yaml": hookYAML("migrate", "exit 0", preSync),
		"old.yaml": configMapYAML("old"),
	}, automated)
	a.await(t, synced, healthy)
	for name, item := range p.managed(t, a) {
		if item.Modified || !item.Hook && item.NormalizedLiveState != item.PredictedLiveState {
			t.Errorf("right after a sync %s differs: %s, %s", name, item.NormalizedLiveState, item.PredictedLiveState)
		}
	}

	// Somebody changes things by hand, and Git changes too.
	a.patch(t, `{"spec": {"syncPolicy": {"automated": null}}}`)
	a.scale(t, "web", 3)
	if _, err := i.kube.CoreV1().Secrets(a.into).Patch(t.Context(), "password", types.MergePatchType,
		[]byte(`{"stringData": {"other": "by-hand"}}`), metav1.PatchOptions{FieldManager: "kubectl-edit"}); err != nil {
		t.Fatal(err)
	}
	a.push(t, map[string]string{"new.yaml": configMapYAML("new"), "-old.yaml": ""})
	a.refresh(t, v1alpha1.RefreshTypeNormal)
	a.await(t, outOfSync, func(app *v1alpha1.Application) error {
		if r := resourceOfStatus(app, "ConfigMap", "old"); r == nil || !r.RequiresPruning {
			return fmt.Errorf("the new commit is not compared")
		}
		return nil
	})
	found := p.managed(t, a)
	t.Run("a drifted object", func(t *testing.T) {
		web := found["Deployment web"]
		if !web.Modified || web.ResourceVersion == "" || at(t, web.LiveState, "spec", "replicas") != 3.0 || at(t, web.NormalizedLiveState, "spec", "replicas") != 3.0 ||
			at(t, web.PredictedLiveState, "spec", "replicas") != 1.0 || at(t, web.TargetState, "spec", "replicas") != 1.0 {
			t.Errorf("%+v", web)
		}
		if at(t, web.LiveState, "status", "replicas") == nil || at(t, web.NormalizedLiveState, "status") != nil {
			t.Errorf("the status is in %+v", web)
		}
	})
	t.Run("a Secret without its values", func(t *testing.T) {
		s := found["Secret password"]
		if all := s.LiveState + s.TargetState + s.NormalizedLiveState + s.PredictedLiveState; !s.Modified || strings.Contains(all, "Y29uc3RhbnQ=") || strings.Contains(all, "constant") || strings.Contains(all, "ZnJvbS1naXQ=") {
			t.Errorf("%+v", s)
		}
		if at(t, s.LiveState, "data", "same") != at(t, s.TargetState, "data", "same") || at(t, s.LiveState, "data", "other") == at(t, s.TargetState, "data", "other") {
			t.Errorf("it does not show what differs: %+v", s)
		}
	})
	t.Run("what is on one side only", func(t *testing.T) {
		if n := found["ConfigMap new"]; n.LiveState != "null" || n.NormalizedLiveState != "null" || !n.Modified || at(t, n.PredictedLiveState, "metadata", "name") != "new" {
			t.Errorf("the new one: %+v", n)
		}
		if o := found["ConfigMap old"]; o.TargetState != "null" || o.PredictedLiveState != "null" || at(t, o.LiveState, "metadata", "name") != "old" {
			t.Errorf("the old one: %+v", o)
		}
		if m := found["ConfigMap settings"]; m.Modified || m.NormalizedLiveState != m.PredictedLiveState {
			t.Errorf("the one that is equal: %+v", m)
		}
		if h := found["Job migrate"]; !h.Hook || at(t, h.TargetState, "metadata", "name") != "migrate" {
			t.Errorf("the hook: %+v", h)
		}
	})
	t.Run("those that are asked for", func(t *testing.T) {
		if one := p.managed(t, a, "kind", "Deployment", "group", "apps", "name", "web", "namespace", a.into); len(one) != 1 || one["Deployment web"].Name == "" {
			t.Errorf("got %v", one)
		}
	})
}

func TestOneLiveObjectIsShown(t *testing.T) {
	t.Parallel()
	i := shared(t)
	p := common.program
	secret := objectYAML("v1", "Secret", "password", "") + "stringData: {key: concealed}\n"
	a := i.deploy(t, map[string]string{"web.yaml": deploymentYAML("web", 1, image), "secret.yaml": secret}, automated)
	a.await(t, settled...)
	// Another object in the same namespace, and a status that claims it.
	if _, err := i.kube.CoreV1().Secrets(a.into).Create(t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "foreign"}, StringData: map[string]string{"key": "foreign"}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	pod := a.pods(t)[0].Name
	for sentence, c := range map[string]struct {
		query []string
		holds string
		err   string
	}{
		"a managed object":           {query: []string{"kind", "Deployment", "group", "apps", "version", "v1", "resourceName", "web"}, holds: `"replicas":1`},
		"an object that it made":     {query: []string{"kind", "Pod", "version", "v1", "resourceName", pod}, holds: `"kind":"Pod"`},
		"a Secret":                   {query: []string{"kind", "Secret", "version", "v1", "resourceName", "password"}, holds: `"key":"++++++++"`},
		"an object of somebody else": {query: []string{"kind", "Secret", "version", "v1", "resourceName", "foreign"}, err: "not found as part of the application"},
		"an object of the cluster":   {query: []string{"kind", "Namespace", "version", "v1", "resourceName", a.into}, err: "not found as part of the application"},
		"a Secret by another kind":   {query: []string{"kind", "ConfigMap", "version", "v1", "resourceName", "password"}, err: "400"},
	} {
		t.Run(sentence, func(t *testing.T) {
			var answer struct{ Manifest string }
			err := p.ask(t, a, "/resource", &answer, append(c.query, "namespace", a.into)...)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("the answer is %s, %v", answer.Manifest, err)
				}
				return
			}
			if err != nil || !strings.Contains(answer.Manifest, c.holds) || strings.Contains(answer.Manifest, "Y29uY2VhbGVk") {
				t.Errorf("the answer is %s, %v", answer.Manifest, err)
			}
		})
	}
	t.Run("not what a status claims that somebody else wrote", func(t *testing.T) {
		// An Application that is not reconciled, so that its status stays as it was forged.
		forger := i.prepare(t, map[string]string{"a.yaml": configMapYAML("a")})
		forger.name += "-forger"
		forger.into = a.into
		forger.create(t, func(app *v1alpha1.Application) {
			app.Annotations = map[string]string{v1alpha1.AnnotationSkipReconcile: "true"}
			app.Status.Resources = []v1alpha1.ResourceStatus{{Version: "v1", Kind: "Secret", Namespace: a.into, Name: "foreign"}, {Version: "v1", Kind: "Pod", Namespace: a.into, Name: pod}}
		})
		var answer any
		eventually(t, "the answer", func() error {
			err := p.ask(t, forger, "/resource", &answer, "kind", "Secret", "version", "v1", "resourceName", "foreign", "namespace", a.into)
			if err == nil || !strings.Contains(err.Error(), "not found as part") {
				return fmt.Errorf("it is %v, %w", answer, err)
			}
			return nil
		})
		tree, err := p.tree(t, forger)
		if err != nil || slices.ContainsFunc(tree.Nodes, func(n v1alpha1.ResourceNode) bool { return n.UID != "" }) {
			t.Errorf("the tree is %s, %v", mustJSON(t, tree), err)
		}
	})
}

// pods are the pods in the namespace of the destination.
func (a *application) pods(t testing.TB) []corev1.Pod {
	t.Helper()
	list, err := a.kube.CoreV1().Pods(a.into).List(t.Context(), metav1.ListOptions{})
	if err != nil || len(list.Items) == 0 {
		t.Fatalf("no pods: %v", err)
	}
	return list.Items
}

func TestEventsAreShown(t *testing.T) {
	t.Parallel()
	i := shared(t)
	p := common.program
	a := i.deploy(t, map[string]string{"web.yaml": deploymentYAML("web", 1, image)}, automated)
	a.await(t, settled...)
	read := func(want string, query ...string) func() error {
		return func() error {
			list := &corev1.EventList{}
			if err := p.ask(t, a, "/events", list, query...); err != nil {
				return err
			}
			for _, e := range list.Items {
				if e.Reason == want {
					return nil
				}
			}
			return fmt.Errorf("there are %d others", len(list.Items))
		}
	}
	eventually(t, "an Event about the Application", read("OperationCompleted"))
	web := a.deployment(t, "web")
	eventually(t, "an Event about an object", read("ScalingReplicaSet", "resourceUID", string(web.UID), "resourceNamespace", a.into, "resourceName", "web"))
	for sentence, query := range map[string][]string{
		"an object of somebody else":  {"resourceUID", string(a.namespaceUID(t)), "resourceName", a.into},
		"a uid that is not its own":   {"resourceUID", string(web.UID), "resourceNamespace", a.into, "resourceName", "other"},
		"an object that there is not": {"resourceUID", "none", "resourceNamespace", a.into, "resourceName", "web"},
	} {
		if err := read("", query...)(); err == nil || !strings.Contains(err.Error(), "400") {
			t.Errorf("%s: %v", sentence, err)
		}
	}
}

func (a *application) namespaceUID(t testing.TB) types.UID {
	t.Helper()
	found, err := a.kube.CoreV1().Namespaces().Get(t.Context(), a.into, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return found.UID
}

const cronJobYAML = `apiVersion: batch/v1
kind: CronJob
metadata: {name: report}
spec:
  schedule: "0 0 1 1 *"
  suspend: true
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers: [{name: run, image: registry.example.com/app:1.0, command: [sh, -c, "true"]}]
`

func TestActionsAreListedAndRun(t *testing.T) {
	t.Parallel()
	i := shared(t)
	p := common.program
	limited := everything()
	limited.NamespaceResourceBlacklist = []metav1.GroupKind{{Group: "batch", Kind: "Job"}}
	a := i.deploy(t, map[string]string{"web.yaml": deploymentYAML("web", 1, image), "cron.yaml": cronJobYAML}, automated, inProject(i.project(t, limited)))
	a.await(t, synced, healthy)
	deployment := []string{"kind", "Deployment", "group", "apps", "version", "v1", "namespace", a.into, "resourceName", "web"}
	var offered struct{ Actions []v1alpha1.ResourceAction }
	if err := p.ask(t, a, "/resource/actions", &offered, deployment...); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"restart", "scale", "pause", "resume"} {
		if !slices.ContainsFunc(offered.Actions, func(o v1alpha1.ResourceAction) bool { return o.Name == want }) {
			t.Errorf("%s is not offered: %+v", want, offered.Actions)
		}
	}
	v2 := func(group, kind, name, action string, params ...map[string]string) ([]byte, int) {
		return post(t, p.of(t, a, "/resource/actions/v2"), "", string(mustJSON(t, map[string]any{
			"namespace": a.into, "resourceName": name, "version": "v1", "group": group, "kind": kind, "action": action,
			"appNamespace": a.home, "resourceActionParameters": params,
		})))
	}
	t.Run("in the old form", func(t *testing.T) {
		if answer, status := post(t, p.of(t, a, "/resource/actions", deployment...), "", `"restart"`); status != http.StatusOK || string(answer) != "{}" {
			t.Fatalf("%d %s", status, answer)
		}
		if a.deployment(t, "web").Spec.Template.Annotations["kubectl.kubernetes.io/restartedAt"] == "" {
			t.Error("the Deployment was not restarted")
		}
	})
	t.Run("with parameters", func(t *testing.T) {
		if answer, status := v2("apps", "Deployment", "web", "scale", map[string]string{"name": "replicas", "value": "2"}); status != http.StatusOK {
			t.Fatalf("%d %s", status, answer)
		}
		if replicas := *a.deployment(t, "web").Spec.Replicas; replicas != 2 {
			t.Errorf("it has %d replicas", replicas)
		}
	})
	t.Run("told of in an Event", func(t *testing.T) {
		eventually(t, "the Event", func() error {
			body, err := get(t.Context(), p.of(t, a, "/events"))
			if err != nil || !strings.Contains(body, "Unknown user ran action restart on resource apps/Deployment/web") {
				return fmt.Errorf("it is not there: %w", err)
			}
			return nil
		})
	})
	for sentence, c := range map[string]struct {
		group, kind, name, action, want string
	}{
		"an action that there is not":               {"apps", "Deployment", "web", "explode", "offers no action"},
		"an object of somebody else":                {"", "ConfigMap", "kube-root-ca.crt", "restart", "not found as part"},
		"what makes an object that is refused":      {"batch", "CronJob", "report", "create-job", "would make job.batch"},
		"what makes no sense in the object's state": {"batch", "CronJob", "report", "suspend", "makes no sense"},
	} {
		t.Run("not "+sentence, func(t *testing.T) {
			if answer, status := v2(c.group, c.kind, c.name, c.action); status != http.StatusBadRequest || !strings.Contains(string(answer), c.want) {
				t.Errorf("%d %s", status, answer)
			}
		})
	}
	if list, err := i.kube.BatchV1().Jobs(a.into).List(t.Context(), metav1.ListOptions{}); err != nil || len(list.Items) != 0 {
		t.Errorf("there are %d Jobs, %v", len(list.Items), err)
	}
}
