package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// manyObjects are so many that their status is far larger than its limit.
const (
	manyObjects = 2000
	statusLimit = 64 << 10
)

func manyConfigMaps() map[string]string {
	var all strings.Builder
	for n := range manyObjects {
		all.WriteString("---\n" + configMapYAML(fmt.Sprintf("one-%04d", n), "v", "1"))
	}
	return map[string]string{"all.yaml": all.String()}
}

// countLive counts the ConfigMaps of the destination.
func (a *application) countLive(t testing.TB) int {
	t.Helper()
	list, err := a.kube.CoreV1().ConfigMaps(a.into).List(t.Context(), metav1.ListOptions{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	n := len(list.Items)
	if list.RemainingItemCount != nil {
		n += int(*list.RemainingItemCount)
	}
	return n
}

// isShort is the check that the status is within its limit, and tells what it leaves out.
func isShort(app *v1alpha1.Application) error {
	data, err := json.Marshal(app.Status)
	if err != nil {
		return err
	}
	if len(data) > statusLimit {
		return fmt.Errorf("its status has %d bytes", len(data))
	}
	omitted := app.Status.OmittedResources
	if omitted == nil || len(app.Status.Resources)+int(omitted.Count) != manyObjects {
		return fmt.Errorf("its status tells of %d objects, and leaves out %+v", len(app.Status.Resources), omitted)
	}
	return nil
}

func TestALargeApplicationIsSyncedHealedAndDeleted(t *testing.T) {
	t.Parallel()
	const long = 3 * time.Minute
	i := install(t)
	i.set(t, map[string]string{"timeout.reconciliation": "1h", "timeout.reconciliation.jitter": "0s"})
	limited := []string{"FAIRLEAD_MAX_STATUS_SIZE=64Ki"}
	p := i.start(t, limited)
	a := i.deploy(t, manyConfigMaps(), automatedWith(v1alpha1.SyncPolicyAutomated{SelfHeal: new(true)}),
		withFinalizer("resources-finalizer.argocd.argoproj.io/background"))

	within(t, long, "the middle of the sync", func() error {
		if n := a.countLive(t); n < manyObjects/20 {
			return fmt.Errorf("only %d objects are live", n)
		}
		return nil
	})
	p.kill(t)
	p = i.start(t, limited)
	app := a.awaitWithin(t, long, synced, healthy, noConditions, operationIs(v1alpha1.OperationSucceeded), isShort)
	if omitted := app.Status.OmittedResources; omitted.OutOfSync != 0 {
		t.Errorf("omitted: %+v", omitted)
	}
	if len(app.Status.History) != 1 {
		t.Errorf("history = %+v", app.Status.History)
	}

	t.Run("the API knows all of it", func(t *testing.T) {
		address := servesAPI.FindStringSubmatch(p.log.String())
		if address == nil {
			t.Fatal("the API is not served")
		}
		text, err := get(t.Context(), "http://"+address[1]+"/api/v1/applications/"+a.name)
		if err != nil {
			t.Fatal(err)
		}
		var whole v1alpha1.Application
		if err := json.Unmarshal([]byte(text), &whole); err != nil {
			t.Fatal(err)
		}
		if n := len(whole.Status.Resources); n != manyObjects || whole.Status.OmittedResources != nil {
			t.Errorf("%d resources, omitted %+v", n, whole.Status.OmittedResources)
		}
	})
	t.Run("one changed object is put back", func(t *testing.T) {
		last := fmt.Sprintf("one-%04d", manyObjects-1)
		if resourceOfStatus(app, "ConfigMap", last) != nil {
			t.Fatalf("the status tells of %s", last)
		}
		_, err := a.kube.CoreV1().ConfigMaps(a.into).Patch(t.Context(), last, types.MergePatchType, []byte(`{"data":{"v":"x"}}`), metav1.PatchOptions{})
		if err != nil {
			t.Fatal(err)
		}
		a.awaitData(t, last, "v", "1")
		healed := a.await(t, synced, isShort, operationIs(v1alpha1.OperationSucceeded))
		if n := len(healed.Status.OperationState.SyncResult.Resources); n != 1 {
			t.Errorf("the self-heal has %d results", n)
		}
	})
	t.Run("it is deleted with its objects", func(t *testing.T) {
		a.delete(t)
		within(t, long, "the end of the Application", func() error {
			if n := a.countLive(t); n > 1 { // but for that of the cluster
				return fmt.Errorf("%d objects are live", n)
			}
			return nil
		})
		a.awaitEnd(t)
	})
}
