package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

func TestASettingTakesEffectWithoutARestart(t *testing.T) {
	t.Parallel()
	t.Run("timeout.reconciliation", func(t *testing.T) {
		t.Parallel()
		i := install(t)
		i.set(t, map[string]string{"timeout.reconciliation": "1h", "timeout.reconciliation.jitter": "0s"})
		i.start(t, nil)
		a := i.deploy(t, map[string]string{"one.yaml": configMapYAML("one", "v", "1")}, automated)
		a.await(t, synced)
		a.push(t, map[string]string{"one.yaml": configMapYAML("one", "v", "2")})
		i.set(t, map[string]string{"timeout.reconciliation": "1s"})
		within(t, soon, "the ConfigMap one", a.data(t, "one", "v", "2"))
		t.Run("and a wrong value leaves the last one in force", func(t *testing.T) {
			i.set(t, map[string]string{"timeout.reconciliation": "soon"})
			a.push(t, map[string]string{"one.yaml": configMapYAML("one", "v", "3")})
			within(t, soon, "the ConfigMap one", a.data(t, "one", "v", "3"))
		})
	})
	t.Run("ARGOCD_RECONCILIATION_TIMEOUT is its default", func(t *testing.T) {
		t.Parallel()
		i := install(t)
		i.start(t, []string{"ARGOCD_RECONCILIATION_TIMEOUT=1", "ARGOCD_RECONCILIATION_JITTER=0"})
		a := i.deploy(t, map[string]string{"one.yaml": configMapYAML("one", "v", "1")}, automated)
		a.await(t, synced)
		a.push(t, map[string]string{"one.yaml": configMapYAML("one", "v", "2")})
		within(t, soon, "the ConfigMap one", a.data(t, "one", "v", "2"))
	})
	t.Run("resource.exclusions", func(t *testing.T) {
		t.Parallel()
		i := install(t)
		i.start(t, nil)
		a := i.deploy(t, map[string]string{"one.yaml": configMapYAML("one"), "web.yaml": deploymentYAML("web", 1, image)}, automated)
		a.await(t, synced, healthy, noConditions)
		i.set(t, map[string]string{"resource.exclusions": "- {apiGroups: [apps], kinds: [Deployment], clusters: ['*']}\n"})
		app := a.awaitWithin(t, soon, synced, hasCondition(v1alpha1.ApplicationConditionExcludedResourceWarning, "Deployment", "web", "resource.exclusions"))
		if resourceOfStatus(app, "Deployment", "web") != nil || resourceOfStatus(app, "ConfigMap", "one") == nil {
			t.Errorf("the status names %+v", app.Status.Resources)
		}
		a.deployment(t, "web") // it is left alone
		i.set(t, map[string]string{"resource.exclusions": ""})
		a.awaitWithin(t, soon, synced, healthy, noConditions, resourceIs("Deployment", "web", v1alpha1.SyncStatusCodeSynced))
	})
	t.Run("application.resourceTrackingMethod", func(t *testing.T) {
		t.Parallel()
		i := install(t)
		i.start(t, nil)
		a := i.deploy(t, map[string]string{"one.yaml": configMapYAML("one"), "two.yaml": configMapYAML("two")},
			automatedWith(v1alpha1.SyncPolicyAutomated{Prune: new(true), SelfHeal: new(true)}))
		a.await(t, synced, noConditions)
		if labels := a.configMap(t, "one").Labels; labels["app.kubernetes.io/instance"] != "" {
			t.Errorf("the labels with tracking by annotation are %v", labels)
		}
		i.set(t, map[string]string{"application.resourceTrackingMethod": "label"})
		eventually(t, "the label of the ConfigMap", func() error {
			one := a.configMap(t, "one")
			if one.Labels["app.kubernetes.io/instance"] != a.name || one.Annotations["argocd.argoproj.io/tracking-id"] != "" {
				return fmt.Errorf("labels %v, annotations %v (%s)", one.Labels, one.Annotations, summaryOf(a.get(t)))
			}
			return nil
		})
		a.await(t, synced, noConditions)
		a.push(t, map[string]string{"-two.yaml": ""})
		a.refresh(t, v1alpha1.RefreshTypeNormal)
		a.awaitGone(t, "two")
		a.await(t, synced)
		a.mustBeLive(t, "one")
	})
	t.Run("cluster.inClusterEnabled", func(t *testing.T) {
		t.Parallel()
		i := install(t)
		i.start(t, nil)
		a := i.deploy(t, map[string]string{"one.yaml": configMapYAML("one")}, automated)
		a.await(t, synced)
		i.set(t, map[string]string{"cluster.inClusterEnabled": "false"})
		a.awaitWithin(t, soon, hasCondition(v1alpha1.ApplicationConditionInvalidSpecError, "cluster.inClusterEnabled"))
		i.set(t, map[string]string{"cluster.inClusterEnabled": "true"})
		a.awaitWithin(t, soon, synced, noConditions)
	})
}

func TestAWarningAboutASettingIsLogged(t *testing.T) {
	t.Parallel()
	i := install(t)
	p := i.start(t, nil)
	i.set(t, map[string]string{"application.resourceTrackingMethod": "by-heart"})
	eventually(t, "the log of fairlead", func() error {
		if line := p.log.about("application.resourceTrackingMethod"); !strings.Contains(line, "by-heart") {
			return fmt.Errorf("it says %q", line)
		}
		return nil
	})
}
