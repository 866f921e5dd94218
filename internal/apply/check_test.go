package apply_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fairlead-cd/fairlead/internal/apply"
	"github.com/fairlead-cd/fairlead/internal/plan"
)

func quota(c *target, name, limits string) string {
	return "{apiVersion: v1, kind: ResourceQuota, metadata: {name: " + name + ", namespace: " + c.namespace + "}, spec: {hard: " + limits + "}}"
}

var quotas = schema.GroupVersionResource{Version: "v1", Resource: "resourcequotas"}

// elsewhere moves a step to another namespace.
func elsewhere(step plan.Step, namespace string) plan.Step {
	step.Desired.SetNamespace(namespace)
	step.Namespace = namespace
	return step
}

func optioned(step plan.Step, options plan.Options) plan.Step {
	step.Options = options
	return step
}

func TestACheckFindsWhatIsCertainlyWrong(t *testing.T) {
	t.Parallel()
	c := newTarget(t)
	c.must(t, c.step(t, plan.Create, deploymentText()), apply.Applied)
	c.make(t, quotas, quota(c, "none", `{count/cronjobs.batch: "0"}`))
	c.make(t, services, `{apiVersion: v1, kind: Service, metadata: {name: ported}, spec: {type: NodePort, ports: [{port: 80, nodePort: 30471}]}}`)
	selector := c.step(t, plan.Change, deploymentText())
	_ = unstructured.SetNestedStringMap(selector.Desired.Object, map[string]string{"app": "shop", "a": "b"}, "spec", "selector", "matchLabels")
	_ = unstructured.SetNestedField(selector.Desired.Object, "b", "spec", "template", "metadata", "labels", "a")
	widget := `{apiVersion: example.com/v1, kind: Widget, metadata: {name: w}}`
	definition := plan.Step{Action: plan.Create, Desired: manifest(t, `{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: widgets.example.com}, spec: {
		group: example.com, scope: Namespaced, names: {kind: Widget, plural: widgets, singular: widget, listKind: WidgetList},
		versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]}}`)}
	definition.Reference = plan.ReferenceTo(definition.Desired)
	cron := "{apiVersion: batch/v1, kind: CronJob, metadata: {name: shop}, spec: {schedule: 0 3 * * *, jobTemplate: {spec: {template: " +
		strings.Replace(podTemplate, "%s", "Never", 1) + "}}}}"
	port := `{apiVersion: v1, kind: Service, metadata: {name: other}, spec: {type: NodePort, ports: [{port: 80, nodePort: 30471}]}}`
	ported := plan.Step{Action: plan.Prune, Reference: plan.Reference{Version: "v1", Kind: "Service", Namespace: c.namespace, Name: "ported"}}

	for name, test := range map[string]struct {
		steps  []plan.Step
		reason apply.Reason
		words  []string
	}{
		"nothing": {steps: []plan.Step{c.step(t, plan.Create, `{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}`)}},
		"an unknown field": {
			steps:  []plan.Step{c.step(t, plan.Create, `{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, unknown: field}`)},
			reason: apply.Invalid, words: []string{"configmap/a", "unknown"},
		},
		"an unknown field that may be dropped": {
			steps: []plan.Step{optioned(c.step(t, plan.Create, `{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, unknown: field}`), plan.Options{SkipValidation: true})},
		},
		"a wrong type": {
			steps:  []plan.Step{c.step(t, plan.Create, `{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: 1}}`)},
			reason: apply.Invalid, words: []string{"configmap/a", ".data.x", "expected string"},
		},
		"a wrong value": {
			steps:  []plan.Step{c.step(t, plan.Create, `{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: 123456}]}}`)},
			reason: apply.Invalid, words: []string{"service/a", "spec.ports[0].port", "between 1 and 65535"},
		},
		"a field that cannot be changed":      {steps: []plan.Step{selector}, reason: apply.Immutable, words: []string{"spec.selector"}},
		"the same with Force":                 {steps: []plan.Step{optioned(selector, plan.Options{Force: true})}},
		"the same with Replace":               {steps: []plan.Step{optioned(selector, plan.Options{Replace: true})}},
		"an unknown kind":                     {steps: []plan.Step{c.step(t, plan.Create, widget)}, reason: apply.UnknownKind, words: []string{"widget.example.com/w"}},
		"an unknown kind that may be missing": {steps: []plan.Step{optioned(c.step(t, plan.Create, widget), plan.Options{SkipDryRunOnMissingResource: true})}},
		"a kind that the sync defines":        {steps: []plan.Step{c.step(t, plan.Create, widget), definition}},
		"a quota":                             {steps: []plan.Step{c.step(t, plan.Create, cron)}},
		"a port that is taken":                {steps: []plan.Step{c.step(t, plan.Create, port)}, reason: apply.PortTaken, words: []string{"30471"}},
		"a port that is given up":             {steps: []plan.Step{c.step(t, plan.Create, port), ported}},
		"a namespace that does not exist":     {steps: []plan.Step{elsewhere(c.step(t, plan.Create, deploymentText()), "not-yet")}},
		"an unknown field in such a namespace": {
			steps:  []plan.Step{elsewhere(c.step(t, plan.Create, strings.Replace(deploymentText(), "image:", "imag:", 1)), "not-yet")},
			reason: apply.Invalid, words: []string{"deployment.apps/shop", "containers", "imag"},
		},
		"a wrong type in such a namespace": {
			steps:  []plan.Step{elsewhere(c.step(t, plan.Create, strings.Replace(deploymentText(), "replicas: 0", "replicas: many", 1)), "not-yet")},
			reason: apply.Invalid, words: []string{"spec.replicas"},
		},
		"a secret of such a namespace": {
			steps:  []plan.Step{elsewhere(c.step(t, plan.Create, `{apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: {a: hunter, b: [hunter]}}`), "not-yet")},
			reason: apply.Invalid, words: []string{"secret/a", ".stringData.b"},
		},
		"a prune of nothing": {steps: []plan.Step{{Action: plan.Prune, Reference: plan.Reference{Version: "v1", Kind: "Nonsense", Name: "x"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			refusals, err := apply.New(c, 0).Check(t.Context(), test.steps, nil)
			if err != nil {
				t.Fatal(err)
			}
			if test.reason == "" {
				if len(refusals) != 0 {
					t.Errorf("refused: %v", refusals)
				}
				return
			}
			if strings.Contains(refusalText(refusals), "hunter") {
				t.Errorf("a value of a secret: %s", refusalText(refusals))
			}
			if len(refusals) != 1 || !refusedFor(refusals[0], test.reason, test.words...) {
				t.Errorf("refusals %v, want one for %s with %q", refusals, test.reason, test.words)
			}
		})
	}
	if c.get(t, "a") != nil || len(c.observed) != 1 {
		t.Errorf("a check wrote something: %q", c.observed)
	}
	if refusals, err := apply.New(c, 0).Check(t.Context(), []plan.Step{c.step(t, plan.Create, widget)}, func(kind schema.GroupKind) bool { return kind.Kind == "Widget" }); err != nil || len(refusals) != 0 {
		t.Errorf("a kind that the caller vouches for: %v, %v", refusals, err)
	}
}

func refusalText(refusals []*apply.Refusal) (text string) {
	for _, refusal := range refusals {
		text += fmt.Sprintf("%s %+v\n", refusal, errors.Unwrap(refusal))
	}
	return text
}

func TestQuotaAndNamespaceAreNamed(t *testing.T) {
	t.Parallel()
	c := newTarget(t)
	c.make(t, quotas, quota(c, "few", `{count/services: "0", count/secrets: "0"}`))
	c.untilQuota(t, "few")
	for _, text := range []string{
		`{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: 80}]}}`,
		`{apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: {password: hunter}}`,
	} {
		outcome := c.run(t, c.step(t, plan.Create, text))
		if !refusedFor(outcome.Err, apply.Quota, "few", c.namespace, "limited: ") || strings.Contains(outcome.Err.Error(), "hunter") {
			t.Errorf("beyond the quota: %v", outcome.Err)
		}
	}
	outcome := c.run(t, elsewhere(c.step(t, plan.Create, `{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: 80}]}}`), "nowhere"))
	if !refusedFor(outcome.Err, apply.NamespaceMissing, "nowhere", "CreateNamespace=true") {
		t.Errorf("in no namespace: %v", outcome.Err)
	}
}

// untilQuota waits until a quota is being counted.
func (c *target) untilQuota(t *testing.T, name string) {
	t.Helper()
	for {
		live, err := c.client.Resource(quotas).Namespace(c.namespace).Get(t.Context(), name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if hard, _, _ := unstructured.NestedMap(live.Object, "status", "hard"); len(hard) > 0 {
			return
		}
		pause(t)
	}
}

func TestATerminatingNamespaceIsNamed(t *testing.T) {
	t.Parallel()
	c := newTarget(t)
	held := c.must(t, c.step(t, plan.Create, `{apiVersion: v1, kind: ConfigMap, metadata: {name: held, finalizers: [example.com/never]}}`), apply.Applied)
	namespaces := c.client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "namespaces"})
	if err := namespaces.Delete(t.Context(), c.namespace, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	outcome := c.run(t, c.step(t, plan.Create, `{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}`))
	if !refusedFor(outcome.Err, apply.NamespaceTerminating, "configmap/a", c.namespace) {
		t.Errorf("got %v", outcome.Err)
	}
	if refusal, _ := errors.AsType[*apply.Refusal](outcome.Err); refusal == nil || !refusal.Retry {
		t.Error("it may pass")
	}
	if err := apply.New(c, 0).RemoveFinalizer(t.Context(), plan.ReferenceTo(held), held.GetUID(), "example.com/never"); err != nil {
		t.Error(err)
	}
}

func TestAPolicyThatDeniesIsNamed(t *testing.T) {
	t.Parallel()
	c := newTarget(t)
	policies := schema.GroupVersionResource{Group: "admissionregistration.k8s.io", Version: "v1", Resource: "validatingadmissionpolicies"}
	bindings := schema.GroupVersionResource{Group: "admissionregistration.k8s.io", Version: "v1", Resource: "validatingadmissionpolicybindings"}
	name := "no-" + c.namespace
	for resource, text := range map[schema.GroupVersionResource]string{
		policies: "{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicy, metadata: {name: " + name + `}, spec: {
			matchConstraints: {resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [services, secrets]}]},
			validations: [{expression: "false", messageExpression: "'not today, ' + object.metadata.name"}]}}`,
		bindings: "{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicyBinding, metadata: {name: " + name + "}, spec: {policyName: " + name +
			", validationActions: [Deny], matchResources: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: " + c.namespace + "}}}}}",
	} {
		if _, err := c.client.Resource(resource).Create(t.Context(), manifest(t, text), metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = c.client.Resource(resource).Delete(context.WithoutCancel(t.Context()), name, metav1.DeleteOptions{})
		})
	}
	service := c.step(t, plan.Create, `{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: 80}]}}`)
	applier := apply.New(c, 0)
	for { // the policy takes effect a moment later
		outcome := applier.Run(t.Context(), []plan.Step{service}, apply.Options{DryRun: true})[0]
		if refusedFor(outcome.Err, apply.Webhook, "service/a", name, "not today, a") {
			break
		}
		if outcome.Err != nil {
			t.Fatal(outcome.Err)
		}
		pause(t)
	}
	if refusals, err := applier.Check(t.Context(), []plan.Step{service}, nil); err != nil || len(refusals) != 0 {
		t.Errorf("a check counts the policy: %v, %v", refusals, err)
	}
	secret := c.run(t, c.step(t, plan.Create, `{apiVersion: v1, kind: Secret, metadata: {name: hunter}, stringData: {password: hunter}}`))
	if !refusedFor(secret.Err, apply.Webhook, name) || strings.Contains(secret.Err.Error(), "not today") {
		t.Errorf("a secret: %v; what a policy says of one is withheld", secret.Err)
	}
}
