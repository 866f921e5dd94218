package e2e

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// drifted is the check that an object has drifted, by cause, field and manager;
// "" where there is none.
func drifted(kind, name string, cause v1alpha1.DriftCause, path, manager string) check {
	return func(app *v1alpha1.Application) error {
		d := driftOf(app, kind, name)
		switch {
		case d == nil:
			return fmt.Errorf("%s %s has not drifted: %+v", kind, name, app.Status.Resources)
		case d.Cause != cause:
			return fmt.Errorf("the cause is %s and not %s", d.Cause, cause)
		case path == "" && len(d.Fields) == 0:
			return nil
		case !slices.ContainsFunc(d.Fields, func(f v1alpha1.DriftedField) bool { return f.Path == path && f.Manager == manager }):
			return fmt.Errorf("the fields are %+v, without %s by %s", d.Fields, path, manager)
		}
		return nil
	}
}

// undrifted is the check that an object has not drifted.
func undrifted(kind, name string) check {
	return func(app *v1alpha1.Application) error {
		if d := driftOf(app, kind, name); d != nil {
			return fmt.Errorf("%s %s has drifted: %s", kind, name, d.Message())
		}
		return nil
	}
}

func driftOf(app *v1alpha1.Application, kind, name string) *v1alpha1.ResourceDrift {
	for _, r := range app.Status.Resources {
		if r.Kind == kind && r.Name == name {
			return r.Drift
		}
	}
	return nil
}

// awaitEvent waits for an Event about the Application with a reason and texts.
func (a *application) awaitEvent(t testing.TB, reason string, texts ...string) {
	t.Helper()
	eventually(t, "an Event "+reason+" about "+a.name, func() error {
		events, err := a.kube.CoreV1().Events(a.home).List(t.Context(), metav1.ListOptions{FieldSelector: "involvedObject.name=" + a.name})
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(events.Items, func(e corev1.Event) bool { return e.Reason == reason && containsAll(e.Message, texts) }) {
			return fmt.Errorf("the Events are %v", messagesOf(events.Items))
		}
		return nil
	})
}

func messagesOf(events []corev1.Event) (messages []string) {
	for _, e := range events {
		messages = append(messages, e.Reason+": "+e.Message)
	}
	return messages
}

func TestDriftNamesItsAuthor(t *testing.T) {
	t.Parallel()
	files := map[string]string{"one.yaml": configMapYAML("one", "v", "1"), "web.yaml": deploymentYAML("web", 1, image)}

	t.Run("a changed field, with its manager, in the status, an Event, the metrics and the list", func(t *testing.T) {
		t.Parallel()
		i := install(t)
		p := i.start(t, nil)
		a := i.deploy(t, files, automated)
		a.await(t, synced, healthy)
		a.scale(t, "web", 3)
		app := a.awaitWithin(t, soon, outOfSync, drifted("Deployment", "web", v1alpha1.DriftChanged, ".spec.replicas", "kubectl"), undrifted("ConfigMap", "one"))
		if f := driftOf(app, "Deployment", "web").Fields[0]; f.Subresource != "scale" || f.Ignore != "/spec/replicas" {
			t.Errorf("the field is %+v", f)
		}
		a.awaitEvent(t, "ResourceDrifted", "Deployment "+a.into+"/web", ".spec.replicas by kubectl (Update of scale)")
		eventually(t, "the metrics", func() error {
			metrics, err := p.get(t.Context(), "/metrics")
			if err != nil {
				return err
			}
			if want := fmt.Sprintf(`fairlead_app_drifted_resources{cause="Changed",name=%q,namespace=%q,project="default"} 1`, a.name, a.home); !strings.Contains(metrics, want) {
				return fmt.Errorf("no %s", want)
			}
			return nil
		})
		list, status := i.drift(t, "--exit-code")
		if status != 2 || !containsAll(list, []string{a.name, "Deployment " + a.into + "/web", ".spec.replicas", "kubectl"}) {
			t.Errorf("status %d, list\n%s", status, list)
		}
		var found []struct {
			Application string
			Drift       v1alpha1.ResourceDrift
		}
		if list, _ = i.drift(t, "-o", "json", a.name); json.Unmarshal([]byte(list), &found) != nil || len(found) != 1 || found[0].Drift.Cause != v1alpha1.DriftChanged {
			t.Errorf("the JSON is %s", list)
		}
		a.scale(t, "web", 1)
		a.await(t, synced, undrifted("Deployment", "web"))
		if list, status = i.drift(t, "--exit-code"); status != 0 || list != "nothing has drifted\n" {
			t.Errorf("status %d, list %q", status, list)
		}
	})
	t.Run("a change in Git is none, and what was changed before it stays one", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, files)
		a.await(t, outOfSync, undrifted("ConfigMap", "one"))
		a.mustSync(t, v1alpha1.SyncOperation{})
		a.await(t, synced)
		a.push(t, map[string]string{"one.yaml": configMapYAML("one", "v", "2", "w", "1")})
		a.refresh(t, v1alpha1.RefreshTypeNormal)
		a.await(t, outOfSync, resourceIs("ConfigMap", "one", v1alpha1.SyncStatusCodeOutOfSync), undrifted("ConfigMap", "one"))
		a.patchLive(t, "one", `{"metadata": {"labels": {"team": "b"}}}`)
		a.scale(t, "web", 2)
		a.await(t, drifted("Deployment", "web", v1alpha1.DriftChanged, ".spec.replicas", "kubectl"), undrifted("ConfigMap", "one"))
		a.push(t, map[string]string{"web.yaml": deploymentYAML("web", 1, image) + "  minReadySeconds: 1\n"})
		a.refresh(t, v1alpha1.RefreshTypeNormal)
		app := a.await(t, drifted("Deployment", "web", v1alpha1.DriftChanged, ".spec.replicas", "kubectl"))
		if fields := driftOf(app, "Deployment", "web").Fields; len(fields) != 1 {
			t.Errorf("what Git changed counts as drift: %+v", fields)
		}
		a.mustSync(t, v1alpha1.SyncOperation{})
		a.await(t, synced, undrifted("Deployment", "web"))
	})
	t.Run("deleted and added objects", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, files, automated)
		a.await(t, synced, healthy)
		a.deleteLive(t, "one")
		a.awaitWithin(t, soon, outOfSync, drifted("ConfigMap", "one", v1alpha1.DriftDeleted, "", ""))
		copied := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "copy", Annotations: map[string]string{
			v1alpha1.AnnotationTrackingID: fmt.Sprintf("%s:/ConfigMap:%s/copy", a.name, a.into),
		}}}
		if _, err := a.kube.CoreV1().ConfigMaps(a.into).Create(t.Context(), copied, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		a.awaitWithin(t, soon, drifted("ConfigMap", "copy", v1alpha1.DriftAdded, "", ""))
		a.push(t, map[string]string{"web.yaml": ""})
		a.refresh(t, v1alpha1.RefreshTypeNormal)
		a.await(t, resourceIs("Deployment", "web", v1alpha1.SyncStatusCodeOutOfSync), undrifted("Deployment", "web"))
	})
	t.Run("what happens while nobody looks", func(t *testing.T) {
		t.Parallel()
		i := install(t)
		p := i.start(t, nil)
		a := i.deploy(t, files, automated)
		a.await(t, synced, healthy)
		p.kill(t)
		a.patchLive(t, "one", `{"data": {"v": "by hand"}}`)
		i.start(t, nil)
		app := a.await(t, outOfSync, drifted("ConfigMap", "one", v1alpha1.DriftChanged, ".data.v", "kubectl-patch"), undrifted("Deployment", "web"))
		if f := driftOf(app, "ConfigMap", "one").Fields[0]; f.Time == nil || f.Operation != "Update" {
			t.Errorf("the field is %+v", f)
		}
	})
}

// drift runs `fairlead drift` on the Applications of the installation.
func (i *installation) drift(t testing.TB, args ...string) (output string, status int) {
	t.Helper()
	p, err := run(t.TempDir(), nil, append([]string{"drift", "--kubeconfig", i.kubeconfig, "--namespace", i.namespace}, args...))
	if err != nil {
		t.Fatal(err)
	}
	<-p.exited
	if exit, ok := errors.AsType[*exec.ExitError](p.err); ok {
		status = exit.ExitCode()
	}
	return p.log.String(), status
}

// A webhook that changes what is applied is named, by a difference that says so.
func TestAppliedAndNotKept(t *testing.T) {
	t.Parallel()
	// The second wave waits for the Deployment, so that the first is looked at while the sync still runs.
	a := shared(t).prepare(t, map[string]string{
		"one.yaml": configMapYAML("one", "v", "1"), "web.yaml": deploymentYAML("web", 1, image),
		"two.yaml": annotatedConfigMapYAML("two", v1alpha1.AnnotationSyncWave, "1", "v", "1"),
	})
	a.into = a.cluster.Namespace(t)
	installWebhook(t, a)
	a.create(t)
	a.mustSync(t, v1alpha1.SyncOperation{})
	app := a.await(t, outOfSync, drifted("ConfigMap", "one", v1alpha1.DriftNotKept, ".data.v", "argocd-controller"))
	if f := driftOf(app, "ConfigMap", "one").Fields[0]; f.Ignore != "/data/v" {
		t.Errorf("the rule is %q", f.Ignore)
	}
	a.patch(t, `{"spec": {"ignoreDifferences": [{"kind": "ConfigMap", "jsonPointers": ["/data/v"]}]}}`)
	a.await(t, synced, undrifted("ConfigMap", "one"))
	a.patch(t, `{"spec": {"ignoreDifferences": null}, "metadata": {"annotations": {"argocd.argoproj.io/compare-options": "ServerSideDiff=true"}}}`)
	a.await(t, synced)
	a.patch(t, `{"metadata": {"annotations": {"argocd.argoproj.io/compare-options": "ServerSideDiff=true,IncludeMutationWebhook=true"}}}`)
	a.await(t, synced)
	a.patch(t, `{"metadata": {"annotations": {"argocd.argoproj.io/compare-options": null}}}`)
	a.await(t, outOfSync, drifted("ConfigMap", "one", v1alpha1.DriftNotKept, ".data.v", "argocd-controller"))
	a.push(t, map[string]string{"one.yaml": annotatedConfigMapYAML("one", v1alpha1.AnnotationIgnoreDifferences, "jsonPointers: [/data/v]", "v", "2")})
	a.refresh(t, v1alpha1.RefreshTypeNormal)
	a.mustSync(t, v1alpha1.SyncOperation{})
	a.await(t, synced, noConditions)
	a.push(t, map[string]string{"one.yaml": annotatedConfigMapYAML("one", v1alpha1.AnnotationIgnoreDifferences, "pointers: [/data/v]", "v", "2")})
	a.refresh(t, v1alpha1.RefreshTypeNormal)
	a.await(t, hasCondition(v1alpha1.ApplicationConditionComparisonError, v1alpha1.AnnotationIgnoreDifferences, "configmap/one", "one.yaml"))
}

// installWebhook lets the API server ask a server of the test before it stores
// ConfigMaps of the Application's namespace; it sets the key v.
func installWebhook(t *testing.T, a *application) {
	t.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		review := &admissionv1.AdmissionReview{}
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(review); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		response := &admissionv1.AdmissionResponse{UID: review.Request.UID, Allowed: true}
		if review.Request.Name == "one" {
			kind := admissionv1.PatchTypeJSONPatch
			response.PatchType, response.Patch = &kind, []byte(`[{"op": "add", "path": "/data/v", "value": "of the webhook"}]`)
		}
		review.Request, review.Response = nil, response
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(review); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	none, fail := admissionregistrationv1.SideEffectClassNone, admissionregistrationv1.Fail
	url := server.URL
	config := &admissionregistrationv1.MutatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: a.into},
		Webhooks: []admissionregistrationv1.MutatingWebhook{{
			Name: "set.example.com", SideEffects: &none, FailurePolicy: &fail, AdmissionReviewVersions: []string{"v1"},
			ClientConfig:      admissionregistrationv1.WebhookClientConfig{URL: &url, CABundle: authority},
			NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": a.into}},
			Rules: []admissionregistrationv1.RuleWithOperations{{
				Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create, admissionregistrationv1.Update},
				Rule:       admissionregistrationv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"configmaps"}},
			}},
		}},
	}
	hooks := a.kube.AdmissionregistrationV1().MutatingWebhookConfigurations()
	if _, err := hooks.Create(t.Context(), config, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := hooks.Delete(context.WithoutCancel(t.Context()), config.Name, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	eventually(t, "the webhook to be asked", func() error {
		probe := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "one"}, Data: map[string]string{"v": "x"}}
		made, err := a.kube.CoreV1().ConfigMaps(a.into).Create(t.Context(), probe, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		if err != nil {
			return err
		}
		if made.Data["v"] != "of the webhook" {
			return fmt.Errorf("it was not: %v", made.Data)
		}
		return nil
	})
}

func TestIgnoredDifferences(t *testing.T) {
	t.Parallel()
	files := map[string]string{"one.yaml": configMapYAML("one", "v", "1", "w", "1"), "web.yaml": deploymentYAML("web", 1, image)}
	image := `.spec.template.spec.containers[] | select(.name == "app") | .image`

	t.Run("by rules of the Application", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, files, automated)
		a.await(t, synced, healthy)
		a.scale(t, "web", 2)
		a.await(t, outOfSync)
		a.patch(t, `{"spec": {"ignoreDifferences": [{"group": "apps", "kind": "Deployment", "managedFieldsManagers": ["kubectl"]}]}}`)
		a.await(t, synced, noConditions)
		a.patch(t, fmt.Sprintf(`{"spec": {"ignoreDifferences": [{"group": "apps", "kind": "Deployment", "jsonPointers": ["/spec/replicas"], "jqPathExpressions": [%q]}]}}`, image))
		a.await(t, synced, noConditions)
		a.patch(t, `{"spec": {"ignoreDifferences": [{"group": "apps", "kind": "Deployment", "jqPathExpressions": [".spec["]}]}}`)
		a.await(t, hasCondition(v1alpha1.ApplicationConditionComparisonError, ".spec["))
		a.patch(t, `{"spec": {"ignoreDifferences": null}}`)
		a.await(t, outOfSync, noConditions)
	})
	t.Run("by rules of the installation, changed while it runs", func(t *testing.T) {
		t.Parallel()
		i := install(t)
		i.start(t, nil)
		a := i.deploy(t, files, automated)
		a.await(t, synced, healthy)
		a.scale(t, "web", 2)
		a.await(t, outOfSync)
		i.set(t, map[string]string{"resource.customizations.ignoreDifferences.apps_Deployment": "jsonPointers: [/spec/replicas]"})
		a.await(t, synced)
		i.set(t, map[string]string{"resource.customizations.ignoreDifferences.apps_Deployment": ""})
		a.await(t, outOfSync)
		i.set(t, map[string]string{"resource.customizations.ignoreDifferences.all": "managedFieldsManagers: [kubectl]"})
		a.await(t, synced)
	})
	t.Run("a sync puts them back, unless it respects them", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, files, func(app *v1alpha1.Application) {
			app.Spec.IgnoreDifferences = v1alpha1.IgnoreDifferences{{Kind: "ConfigMap", JSONPointers: []string{"/data/v"}}}
		})
		a.mustSync(t, v1alpha1.SyncOperation{})
		a.patchLive(t, "one", `{"data": {"v": "mine", "w": "mine"}}`)
		a.await(t, outOfSync)
		a.mustSync(t, v1alpha1.SyncOperation{SyncOptions: v1alpha1.SyncOptions{"RespectIgnoreDifferences=true"}})
		a.await(t, synced)
		if data := a.configMap(t, "one").Data; data["v"] != "mine" || data["w"] != "1" {
			t.Errorf("the data is %v", data)
		}
		a.patchLive(t, "one", `{"data": {"w": "mine"}}`)
		a.await(t, outOfSync)
		a.mustSync(t, v1alpha1.SyncOperation{})
		if data := a.configMap(t, "one").Data; data["v"] != "1" || data["w"] != "1" {
			t.Errorf("the data is %v", data)
		}
	})
}

func TestIgnoredUpdatesAreNotLookedAt(t *testing.T) {
	t.Parallel()
	i := install(t)
	p := i.start(t, nil)
	a := i.deploy(t, map[string]string{"one.yaml": configMapYAML("one", "v", "1")}, automated)
	a.await(t, synced)
	i.set(t, map[string]string{"resource.customizations.ignoreResourceUpdates.ConfigMap": "jsonPointers: [/data/heartbeat]"})
	a.patchLive(t, "one", `{"data": {"heartbeat": "first"}}`) // the first one is looked at
	const beats = 30
	before := p.reconciles(t)
	for n := range beats {
		a.patchLive(t, "one", fmt.Sprintf(`{"data": {"heartbeat": "%d"}}`, n))
	}
	a.patchLive(t, "one", `{"data": {"v": "2"}}`)
	a.await(t, outOfSync, drifted("ConfigMap", "one", v1alpha1.DriftChanged, ".data.v", "kubectl-patch"))
	if more := p.reconciles(t) - before; more > beats/2 {
		t.Errorf("it was looked at %d times for %d changes that do not matter", more, beats)
	}
}

// reconciles is how many times the program has looked at an Application.
func (p *program) reconciles(t testing.TB) int {
	t.Helper()
	metrics, err := p.get(t.Context(), "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for line := range strings.Lines(metrics) {
		if strings.HasPrefix(line, "argocd_app_reconcile_count") {
			var n int
			if _, err := fmt.Sscan(line[strings.LastIndexByte(line, ' ')+1:], &n); err != nil {
				t.Fatal(err)
			}
			total += n
		}
	}
	return total
}
