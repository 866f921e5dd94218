package compare_test

import (
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/fairlead-cd/fairlead/internal/compare"
)

const liveDeployment = `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: api
  namespace: namespace-a
  uid: 7f6f2d2e-0000-0000-0000-000000000000
  resourceVersion: "42"
  generation: 3
  annotations: {deployment.kubernetes.io/revision: "1"}
  managedFields:
  - manager: argocd-controller
    operation: Apply
    apiVersion: apps/v1
    fieldsType: FieldsV1
    fieldsV1:
      f:spec:
        f:replicas: {}
        f:selector: {}
        f:template:
          f:metadata: {f:labels: {f:app: {}}}
          f:spec:
            f:containers:
              k:{"name":"api"}:
                .: {}
                f:name: {}
                f:image: {}
                f:resources: {f:limits: {f:cpu: {}}}
                f:ports:
                  k:{"containerPort":80,"protocol":"TCP"}: {.: {}, f:containerPort: {}}
                f:env:
                  k:{"name":"A"}: {.: {}, f:name: {}, f:value: {}}
                  k:{"name":"B"}: {.: {}, f:name: {}, f:value: {}}
spec:
  replicas: 2
  progressDeadlineSeconds: 600
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      restartPolicy: Always
      containers:
      - name: api
        image: api:1
        imagePullPolicy: IfNotPresent
        resources: {limits: {cpu: "1"}}
        ports: [{containerPort: 80, protocol: TCP}]
        env: [{name: A, value: "1"}, {name: B, value: "2"}]
status: {replicas: 2}
`

const desiredDeployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: namespace-a, creationTimestamp: null}
spec:
  replicas: 2
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      nodeSelector: {}
      hostNetwork: false
      containers:
      - name: api
        image: api:1
        resources: {limits: {cpu: 1000m}}
        ports: [{containerPort: 80}]
        env: [{name: A, value: "1"}, {name: B, value: "2"}]
status: {}
`

func TestComparePredictsServerSideApply(t *testing.T) {
	for name, test := range map[string]struct {
		change func(desired, live *unstructured.Unstructured)
		want   []string
		// doubtful results are settled by a dry run.
		doubtful bool
	}{
		"defaults, empty values, quantities and default list keys are no difference": {
			change: func(_, _ *unstructured.Unstructured) {},
		},
		"a value changed in the cluster": {
			change: func(_, live *unstructured.Unstructured) { set(live, int64(5), "spec", "replicas") },
			want:   []string{".spec.replicas"},
		},
		"a value changed in Git": {
			change: func(desired, _ *unstructured.Unstructured) { set(desired, "api:2", containers(0, "image")...) },
			want:   []string{`.spec.template.spec.containers[name="api"].image`},
		},
		"a field added in Git": {
			change: func(desired, _ *unstructured.Unstructured) { set(desired, int64(5), "spec", "minReadySeconds") },
			want:   []string{".spec.minReadySeconds"},
		},
		"a field removed from Git that was applied before": {
			change: func(desired, _ *unstructured.Unstructured) {
				unstructured.RemoveNestedField(desired.Object, "spec", "replicas")
			},
			want: []string{".spec.replicas"}, doubtful: true,
		},
		"a list item removed from Git that was applied before": {
			change: func(desired, _ *unstructured.Unstructured) {
				set(desired, []any{map[string]any{"name": "A", "value": "1"}}, containers(0, "env")...)
			},
			want: []string{`.spec.template.spec.containers[name="api"].env[name="B"].name`, `.spec.template.spec.containers[name="api"].env[name="B"].value`}, doubtful: true,
		},
		"a field of another manager is left alone": {
			change: func(_, live *unstructured.Unstructured) { set(live, "x", "metadata", "labels", "injected") },
		},
		"a container injected by another manager is left alone": {
			change: func(_, live *unstructured.Unstructured) {
				list, _, _ := unstructured.NestedSlice(live.Object, "spec", "template", "spec", "containers")
				set(live, append(list, map[string]any{"name": "sidecar", "image": "sidecar:1"}), "spec", "template", "spec", "containers")
			},
		},
		"the status never counts": {
			change: func(desired, _ *unstructured.Unstructured) { set(desired, int64(9), "status", "replicas") },
		},
	} {
		t.Run(name, func(t *testing.T) {
			desired, live := parse(t, desiredDeployment), parse(t, liveDeployment)
			test.change(desired, live)
			result, err := compare.New("argocd-controller").Compare(compare.Pair{Desired: desired, Live: live})
			if err != nil {
				t.Fatal(err)
			}
			if got := result.Fields(); !slices.Equal(got, test.want) {
				t.Errorf("fields %q, want %q", got, test.want)
			}
			if result.Synced() != (len(test.want) == 0) {
				t.Errorf("synced %v", result.Synced())
			}
			if result.Certain == test.doubtful {
				t.Errorf("certain %v", result.Certain)
			}
		})
	}
}

func TestCompareSeesAReorderedList(t *testing.T) {
	desired, live := parse(t, desiredDeployment), parse(t, liveDeployment)
	set(desired, []any{map[string]any{"name": "B", "value": "2"}, map[string]any{"name": "A", "value": "1"}}, containers(0, "env")...)
	result, err := compare.New("argocd-controller").Compare(compare.Pair{Desired: desired, Live: live})
	if err != nil {
		t.Fatal(err)
	}
	if !result.Reordered || result.Synced() {
		t.Errorf("result %+v, want a reordering", result)
	}
}

func TestCompareIsUncertainWhereTheServerMayHaveFilledIn(t *testing.T) {
	for name, test := range map[string]struct{ desired, live string }{
		"an item of an atomic list": {
			desired: `{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: a}, spec: {maxReplicas: 2, behavior: {scaleUp: {policies: [{type: Pods, value: 1}]}}}}`,
			live:    `{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: a}, spec: {maxReplicas: 2, behavior: {scaleUp: {policies: [{type: Pods, value: 1, periodSeconds: 15}]}}}}`,
		},
		"a list of a custom resource": {
			desired: `{apiVersion: example.com/v1, kind: Widget, metadata: {name: a}, spec: {parts: [{name: x}]}}`,
			live:    `{apiVersion: example.com/v1, kind: Widget, metadata: {name: a}, spec: {parts: [{name: x, size: 1}]}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			result, err := compare.New("argocd-controller").Compare(compare.Pair{Desired: parse(t, test.desired), Live: parse(t, test.live)})
			if err != nil {
				t.Fatal(err)
			}
			if result.Synced() || result.Certain {
				t.Errorf("synced %v, certain %v; want a doubtful difference", result.Synced(), result.Certain)
			}
		})
	}
}

func TestCompareTakesOverClientSideApply(t *testing.T) {
	const fields = `{"f:data": {".": {}, "f:a": {}, "f:b": {}}, "f:immutable": {}}`
	for sentence, test := range map[string]struct {
		lastApplied string
		want        []string
	}{
		"a key that was applied before and is gone from Git": {`{"data":{"a":"1","b":"2"}}`, []string{".data.b"}},
		"a key that somebody else set":                       {`{"data":{"a":"1"}}`, nil},
		"nothing is known of what was applied":               {``, nil},
		"what was applied cannot be read":                    {`{"data":`, nil},
	} {
		t.Run(sentence, func(t *testing.T) {
			live := parse(t, `{apiVersion: v1, kind: ConfigMap, metadata: {name: a, annotations: {a: b}, managedFields: [
				{manager: kubectl-client-side-apply, operation: Update, apiVersion: v1, fieldsType: FieldsV1, fieldsV1: `+fields+`}]},
				data: {a: "1", b: "2"}, immutable: false}`)
			live.SetAnnotations(map[string]string{"kubectl.kubernetes.io/last-applied-configuration": test.lastApplied})
			desired := parse(t, `{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {a: "1"}}`)
			result, err := compare.New("argocd-controller").Compare(compare.Pair{Desired: desired, Live: live})
			if err != nil {
				t.Fatal(err)
			}
			if got := result.Fields(); !slices.Equal(got, test.want) || !result.Certain {
				t.Errorf("fields %q, want %q; certain %v", got, test.want, result.Certain)
			}
			if got, want := compare.ClientSideManagers(live), []string{"kubectl-client-side-apply"}; !slices.Equal(got, want) {
				t.Errorf("client-side managers %q, want %q", got, want)
			}
		})
	}
}

func TestCompareDoesNotModifyItsInput(t *testing.T) {
	desired, live := parse(t, desiredDeployment), parse(t, liveDeployment)
	if _, err := compare.New("argocd-controller").Compare(compare.Pair{Desired: desired, Live: live}); err != nil {
		t.Fatal(err)
	}
	if !equal(desired, parse(t, desiredDeployment)) || !equal(live, parse(t, liveDeployment)) {
		t.Error("the input was modified")
	}
}

func TestBetweenComparesStatesAsTheyStand(t *testing.T) {
	live, predicted := parse(t, liveDeployment), parse(t, liveDeployment)
	set(predicted, "43", "metadata", "resourceVersion")
	set(predicted, int64(0), "status", "replicas")
	comparer := compare.New("argocd-controller")
	if result, err := comparer.Between(compare.Pair{Live: live}, predicted); err != nil || !result.Synced() {
		t.Errorf("result %v, error %v; want no difference", result.Fields(), err)
	}
	set(predicted, int64(1), "spec", "replicas")
	if result, err := comparer.Between(compare.Pair{Live: live}, predicted); err != nil || !slices.Equal(result.Fields(), []string{".spec.replicas"}) {
		t.Errorf("result %v, error %v; want .spec.replicas", result.Fields(), err)
	}
}

func BenchmarkCompare(b *testing.B) {
	desired, live := parse(b, desiredDeployment), parse(b, liveDeployment)
	comparer := compare.New("argocd-controller")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := comparer.Compare(compare.Pair{Desired: desired, Live: live}); err != nil {
			b.Fatal(err)
		}
	}
}

func parse(t testing.TB, text string) *unstructured.Unstructured {
	t.Helper()
	raw, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	obj := &unstructured.Unstructured{}
	if err := obj.UnmarshalJSON(raw); err != nil {
		t.Fatal(err)
	}
	return obj
}

func equal(a, b *unstructured.Unstructured) bool {
	x, _ := a.MarshalJSON()
	y, _ := b.MarshalJSON()
	return string(x) == string(y)
}

func containers(index int, field string) []string {
	return []string{"spec", "template", "spec", "containers", string(rune('0' + index)), field}
}

// set is unstructured.SetNestedField which also walks into lists.
func set(obj *unstructured.Unstructured, value any, path ...string) {
	var at any = obj.Object
	for i, element := range path {
		last := i == len(path)-1
		switch node := at.(type) {
		case map[string]any:
			if last {
				node[element] = value
				return
			}
			if node[element] == nil {
				node[element] = map[string]any{}
			}
			at = node[element]
		case []any:
			at = node[element[0]-'0']
		}
	}
}
