package health_test

import (
	"testing"

	"github.com/fairlead-cd/fairlead/internal/health"
)

func TestDeployment(t *testing.T) {
	check(t, map[string]want{
		"all replicas new and available is healthy": {`
apiVersion: apps/v1
kind: Deployment
metadata: {generation: 2}
spec: {replicas: 3}
status: {observedGeneration: 2, replicas: 3, updatedReplicas: 3, availableReplicas: 3}`,
			health.Healthy, ""},
		"scaled to zero is healthy": {`
apiVersion: apps/v1
kind: Deployment
metadata: {generation: 2}
spec: {replicas: 0}
status: {observedGeneration: 2}`,
			health.Healthy, ""},
		"a spec not observed yet is progressing, however good the old status": {`
apiVersion: apps/v1
kind: Deployment
metadata: {generation: 3}
spec: {replicas: 3}
status: {observedGeneration: 2, replicas: 3, updatedReplicas: 3, availableReplicas: 3}`,
			health.Progressing, "The new spec has not been observed by the deployment controller yet"},
		"a new deployment without status is progressing": {`
apiVersion: apps/v1
kind: Deployment
metadata: {generation: 1}
spec: {replicas: 3}`,
			health.Progressing, "The new spec has not been observed by the deployment controller yet"},
		"paused is suspended": {`
apiVersion: apps/v1
kind: Deployment
metadata: {generation: 3}
spec: {replicas: 3, paused: true}
status: {observedGeneration: 2}`,
			health.Suspended, "The rollout is paused"},
		"past the progress deadline is degraded": {`
apiVersion: apps/v1
kind: Deployment
metadata: {generation: 2}
spec: {replicas: 3}
status:
  observedGeneration: 2
  updatedReplicas: 1
  conditions: [{type: Progressing, status: "False", reason: ProgressDeadlineExceeded, message: ReplicaSet "a" has timed out progressing.}]`,
			health.Degraded, `The rollout exceeded its progress deadline: ReplicaSet "a" has timed out progressing.`},
		"too few new replicas is progressing": {`
apiVersion: apps/v1
kind: Deployment
metadata: {generation: 2}
spec: {replicas: 3}
status: {observedGeneration: 2, replicas: 3, updatedReplicas: 1, availableReplicas: 3}`,
			health.Progressing, "1 of 3 replicas run the new version"},
		"old replicas still there is progressing": {`
apiVersion: apps/v1
kind: Deployment
metadata: {generation: 2}
spec: {replicas: 3}
status: {observedGeneration: 2, replicas: 4, updatedReplicas: 3, availableReplicas: 4}`,
			health.Progressing, "1 old replica still to be terminated"},
		"new replicas not available is progressing": {`
apiVersion: apps/v1
kind: Deployment
metadata: {generation: 2}
spec: {replicas: 3}
status: {observedGeneration: 2, replicas: 3, updatedReplicas: 3, availableReplicas: 1}`,
			health.Progressing, "1 of 3 updated replicas are available"},
		"fields of the wrong type count as absent": {`
apiVersion: apps/v1
kind: Deployment
metadata: {generation: "2"}
spec: {replicas: many, paused: "yes"}
status: {observedGeneration: [1], conditions: {a: b}}`,
			health.Healthy, ""},
	})
}

func TestReplicaSet(t *testing.T) {
	check(t, map[string]want{
		"enough available replicas is healthy": {`
apiVersion: apps/v1
kind: ReplicaSet
metadata: {generation: 1}
spec: {replicas: 2}
status: {observedGeneration: 1, availableReplicas: 2}`,
			health.Healthy, ""},
		"too few is progressing": {`
apiVersion: apps/v1
kind: ReplicaSet
metadata: {generation: 1}
spec: {replicas: 2}
status: {observedGeneration: 1, availableReplicas: 1}`,
			health.Progressing, "1 of 2 replicas are available"},
		"pods that cannot be created is degraded": {`
apiVersion: apps/v1
kind: ReplicaSet
metadata: {generation: 1}
spec: {replicas: 2}
status: {observedGeneration: 1, conditions: [{type: ReplicaFailure, status: "True", message: exceeded quota}]}`,
			health.Degraded, "Pods cannot be created: exceeded quota"},
		"a spec not observed yet is progressing": {`
apiVersion: apps/v1
kind: ReplicaSet
metadata: {generation: 2}
status: {observedGeneration: 1}`,
			health.Progressing, "The new spec has not been observed by the replica set controller yet"},
	})
}

func TestDaemonSet(t *testing.T) {
	check(t, map[string]want{
		"a pod on every node is healthy": {`
apiVersion: apps/v1
kind: DaemonSet
metadata: {generation: 1}
status: {observedGeneration: 1, desiredNumberScheduled: 3, updatedNumberScheduled: 3, numberAvailable: 3}`,
			health.Healthy, ""},
		"old pods is progressing": {`
apiVersion: apps/v1
kind: DaemonSet
metadata: {generation: 1}
status: {observedGeneration: 1, desiredNumberScheduled: 3, updatedNumberScheduled: 1, numberAvailable: 3}`,
			health.Progressing, "1 of 3 pods run the new version"},
		"pods not available is progressing": {`
apiVersion: apps/v1
kind: DaemonSet
metadata: {generation: 1}
status: {observedGeneration: 1, desiredNumberScheduled: 3, updatedNumberScheduled: 3, numberAvailable: 2}`,
			health.Progressing, "2 of 3 pods are available"},
		"old pods are fine when they update on deletion": {`
apiVersion: apps/v1
kind: DaemonSet
metadata: {generation: 1}
spec: {updateStrategy: {type: OnDelete}}
status: {observedGeneration: 1, desiredNumberScheduled: 3, updatedNumberScheduled: 1, numberAvailable: 2}`,
			health.Healthy, "1 of 3 pods run the new version; the others follow when they are deleted"},
		"a spec not observed yet is progressing": {`
apiVersion: apps/v1
kind: DaemonSet
metadata: {generation: 1}`,
			health.Progressing, "The new spec has not been observed by the daemon set controller yet"},
	})
}

func TestStatefulSet(t *testing.T) {
	check(t, map[string]want{
		"all ready at one revision is healthy": {`
apiVersion: apps/v1
kind: StatefulSet
metadata: {generation: 1}
spec: {replicas: 2}
status: {observedGeneration: 1, readyReplicas: 2, updateRevision: a, currentRevision: a}`,
			health.Healthy, ""},
		"never observed is progressing, even without a generation": {`
apiVersion: apps/v1
kind: StatefulSet
spec: {replicas: 0}`,
			health.Progressing, "The new spec has not been observed by the stateful set controller yet"},
		"pods not ready is progressing": {`
apiVersion: apps/v1
kind: StatefulSet
metadata: {generation: 1}
spec: {replicas: 3}
status: {observedGeneration: 1, readyReplicas: 1}`,
			health.Progressing, "1 of 3 pods are ready"},
		"two revisions is progressing": {`
apiVersion: apps/v1
kind: StatefulSet
metadata: {generation: 1}
spec: {replicas: 2, updateStrategy: {type: RollingUpdate}}
status: {observedGeneration: 1, readyReplicas: 2, updatedReplicas: 1, updateRevision: b, currentRevision: a}`,
			health.Progressing, "1 pod at the new revision b, the rolling update goes on"},
		"a rollout that stops at its partition is healthy": {`
apiVersion: apps/v1
kind: StatefulSet
metadata: {generation: 1}
spec: {replicas: 3, updateStrategy: {type: RollingUpdate, rollingUpdate: {partition: 2}}}
status: {observedGeneration: 1, readyReplicas: 3, updatedReplicas: 1, updateRevision: b, currentRevision: a}`,
			health.Healthy, ""},
		"a rollout above its partition is progressing": {`
apiVersion: apps/v1
kind: StatefulSet
metadata: {generation: 1}
spec: {replicas: 3, updateStrategy: {type: RollingUpdate, rollingUpdate: {partition: 1}}}
status: {observedGeneration: 1, readyReplicas: 3, updatedReplicas: 1, updateRevision: b, currentRevision: a}`,
			health.Progressing, "1 of 2 pods above the partition run the new version"},
		"old pods are fine when they update on deletion": {`
apiVersion: apps/v1
kind: StatefulSet
metadata: {generation: 1}
spec: {replicas: 2, updateStrategy: {type: OnDelete}}
status: {observedGeneration: 1, readyReplicas: 2, updateRevision: b, currentRevision: a}`,
			health.Healthy, "2 pods ready; each takes the new version when it is deleted"},
	})
}
