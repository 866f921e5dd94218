package action_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/fairlead-cd/fairlead/internal/action"
)

func now() time.Time { return time.Date(2026, 3, 1, 10, 15, 0, 0, time.UTC) }

func read(t testing.TB, text string) *unstructured.Unstructured {
	t.Helper()
	obj := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &obj.Object); err != nil {
		t.Fatalf("fixture: %v", err)
	}
	return obj
}

// offers prints the actions of an object: "restart, (resume), scale replicas", the disabled ones in parentheses.
func offers(t testing.TB, catalog *action.Catalog, obj *unstructured.Unstructured) string {
	t.Helper()
	list, err := catalog.Discover(t.Context(), obj)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]string, 0, len(list))
	for _, a := range list {
		text := a.Name
		for _, p := range a.Params {
			text += " " + p.Name
		}
		if a.Disabled {
			text = "(" + text + ")"
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

func TestWhatIsOffered(t *testing.T) {
	t.Parallel()
	catalog := action.New(now, nil)
	for sentence, c := range map[string]struct{ object, want string }{
		"a ConfigMap offers nothing":      {`{apiVersion: v1, kind: ConfigMap}`, ""},
		"a Deployment that runs":          {`{apiVersion: apps/v1, kind: Deployment, spec: {replicas: 1}}`, "pause, restart, (resume), scale replicas"},
		"a Deployment that is paused":     {`{apiVersion: apps/v1, kind: Deployment, spec: {paused: true}}`, "(pause), restart, resume, scale replicas"},
		"a StatefulSet":                   {`{apiVersion: apps/v1, kind: StatefulSet}`, "restart, scale replicas"},
		"a DaemonSet":                     {`{apiVersion: apps/v1, kind: DaemonSet}`, "restart"},
		"a CronJob":                       {`{apiVersion: batch/v1, kind: CronJob, spec: {suspend: false}}`, "create-job, (resume), suspend"},
		"a Job that runs":                 {`{apiVersion: batch/v1, kind: Job}`, "(resume), suspend, terminate"},
		"a Job that has ended":            {`{apiVersion: batch/v1, kind: Job, status: {conditions: [{type: Complete, status: "True"}]}}`, "(resume), (suspend), (terminate)"},
		"a Rollout that is promoted":      {`{apiVersion: argoproj.io/v1alpha1, kind: Rollout, status: {stableRS: a, currentPodHash: a}}`, "(abort), (pause), (promote-full), restart, (resume), (retry), (skip-current-step)"},
		"a Rollout that waits at a step":  {`{apiVersion: argoproj.io/v1alpha1, kind: Rollout, spec: {strategy: {canary: {steps: [{pause: {}}, {setWeight: 50}]}}}, status: {stableRS: a, currentPodHash: b, currentStepIndex: 0, pauseConditions: [{reason: CanaryPauseStep}]}}`, "abort, pause, promote-full, restart, resume, (retry), skip-current-step"},
		"a Rollout that is aborted":       {`{apiVersion: argoproj.io/v1alpha1, kind: Rollout, status: {abort: true, stableRS: a, currentPodHash: b}}`, "(abort), (pause), promote-full, restart, (resume), retry, (skip-current-step)"},
		"an AnalysisRun that runs":        {`{apiVersion: argoproj.io/v1alpha1, kind: AnalysisRun, status: {phase: Running}}`, "terminate"},
		"a Workflow that has ended":       {`{apiVersion: argoproj.io/v1alpha1, kind: Workflow, status: {phase: Failed}}`, "(resume), (stop), (suspend), (terminate)"},
		"a Workflow that runs":            {`{apiVersion: argoproj.io/v1alpha1, kind: Workflow, status: {phase: Running}}`, "(resume), stop, suspend, terminate"},
		"a CronWorkflow":                  {`{apiVersion: argoproj.io/v1alpha1, kind: CronWorkflow}`, "create-workflow, (resume), suspend"},
		"a WorkflowTemplate":              {`{apiVersion: argoproj.io/v1alpha1, kind: WorkflowTemplate}`, "create-workflow"},
		"an ExternalSecret":               {`{apiVersion: external-secrets.io/v1, kind: ExternalSecret}`, "refresh"},
		"a PushSecret":                    {`{apiVersion: external-secrets.io/v1alpha1, kind: PushSecret}`, "push"},
		"a Kustomization":                 {`{apiVersion: kustomize.toolkit.fluxcd.io/v1, kind: Kustomization}`, "reconcile, (resume), suspend"},
		"a GitRepository that is held":    {`{apiVersion: source.toolkit.fluxcd.io/v1, kind: GitRepository, spec: {suspend: true}}`, "(reconcile), resume, (suspend)"},
		"an Alert":                        {`{apiVersion: notification.toolkit.fluxcd.io/v1beta3, kind: Alert}`, "(resume), suspend"},
		"a ScaledObject":                  {`{apiVersion: keda.sh/v1alpha1, kind: ScaledObject}`, "pause, paused-replicas replicas, (resume)"},
		"a PostgreSQL cluster":            {`{apiVersion: postgresql.cnpg.io/v1, kind: Cluster}`, "hibernate, promote instance, (rehydrate), reload, restart, (resume), suspend"},
		"a PostgreSQL cluster that rests": {`{apiVersion: postgresql.cnpg.io/v1, kind: Cluster, metadata: {annotations: {cnpg.io/hibernation: "on"}}}`, "(hibernate), promote instance, rehydrate, reload, restart, (resume), suspend"},
		"fields of the wrong type":        {`{apiVersion: apps/v1, kind: Deployment, spec: [], status: 7}`, "pause, restart, (resume), scale replicas"},
	} {
		t.Run(sentence, func(t *testing.T) {
			if got := offers(t, catalog, read(t, c.object)); got != c.want {
				t.Errorf("offers %s\nwant   %s", got, c.want)
			}
		})
	}
}

// effect prints changes as YAML, and of patches only what differs.
func effect(before *unstructured.Unstructured, changes []action.Change) string {
	var out strings.Builder
	for _, change := range changes {
		var value any = change.Object.Object
		if change.Operation == action.Patch {
			value = difference(before.Object, change.Object.Object)
		}
		text, _ := yaml.Marshal(value)
		fmt.Fprintf(&out, "%s\n%s", change.Operation, text)
	}
	return strings.TrimSpace(out.String())
}

func difference(before, after map[string]any) map[string]any {
	out := map[string]any{}
	for key, value := range after {
		was, ok := before[key]
		a, isMap := value.(map[string]any)
		b, wasMap := was.(map[string]any)
		switch {
		case isMap && wasMap:
			if d := difference(b, a); len(d) > 0 {
				out[key] = d
			}
		case !ok || !cmp.Equal(was, value):
			out[key] = value
		}
	}
	for key := range before {
		if _, ok := after[key]; !ok {
			out[key] = nil
		}
	}
	return out
}

func TestWhatActionsLeadTo(t *testing.T) {
	t.Parallel()
	const rollout = `{apiVersion: argoproj.io/v1alpha1, kind: Rollout, metadata: {name: a}, spec: {strategy: {canary: {steps: [{pause: {}}, {setWeight: 50}]}}}, status: {stableRS: a, currentPodHash: b, currentStepIndex: 0, pauseConditions: [{reason: CanaryPauseStep}]}}`
	const pg = `{apiVersion: postgresql.cnpg.io/v1, kind: Cluster, metadata: {name: shop}, status: {currentPrimary: shop-1, instanceNames: [shop-1, shop-2]}}`
	for sentence, c := range map[string]struct {
		object, action string
		params         map[string]string
		want           string
	}{
		"restart stamps the template": {`{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {template: {metadata: {annotations: {x: y}}}}}`, "restart", nil, `
patch
spec:
  template:
    metadata:
      annotations:
        kubectl.kubernetes.io/restartedAt: "2026-03-01T10:15:00Z"`},
		"scale sets the replicas": {`{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: a}, spec: {replicas: 1}}`, "scale", map[string]string{"replicas": "4"}, "patch\nspec:\n  replicas: 4"},
		"pause":                   {`{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}}`, "pause", nil, "patch\nspec:\n  paused: true"},
		"terminate gives a Job no time": {`{apiVersion: batch/v1, kind: Job, metadata: {name: a}, spec: {suspend: true}}`, "terminate", nil, `
patch
spec:
  activeDeadlineSeconds: 1
  suspend: false`},
		"create-job makes a Job that the CronJob owns": {`{apiVersion: batch/v1, kind: CronJob, metadata: {name: nightly, namespace: shop, uid: u1}, spec: {jobTemplate: {metadata: {labels: {a: b}}, spec: {backoffLimit: 1}}}}`, "create-job", nil, `
create
apiVersion: batch/v1
kind: Job
metadata:
  annotations:
    cronjob.kubernetes.io/instantiate: manual
  labels:
    a: b
  name: nightly-20260301101500
  namespace: shop
  ownerReferences:
  - apiVersion: batch/v1
    blockOwnerDeletion: true
    controller: true
    kind: CronJob
    name: nightly
    uid: u1
spec:
  backoffLimit: 1`},
		"a Rollout resumes":         {rollout, "resume", nil, "patch\nstatus:\n  pauseConditions: null"},
		"a Rollout is aborted":      {rollout, "abort", nil, "patch\nstatus:\n  abort: true"},
		"a Rollout is promoted":     {rollout, "promote-full", nil, "patch\nstatus:\n  promoteFull: true"},
		"a Rollout skips a step":    {rollout, "skip-current-step", nil, "patch\nstatus:\n  currentStepIndex: 1\n  pauseConditions: null"},
		"a secret is refreshed":     {`{apiVersion: external-secrets.io/v1, kind: ExternalSecret, metadata: {name: a}}`, "refresh", nil, "patch\nmetadata:\n  annotations:\n    force-sync: \"1772360100\""},
		"Flux is told to reconcile": {`{apiVersion: helm.toolkit.fluxcd.io/v2, kind: HelmRelease, metadata: {name: a}}`, "reconcile", nil, "patch\nmetadata:\n  annotations:\n    reconcile.fluxcd.io/requestedAt: \"2026-03-01T10:15:00Z\""},
		"KEDA resumes from both":    {`{apiVersion: keda.sh/v1alpha1, kind: ScaledObject, metadata: {name: a, annotations: {autoscaling.keda.sh/paused-replicas: "0"}}}`, "resume", nil, "patch\nmetadata:\n  annotations:\n    autoscaling.keda.sh/paused-replicas: null"},
		"an instance is promoted by its number": {pg, "promote", map[string]string{"instance": "2"}, `
patch
status:
  phase: Switchover in progress
  phaseReason: Switching over to shop-2
  targetPrimary: shop-2
  targetPrimaryTimestamp: "2026-03-01T10:15:00.000000Z"`},
		"a template is run": {`{apiVersion: argoproj.io/v1alpha1, kind: WorkflowTemplate, metadata: {name: build, namespace: ci}}`, "create-workflow", nil, `
create
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata:
  labels:
    workflows.argoproj.io/workflow-template: build
  name: build-20260301101500
  namespace: ci
spec:
  workflowTemplateRef:
    name: build`},
	} {
		t.Run(sentence, func(t *testing.T) {
			obj := read(t, c.object)
			before := obj.DeepCopy()
			changes, err := action.New(now, nil).Run(t.Context(), obj, c.action, c.params)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.TrimSpace(c.want), effect(before, changes)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(before.Object, obj.Object); diff != "" {
				t.Errorf("the object was changed: %s", diff)
			}
		})
	}
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	for sentence, c := range map[string]struct {
		object, action string
		params         map[string]string
		want           string
	}{
		"an action that is not offered":       {`{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: a}}`, "scale", nil, `offers no action "scale"; it offers restart`},
		"an action that makes no sense now":   {`{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}}`, "resume", nil, "makes no sense"},
		"a parameter that is missing":         {`{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}}`, "scale", nil, "give a whole number"},
		"a parameter that is no number":       {`{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}}`, "scale", map[string]string{"replicas": "-1"}, "give a whole number"},
		"a parameter that nobody asked for":   {`{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}}`, "restart", map[string]string{"x": "y"}, `takes no parameter "x"`},
		"the promotion of the primary":        {`{apiVersion: postgresql.cnpg.io/v1, kind: Cluster, metadata: {name: shop}, status: {currentPrimary: shop-1, instanceNames: [shop-1]}}`, "promote", map[string]string{"instance": "shop-1"}, "is the primary already"},
		"the promotion of a foreign instance": {`{apiVersion: postgresql.cnpg.io/v1, kind: Cluster, metadata: {name: shop}, status: {currentPrimary: shop-1, instanceNames: [shop-1]}}`, "promote", map[string]string{"instance": "9"}, "has no instance"},
		"a CronJob without template":          {`{apiVersion: batch/v1, kind: CronJob, metadata: {name: a}}`, "create-job", nil, "has no spec.jobTemplate.spec"},
	} {
		t.Run(sentence, func(t *testing.T) {
			_, err := action.New(now, nil).Run(t.Context(), read(t, c.object), c.action, c.params)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func FuzzBuiltins(f *testing.F) {
	f.Add([]byte(`{"spec":{"paused":true,"suspend":"x"},"status":{"conditions":[1,{"type":"Complete"}],"instanceNames":[1,null]},"metadata":{"annotations":{"a":1}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		obj := &unstructured.Unstructured{}
		if yaml.Unmarshal(data, &obj.Object) != nil || obj.Object == nil {
			t.Skip()
		}
		catalog := action.New(now, nil)
		for _, kind := range action.Kinds() {
			group, name, _ := strings.Cut(kind, "/")
			obj.Object["apiVersion"], obj.Object["kind"] = group+"/v1", name
			list, err := catalog.Discover(t.Context(), obj)
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range list {
				_, _ = catalog.Run(t.Context(), obj, a.Name, nil)
				_, _ = catalog.Run(t.Context(), obj, a.Name, map[string]string{"replicas": "1"})
			}
		}
	})
}
