package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

func TestAKindBecomesHealthy(t *testing.T) {
	t.Parallel()
	pod := func(image string) string {
		return fmt.Sprintf("    spec:\n      terminationGracePeriodSeconds: 0\n      containers: [{name: app, image: %q}]\n", image)
	}
	template := "  selector: {matchLabels: {app: it}}\n  template:\n    metadata: {labels: {app: it}}\n" + pod(image)
	for kind, manifest := range map[string]string{
		"Deployment": deploymentYAML("it", 2, image),
		"StatefulSet": objectYAML("apps/v1", "StatefulSet", "it", "") + "spec:\n  replicas: 2\n  serviceName: it\n" + template +
			"  volumeClaimTemplates:\n  - metadata: {name: data}\n    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n",
		"DaemonSet":  objectYAML("apps/v1", "DaemonSet", "it", "") + "spec:\n" + template,
		"ReplicaSet": objectYAML("apps/v1", "ReplicaSet", "it", "") + "spec:\n  replicas: 2\n" + template,
		"Job":        jobYAML("it", 0, "sleep 1"),
		"Pod": objectYAML("v1", "Pod", "it", "") +
			fmt.Sprintf("spec: {terminationGracePeriodSeconds: 0, containers: [{name: app, image: %q}]}\n", image),
		"Service": objectYAML("v1", "Service", "it", "") + "spec: {type: LoadBalancer, selector: {app: it}, ports: [{port: 80}]}\n",
		"Ingress": objectYAML("networking.k8s.io/v1", "Ingress", "it", "") + `spec:
  tls: [{hosts: [it.example.com]}]
  rules:
  - host: it.example.com
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: it, port: {number: 80}}}}]}
`,
		"PersistentVolumeClaim": objectYAML("v1", "PersistentVolumeClaim", "it", "") +
			"spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n",
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			a := shared(t).deploy(t, map[string]string{"it.yaml": manifest}, automated)
			app := a.await(t, synced, healthy, noConditions)
			if len(app.Status.Resources) != 1 {
				t.Errorf("the status names %+v", app.Status.Resources)
			}
			if app.Status.Health.LastTransitionTime == nil {
				t.Error("the health has no time")
			}
			if kind == "Ingress" && !slices.Equal(app.Status.Summary.ExternalURLs, []string{"https://it.example.com/"}) {
				t.Errorf("external URLs = %q", app.Status.Summary.ExternalURLs)
			}
			if strings.HasSuffix(kind, "Set") && !slices.Equal(app.Status.Summary.Images, []string{image}) {
				t.Errorf("images = %q", app.Status.Summary.Images)
			}
		})
	}
}

func TestAnImageThatCannotBePulled(t *testing.T) {
	t.Parallel()
	t.Run("degrades its Pod", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, map[string]string{
			"it.yaml": objectYAML("v1", "Pod", "it", "") +
				fmt.Sprintf("spec: {terminationGracePeriodSeconds: 0, containers: [{name: app, image: %q}]}\n", brokenImage),
		}, automated)
		a.await(t, synced, isHealth(v1alpha1.HealthStatusDegraded))
	})
	t.Run("keeps its Deployment progressing until the deadline, and degrades it then", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, map[string]string{"it.yaml": deploymentYAML("it", 1, brokenImage)}, automated)
		a.await(t, synced, isHealth(v1alpha1.HealthStatusProgressing))
		a.push(t, map[string]string{
			"it.yaml": strings.Replace(deploymentYAML("it", 1, brokenImage), "  replicas:", "  progressDeadlineSeconds: 1\n  replicas:", 1),
		})
		a.refresh(t, v1alpha1.RefreshTypeNormal)
		a.await(t, synced, isHealth(v1alpha1.HealthStatusDegraded))
		a.push(t, map[string]string{"it.yaml": deploymentYAML("it", 1, image)})
		a.refresh(t, v1alpha1.RefreshTypeNormal)
		a.await(t, synced, healthy)
	})
}

func TestAJobThatFailsDegrades(t *testing.T) {
	t.Parallel()
	a := shared(t).deploy(t, map[string]string{"it.yaml": jobYAML("it", 0, "exit 3")}, automated)
	a.await(t, synced, isHealth(v1alpha1.HealthStatusDegraded))
}

func TestTheHealthFollowsTheLiveState(t *testing.T) {
	t.Parallel()
	t.Run("a Deployment that is deleted is missing", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, map[string]string{"web.yaml": deploymentYAML("web", 1, image)}, automated)
		a.await(t, synced, healthy)
		if err := a.kube.AppsV1().Deployments(a.into).Delete(t.Context(), "web", deleteNow); err != nil {
			t.Fatal(err)
		}
		a.awaitWithin(t, soon, outOfSync, isHealth(v1alpha1.HealthStatusMissing))
	})
	t.Run("and one of several leaves the others' health", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, map[string]string{"web.yaml": deploymentYAML("web", 1, image), "api.yaml": deploymentYAML("api", 1, image)}, automated)
		a.await(t, synced, healthy)
		if err := a.kube.AppsV1().Deployments(a.into).Delete(t.Context(), "web", deleteNow); err != nil {
			t.Fatal(err)
		}
		a.awaitWithin(t, soon, outOfSync, resourceIs("Deployment", "web", v1alpha1.SyncStatusCodeOutOfSync),
			resourceIs("Deployment", "api", v1alpha1.SyncStatusCodeSynced))
	})
	t.Run("a paused Deployment is suspended", func(t *testing.T) {
		t.Parallel()
		a := shared(t).deploy(t, map[string]string{
			"web.yaml": strings.Replace(deploymentYAML("web", 1, image), "  replicas:", "  paused: true\n  replicas:", 1),
		}, automated)
		a.await(t, synced, isHealth(v1alpha1.HealthStatusSuspended))
	})
}
