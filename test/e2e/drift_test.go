package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

func TestDrift(t *testing.T) {
	t.Parallel()
	selfHealing := automatedWith(v1alpha1.SyncPolicyAutomated{SelfHeal: new(true)})
	files := map[string]string{"one.yaml": configMapYAML("one", "v", "1"), "web.yaml": deploymentYAML("web", 1, image)}

	t.Run("a scaled Deployment is OutOfSync at once, and stays so without selfHeal", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, files, automated)
		app := a.await(t, synced, healthy)
		syncs := len(app.Status.History)
		a.scale(t, "web", 3)
		a.awaitWithin(t, soon, outOfSync, resourceIs("Deployment", "web", v1alpha1.SyncStatusCodeOutOfSync),
			resourceIs("ConfigMap", "one", v1alpha1.SyncStatusCodeSynced))
		a.refresh(t, v1alpha1.RefreshTypeHard)
		if app = a.await(t, outOfSync); len(app.Status.History) != syncs {
			t.Errorf("it was synced: %+v", app.Status.History)
		}
		a.awaitReplicas(t, "web", 3)
		a.scale(t, "web", 1)
		a.awaitWithin(t, soon, synced)
	})
	t.Run("a scaled Deployment is put back with selfHeal, and nothing else is written", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, files, selfHealing)
		app := a.await(t, synced, healthy)
		version := a.configMap(t, "one").ResourceVersion
		generation := a.deployment(t, "web").Generation
		a.scale(t, "web", 3)
		eventually(t, "the Deployment web", func() error {
			if web := a.deployment(t, "web"); *web.Spec.Replicas != 1 || web.Generation < generation+2 {
				return fmt.Errorf("it asks for %d pods, generation %d", *web.Spec.Replicas, web.Generation)
			}
			return nil
		})
		healed := a.await(t, synced, healthy, noConditions, operationIs(v1alpha1.OperationSucceeded))
		if got := a.configMap(t, "one").ResourceVersion; got != version {
			t.Errorf("the ConfigMap was written: version %s, before %s", got, version)
		}
		sync := healed.Status.OperationState.Operation.Sync
		if len(sync.Resources) != 1 || sync.Resources[0].Kind != "Deployment" || healed.Status.Sync.Revision != app.Status.Sync.Revision {
			t.Errorf("it synced %+v at %s", sync.Resources, healed.Status.Sync.Revision)
		}
	})
	t.Run("selfHeal goes on when somebody insists", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, files, selfHealing)
		a.await(t, synced, healthy)
		for range 2 {
			a.scale(t, "web", 3)
			a.awaitReplicas(t, "web", 1)
		}
		a.await(t, synced)
	})
	t.Run("switching selfHeal on puts back what differs already", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, files, automated)
		a.await(t, synced, healthy)
		a.scale(t, "web", 2)
		a.awaitWithin(t, soon, outOfSync)
		a.patch(t, `{"spec": {"syncPolicy": {"automated": {"selfHeal": true}}}}`)
		a.awaitReplicas(t, "web", 1)
		a.await(t, synced)
	})
	t.Run("a deleted object is missing, and made anew with selfHeal", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, files, automated)
		a.await(t, synced, healthy)
		a.deleteLive(t, "one")
		a.awaitWithin(t, soon, outOfSync, resourceIs("ConfigMap", "one", v1alpha1.SyncStatusCodeOutOfSync))
		a.patch(t, `{"spec": {"syncPolicy": {"automated": {"selfHeal": true}}}}`)
		a.awaitData(t, "one", "v", "1")
		a.await(t, synced)
		a.deleteLive(t, "one")
		a.awaitData(t, "one", "v", "1")
		a.await(t, synced)
	})
	t.Run("a manual sync puts it back, too", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, files)
		a.mustSync(t, v1alpha1.SyncOperation{})
		a.patchLive(t, "one", `{"data": {"v": "2"}}`)
		a.awaitWithin(t, soon, outOfSync)
		a.mustSync(t, v1alpha1.SyncOperation{})
		a.awaitData(t, "one", "v", "1")
		a.await(t, synced)
	})
	t.Run("what Git does not state belongs to others", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, files, selfHealing)
		a.await(t, synced, healthy)
		a.patchLive(t, "one", `{"data": {"added": "by hand"}, "metadata": {"labels": {"owner": "somebody"}}}`)
		a.refresh(t, v1alpha1.RefreshTypeHard)
		a.await(t, synced, noConditions)
		a.push(t, map[string]string{"one.yaml": configMapYAML("one", "v", "2")})
		a.refresh(t, v1alpha1.RefreshTypeNormal)
		a.awaitData(t, "one", "v", "2")
		a.await(t, synced)
		if one := a.configMap(t, "one"); one.Data["added"] != "by hand" || one.Labels["owner"] != "somebody" {
			t.Errorf("what others wrote is gone: %v, %v", one.Data, one.Labels)
		}
	})
}

func TestWhatIsRemovedFromAManifestIsRemovedLive(t *testing.T) {
	t.Parallel()
	const before = `apiVersion: v1
kind: Service
metadata:
  name: web
  labels: {keep: "1", drop: "1"}
  annotations: {example.com/drop: "1"}
spec:
  selector: {app: web}
  sessionAffinity: ClientIP
  ports:
  - {name: http, port: 80}
  - {name: admin, port: 81}
`
	const after = `apiVersion: v1
kind: Service
metadata:
  name: web
  labels: {keep: "1"}
spec:
  selector: {app: web}
  ports:
  - {name: http, port: 80}
`
	a := shared(t).deploy(t, map[string]string{
		"web.yaml": before, "one.yaml": configMapYAML("one", "keep", "1", "drop", "1"),
	}, automated)
	a.await(t, synced)
	live := func() *corev1.Service {
		service, err := a.kube.CoreV1().Services(a.into).Get(t.Context(), "web", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return service
	}
	if got := live(); len(got.Spec.Ports) != 2 || got.Labels["drop"] != "1" || got.Spec.SessionAffinity != corev1.ServiceAffinityClientIP {
		t.Fatalf("the Service is %+v", got)
	}
	a.push(t, map[string]string{"web.yaml": after, "one.yaml": configMapYAML("one", "keep", "1")})
	a.refresh(t, v1alpha1.RefreshTypeNormal)
	app := a.await(t, syncedTo(a.head(t)), noConditions, operationIs(v1alpha1.OperationSucceeded))
	got := live()
	_, label := got.Labels["drop"]
	_, annotation := got.Annotations["example.com/drop"]
	if label || annotation || got.Labels["keep"] != "1" || len(got.Spec.Ports) != 1 || got.Spec.SessionAffinity != corev1.ServiceAffinityNone {
		t.Errorf("the Service is %s (%s)", mustJSON(t, got), summaryOf(app))
	}
	if data := a.configMap(t, "one").Data; len(data) != 1 || data["keep"] != "1" {
		t.Errorf("the ConfigMap holds %v", data)
	}
}

func TestObjectsThatClientSideApplyMadeAreTakenOver(t *testing.T) {
	t.Parallel()
	a := shared(t).prepare(t, map[string]string{"one.yaml": configMapYAML("one", "keep", "1")})
	a.into = a.cluster.Namespace(t)
	last := `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"annotations":{},"name":"one"},"data":{"keep":"1","drop":"1"}}`
	_, err := a.kube.CoreV1().ConfigMaps(a.into).Create(t.Context(), &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "one", Annotations: map[string]string{corev1.LastAppliedConfigAnnotation: last}},
		Data:       map[string]string{"keep": "1", "drop": "1"},
	}, metav1.CreateOptions{FieldManager: "kubectl-client-side-apply"})
	if err != nil {
		t.Fatal(err)
	}
	a.create(t, automated)
	a.await(t, synced, noConditions, operationIs(v1alpha1.OperationSucceeded))
	if data := a.configMap(t, "one").Data; len(data) != 1 || data["keep"] != "1" {
		t.Errorf("the ConfigMap holds %v", data)
	}
}

// deleteLive deletes a live ConfigMap by hand.
func (a *application) deleteLive(t testing.TB, name string) {
	t.Helper()
	uid := a.configMap(t, name).UID
	if err := a.kube.CoreV1().ConfigMaps(a.into).Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the deletion of "+name, func() error {
		found, err := a.kube.CoreV1().ConfigMaps(a.into).Get(t.Context(), name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) || err == nil && found.UID != uid {
			return nil
		}
		return errors.Join(errors.New("it is there"), err)
	})
}

// patchLive patches a live ConfigMap by hand.
func (a *application) patchLive(t testing.TB, name, patch string) {
	t.Helper()
	if !json.Valid([]byte(patch)) {
		t.Fatalf("the patch is no JSON: %s", patch)
	}
	_, err := a.kube.CoreV1().ConfigMaps(a.into).Patch(t.Context(), name, types.MergePatchType, []byte(patch),
		metav1.PatchOptions{FieldManager: "kubectl-patch"})
	if err != nil {
		t.Fatal(err)
	}
}
