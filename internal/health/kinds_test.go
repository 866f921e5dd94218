package health_test

import (
	"testing"

	"github.com/fairlead-cd/fairlead/internal/health"
)

func TestJob(t *testing.T) {
	check(t, map[string]want{
		"a complete job is healthy":           {`{apiVersion: batch/v1, kind: Job, status: {conditions: [{type: Complete, status: "True", message: Reached 1}]}}`, health.Healthy, "Reached 1"},
		"a failed job is degraded":            {`{apiVersion: batch/v1, kind: Job, status: {conditions: [{type: Failed, status: "True", reason: BackoffLimitExceeded, message: too often}]}}`, health.Degraded, "The job failed: too often"},
		"a suspended job is suspended":        {`{apiVersion: batch/v1, kind: Job, spec: {suspend: true}}`, health.Suspended, "The job is suspended"},
		"so is one that only its status says": {`{apiVersion: batch/v1, kind: Job, status: {conditions: [{type: Suspended, status: "True"}]}}`, health.Suspended, "The job is suspended"},
		"a resumed job is progressing":        {`{apiVersion: batch/v1, kind: Job, spec: {suspend: false}, status: {active: 1, conditions: [{type: Suspended, status: "False"}]}}`, health.Progressing, "1 pod running"},
		"a new job is progressing":            {`{apiVersion: batch/v1, kind: Job}`, health.Progressing, "The job has not started a pod yet"},
		"a job that tries again says so":      {`{apiVersion: batch/v1, kind: Job, status: {active: 1, failed: 2}}`, health.Progressing, "1 pod running after 2 failed attempts"},
	})
}

func TestCronJob(t *testing.T) {
	check(t, map[string]want{
		"a suspended schedule is healthy":            {`{apiVersion: batch/v1, kind: CronJob, spec: {suspend: true}}`, health.Healthy, "The schedule is suspended"},
		"a new one is progressing":                   {`{apiVersion: batch/v1, kind: CronJob, spec: {schedule: "* * * * *"}}`, health.Progressing, "The schedule has not been observed by the cron job controller yet"},
		"one that never ran is healthy":              {`{apiVersion: batch/v1, kind: CronJob, status: {}}`, health.Healthy, "No run has been due yet"},
		"one that never succeeded is healthy":        {`{apiVersion: batch/v1, kind: CronJob, status: {lastScheduleTime: "2026-01-02T00:00:00Z"}}`, health.Healthy, "No run has succeeded yet"},
		"one that runs is healthy":                   {`{apiVersion: batch/v1, kind: CronJob, status: {active: [{name: a}], lastScheduleTime: "2026-01-02T00:00:00Z", lastSuccessfulTime: "2026-01-01T00:00:10Z"}}`, health.Healthy, "A run is under way"},
		"one whose last run did not end is degraded": {`{apiVersion: batch/v1, kind: CronJob, status: {lastScheduleTime: "2026-01-02T00:00:00Z", lastSuccessfulTime: "2026-01-01T00:00:10Z"}}`, health.Degraded, "The last run did not succeed"},
		"one whose last run succeeded is healthy":    {`{apiVersion: batch/v1, kind: CronJob, status: {lastScheduleTime: "2026-01-02T00:00:00Z", lastSuccessfulTime: "2026-01-02T00:00:10Z"}}`, health.Healthy, "The last run succeeded"},
	})
}

func TestPod(t *testing.T) {
	check(t, map[string]want{
		"a ready pod is healthy": {`
apiVersion: v1
kind: Pod
spec: {restartPolicy: Always}
status: {phase: Running, conditions: [{type: Ready, status: "True"}]}`,
			health.Healthy, ""},
		"a pod that is not ready yet is progressing": {`
apiVersion: v1
kind: Pod
spec: {restartPolicy: Always}
status: {phase: Running, conditions: [{type: Ready, status: "False"}], containerStatuses: [{name: web, ready: false}]}`,
			health.Progressing, "Container web is not ready yet"},
		"a pod that is not ready after a restart is degraded": {`
apiVersion: v1
kind: Pod
spec: {restartPolicy: Always}
status: {phase: Running, containerStatuses: [{name: web, ready: false, restartCount: 2, lastState: {terminated: {exitCode: 1}}}]}`,
			health.Degraded, "Container web is not ready after 2 restarts"},
		"CrashLoopBackOff is degraded": {`
apiVersion: v1
kind: Pod
spec: {restartPolicy: Always}
status: {phase: Running, containerStatuses: [{name: web, state: {waiting: {reason: CrashLoopBackOff, message: back-off 10s}}}]}`,
			health.Degraded, "Container web is in CrashLoopBackOff: back-off 10s"},
		"ErrImagePull and ImagePullBackOff are degraded, each with its message": {`
apiVersion: v1
kind: Pod
spec: {restartPolicy: Always}
status:
  phase: Pending
  initContainerStatuses: [{name: init, state: {waiting: {reason: ErrImagePull}}}]
  containerStatuses: [{name: web, state: {waiting: {reason: ImagePullBackOff, message: Back-off pulling}}}]`,
			health.Degraded, "Container init is in ErrImagePull, Container web is in ImagePullBackOff: Back-off pulling"},
		"a container being created is progressing": {`
apiVersion: v1
kind: Pod
spec: {restartPolicy: Always}
status: {phase: Pending, containerStatuses: [{name: web, state: {waiting: {reason: ContainerCreating}}}]}`,
			health.Progressing, "Container web is in ContainerCreating"},
		"a pod that fits nowhere is progressing and says why": {`
apiVersion: v1
kind: Pod
spec: {restartPolicy: Always}
status: {phase: Pending, conditions: [{type: PodScheduled, status: "False", message: 0/3 nodes are available}]}`,
			health.Progressing, "The pod is not scheduled: 0/3 nodes are available"},
		"a pod that is to end does not fail because of its image": {`
apiVersion: v1
kind: Pod
spec: {restartPolicy: Never}
status: {phase: Pending, containerStatuses: [{name: web, state: {waiting: {reason: ImagePullBackOff}}}]}`,
			health.Progressing, "Container web is in ImagePullBackOff"},
		"a pod that is to end is progressing while it runs": {`
apiVersion: v1
kind: Pod
spec: {restartPolicy: OnFailure}
status: {phase: Running, conditions: [{type: Ready, status: "True"}]}`,
			health.Progressing, "The pod runs and has not completed yet"},
		"unless its annotation says that it never ends": {`
apiVersion: v1
kind: Pod
metadata: {annotations: {argocd.argoproj.io/ignore-restart-policy: "true"}}
spec: {restartPolicy: Never}
status: {phase: Running, conditions: [{type: Ready, status: "True"}]}`,
			health.Healthy, ""},
		"which does not hold for a hook": {`
apiVersion: v1
kind: Pod
metadata: {annotations: {argocd.argoproj.io/ignore-restart-policy: "true", argocd.argoproj.io/hook: PreSync}}
spec: {restartPolicy: Never}
status: {phase: Running, conditions: [{type: Ready, status: "True"}]}`,
			health.Progressing, "The pod runs and has not completed yet"},
		"a completed pod is healthy": {`
apiVersion: v1
kind: Pod
spec: {restartPolicy: Never}
status: {phase: Succeeded}`,
			health.Healthy, ""},
		"a failed pod is degraded with its exit code": {`
apiVersion: v1
kind: Pod
spec: {restartPolicy: Never}
status: {phase: Failed, containerStatuses: [{name: web, state: {terminated: {exitCode: 3}}}]}`,
			health.Degraded, "Container web failed with exit code 3"},
		"a pod out of memory says so": {`
apiVersion: v1
kind: Pod
spec: {restartPolicy: Never}
status: {phase: Failed, containerStatuses: [{name: web, state: {terminated: {reason: OOMKilled, exitCode: 137}}}]}`,
			health.Degraded, "Container web was killed because it ran out of memory (OOMKilled)"},
		"a failed pod's own message wins": {`
apiVersion: v1
kind: Pod
spec: {restartPolicy: Never}
status: {phase: Failed, message: The node was low on memory}`,
			health.Degraded, "The node was low on memory"},
		"a pod without phase is unknown": {`{apiVersion: v1, kind: Pod}`,
			health.Unknown, "The pod has no known phase"},
	})
}

func TestNetworkAndStorage(t *testing.T) {
	check(t, map[string]want{
		"a cluster service is healthy":             {`{apiVersion: v1, kind: Service, spec: {type: ClusterIP}}`, health.Healthy, ""},
		"a load balancer with address is healthy":  {`{apiVersion: v1, kind: Service, spec: {type: LoadBalancer}, status: {loadBalancer: {ingress: [{ip: 192.0.2.1}]}}}`, health.Healthy, ""},
		"a load balancer without is progressing":   {`{apiVersion: v1, kind: Service, spec: {type: LoadBalancer}, status: {loadBalancer: {}}}`, health.Progressing, "The load balancer has no address yet"},
		"an ingress with address is healthy":       {`{apiVersion: networking.k8s.io/v1, kind: Ingress, status: {loadBalancer: {ingress: [{hostname: a.example.com}]}}}`, health.Healthy, ""},
		"an ingress without is progressing":        {`{apiVersion: networking.k8s.io/v1, kind: Ingress}`, health.Progressing, "The ingress has no address yet"},
		"a bound claim is healthy":                 {`{apiVersion: v1, kind: PersistentVolumeClaim, status: {phase: Bound}}`, health.Healthy, ""},
		"a pending claim is progressing":           {`{apiVersion: v1, kind: PersistentVolumeClaim, status: {phase: Pending}}`, health.Progressing, "The claim has no volume yet"},
		"a claim that lost its volume is degraded": {`{apiVersion: v1, kind: PersistentVolumeClaim, spec: {volumeName: pv-1}, status: {phase: Lost}}`, health.Degraded, "The claim has lost its volume pv-1"},
		"a claim without phase is unknown":         {`{apiVersion: v1, kind: PersistentVolumeClaim}`, health.Unknown, "The claim has no phase yet"},
	})
}

func TestClusterKinds(t *testing.T) {
	check(t, map[string]want{
		"an autoscaler that scales is healthy":               {`{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, status: {conditions: [{type: AbleToScale, status: "True", reason: ReadyForNewScale, message: ready}]}}`, health.Healthy, "ready"},
		"an autoscaler without its target is degraded":       {`{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, status: {conditions: [{type: AbleToScale, status: "False", reason: FailedGetScale, message: no target}]}}`, health.Degraded, "no target"},
		"an autoscaler nobody looked at is progressing":      {`{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler}`, health.Progressing, "The autoscaler has not looked at its target yet"},
		"an old autoscaler keeps conditions in annotations":  {`{apiVersion: autoscaling/v1, kind: HorizontalPodAutoscaler, metadata: {annotations: {autoscaling.alpha.kubernetes.io/conditions: '[{"type":"ScalingLimited","status":"True","message":"ok"}]'}}}`, health.Healthy, "ok"},
		"conditions that cannot be read make it unknown":     {`{apiVersion: autoscaling/v1, kind: HorizontalPodAutoscaler, metadata: {annotations: {autoscaling.alpha.kubernetes.io/conditions: '{'}}}`, health.Unknown, "The conditions in the annotation of the autoscaler cannot be read"},
		"a disruption budget short of pods is healthy":       {`{apiVersion: policy/v1, kind: PodDisruptionBudget, status: {conditions: [{type: DisruptionAllowed, status: "False", reason: InsufficientPods}]}}`, health.Healthy, "The budget is in InsufficientPods"},
		"a disruption budget that fails to sync is degraded": {`{apiVersion: policy/v1, kind: PodDisruptionBudget, status: {conditions: [{type: DisruptionAllowed, status: "False", reason: SyncFailed, message: two}]}}`, health.Degraded, "The budget is in SyncFailed: two"},
		"an available API service is healthy":                {`{apiVersion: apiregistration.k8s.io/v1, kind: APIService, status: {conditions: [{type: Available, status: "True", reason: Local, message: all good}]}}`, health.Healthy, "Local: all good"},
		"an unavailable API service is progressing":          {`{apiVersion: apiregistration.k8s.io/v1, kind: APIService, status: {conditions: [{type: Available, status: "False", reason: MissingEndpoints}]}}`, health.Progressing, "MissingEndpoints"},
		"an established definition is healthy":               {`{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, status: {conditions: [{type: NamesAccepted, status: "True"}, {type: Established, status: "True"}]}}`, health.Healthy, ""},
		"a definition whose names clash is degraded":         {`{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, status: {conditions: [{type: NamesAccepted, status: "False", message: taken}]}}`, health.Degraded, "The names are not accepted: taken"},
		"a definition not established is progressing":        {`{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition}`, health.Progressing, "The definition is not established yet"},
		"a workflow that failed is degraded":                 {`{apiVersion: argoproj.io/v1alpha1, kind: Workflow, status: {phase: Failed, message: step 2}}`, health.Degraded, "step 2"},
	})
}
