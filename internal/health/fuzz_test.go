package health_test

import (
	"encoding/json"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fairlead-cd/fairlead/internal/health"
)

// FuzzAssess shows that no shape of data makes an assessment panic or answer with a word that is none of ours.
func FuzzAssess(f *testing.F) {
	kinds := [][2]string{
		{"apps/v1", "Deployment"}, {"apps/v1", "StatefulSet"}, {"apps/v1", "DaemonSet"}, {"apps/v1", "ReplicaSet"},
		{"batch/v1", "Job"}, {"batch/v1", "CronJob"}, {"v1", "Pod"}, {"v1", "Service"}, {"v1", "PersistentVolumeClaim"},
		{"networking.k8s.io/v1", "Ingress"}, {"autoscaling/v1", "HorizontalPodAutoscaler"},
		{"autoscaling/v2", "HorizontalPodAutoscaler"}, {"policy/v1", "PodDisruptionBudget"},
		{"apiregistration.k8s.io/v1", "APIService"}, {"apiextensions.k8s.io/v1", "CustomResourceDefinition"},
		{"argoproj.io/v1alpha1", "Workflow"},
	}
	for _, seed := range []string{
		`{}`, `{"status":[]}`, `{"status":{"conditions":[null,1,"a",{"type":1,"status":true}]}}`,
		`{"metadata":{"deletionTimestamp":5,"finalizers":[1,{}],"annotations":[]},"spec":"x"}`,
		`{"metadata":{"generation":2},"status":{"observedGeneration":"1","conditions":[{"type":"Ready","status":"False","observedGeneration":1}],"parents":[{"parentRef":[],"conditions":{}}],"listeners":["a"],"ancestors":[null],"phase":7,"validationMessages":[{"level":3}],"bindings":[{}]}}`,
		`{"metadata":{"generation":1e300},"spec":{"replicas":-1.5,"restartPolicy":"Always"},"status":{"phase":"Failed","containerStatuses":[{"state":{"terminated":[]}}]}}`,
		`{"spec":{"updateStrategy":{"type":"RollingUpdate","rollingUpdate":{"partition":"x"}}},"status":{"observedGeneration":9}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var object map[string]any
		if json.Unmarshal(data, &object) != nil || object == nil {
			t.Skip()
		}
		for _, kind := range kinds {
			object["apiVersion"], object["kind"] = kind[0], kind[1]
			got, ok := health.Assess(&unstructured.Unstructured{Object: object})
			if !ok {
				t.Fatalf("%s was not assessed", kind[1])
			}
			if health.Worst(got.Status) != got.Status {
				t.Fatalf("%s has the foreign word %q", kind[1], got.Status)
			}
		}
		for _, name := range append(health.Kinds(), "s3.aws.upbound.io/Bucket", "sources.knative.dev/PingSource", "networking.istio.io/Gateway", "sql.cnrm.cloud.google.com/SQLInstance", "example.com/Widget") {
			group, kind, _ := strings.Cut(name, "/")
			object["apiVersion"], object["kind"] = group+"/v1", kind
			if got, ok := health.Assess(&unstructured.Unstructured{Object: object}); ok && health.Worst(got.Status) != got.Status {
				t.Fatalf("%s has the foreign word %q", name, got.Status)
			}
		}
	})
}
