package health_test

import (
	"testing"
	"time"

	"github.com/fairlead-cd/fairlead/internal/health"
)

func at(minute int) time.Time { return time.Date(2026, 3, 1, 10, minute, 0, 0, time.UTC) }

func TestSentences(t *testing.T) {
	t.Parallel()
	pull := health.Pod{Name: "a", Reason: "ImagePullBackOff", Container: "web", Image: "registry.example.com/shop:1.4.2", Since: at(10)}
	history := []health.Deployed{{Revision: "commit 1111111", Started: at(0)}, {Revision: "commit 2222222", Started: at(9)}}
	for sentence, c := range map[string]struct {
		result  health.Result
		pods    []health.Pod
		history []health.Deployed
		want    string
	}{
		"an image that cannot be pulled": {
			health.Result{Status: health.Progressing, Message: "1 of 3 updated replicas are available"},
			[]health.Pod{{Name: "ok", Ready: true}, pull, pull}, history,
			"1 of 3 updated replicas are available: image pull error on registry.example.com/shop:1.4.2 (ImagePullBackOff) in 2 pods since 2026-03-01T10:10:00Z, since commit 2222222",
		},
		"the word that the kubelet alternates with changes nothing": {
			health.Result{Status: health.Degraded, Message: "The rollout exceeded its progress deadline"},
			[]health.Pod{{Name: "a", Reason: "ErrImagePull", Container: "web", Image: "x:1", Since: at(10)}}, nil,
			"The rollout exceeded its progress deadline: image pull error on x:1 (ImagePullBackOff) since 2026-03-01T10:10:00Z",
		},
		"a crash with its exit code": {
			health.Result{Status: health.Progressing, Message: "0 of 1 pods are ready"},
			[]health.Pod{{Name: "a", Reason: "CrashLoopBackOff", Container: "web", ExitCode: 3, Since: at(10)}}, nil,
			"0 of 1 pods are ready: container web crashes again and again, with exit code 3 since 2026-03-01T10:10:00Z",
		},
		"no node": {
			health.Result{Status: health.Progressing, Message: "0 of 1 pods are ready"},
			[]health.Pod{{Name: "a", Reason: "Unschedulable", Message: "0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are available", Since: at(10)}}, nil,
			"0 of 1 pods are ready: no node can take the pod: 0/3 nodes are available: 3 Insufficient cpu since 2026-03-01T10:10:00Z",
		},
		"memory": {
			health.Result{Status: health.Progressing, Message: "0 of 1 pods are ready"},
			[]health.Pod{{Name: "a", Reason: "OOMKilled", Container: "web", Since: at(10)}}, nil,
			"0 of 1 pods are ready: container web ran out of memory (OOMKilled) since 2026-03-01T10:10:00Z",
		},
		"a secret that is not there": {
			health.Result{Status: health.Progressing, Message: "0 of 1 pods are ready"},
			[]health.Pod{{Name: "a", Reason: "CreateContainerConfigError", Container: "web", Message: `secret "db" not found`, Since: at(10)}}, nil,
			`0 of 1 pods are ready: container web is in CreateContainerConfigError: secret "db" not found since 2026-03-01T10:10:00Z`,
		},
		"two causes, the most frequent first": {
			health.Result{Status: health.Progressing, Message: "0 of 3 pods are ready"},
			[]health.Pod{{Name: "a", Reason: "OOMKilled", Container: "web", Since: at(1)}, pull, pull}, nil,
			"0 of 3 pods are ready: image pull error on registry.example.com/shop:1.4.2 (ImagePullBackOff) in 2 pods, and container web ran out of memory (OOMKilled) since 2026-03-01T10:10:00Z",
		},
		"a pod that only is not ready says nothing beside one with a reason": {
			health.Result{Status: health.Progressing, Message: "0 of 3 pods are ready"},
			[]health.Pod{{Name: "a", Since: at(1)}, {Name: "b", Since: at(1)}, pull}, nil,
			"0 of 3 pods are ready: image pull error on registry.example.com/shop:1.4.2 (ImagePullBackOff) since 2026-03-01T10:10:00Z",
		},
		"trouble long after a sync is not put down to it": {
			health.Result{Status: health.Progressing, Message: "0 of 1 pods are ready"}, []health.Pod{{Name: "a", Container: "web", Since: at(40)}}, history,
			"0 of 1 pods are ready: container web is not ready since 2026-03-01T10:40:00Z",
		},
		"a condition without pods keeps its time": {
			health.Result{Status: health.Degraded, Message: "no permission", Since: at(3)}, nil, history,
			"no permission since 2026-03-01T10:03:00Z, since commit 1111111",
		},
		"what is healthy stays as it is": {health.Result{Status: health.Healthy, Message: "fine", Since: at(3)}, []health.Pod{pull}, history, "fine"},
		"pods that are done are no trouble": {
			health.Result{Status: health.Progressing, Message: "1 pod running"}, []health.Pod{{Name: "a", Done: true}}, nil, "1 pod running",
		},
	} {
		t.Run(sentence, func(t *testing.T) {
			if got := health.Explain(c.result, c.pods, c.history).Sentence(); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestPodsThatOnlyStartAreNoTrouble(t *testing.T) {
	t.Parallel()
	progressing := health.Result{Status: health.Progressing, Message: "0 of 1 pods are ready"}
	if got := health.Explain(progressing, []health.Pod{{Name: "a", Container: "web", Since: at(10)}}, nil); got.Troubled {
		t.Errorf("a pod that starts is trouble: %+v", got)
	}
	if got := health.Explain(progressing, []health.Pod{{Name: "a", Container: "web", Reason: "CrashLoopBackOff", Since: at(10)}}, nil); !got.Troubled {
		t.Errorf("a crash is no trouble: %+v", got)
	}
}

func TestAnEventIsHeardWhenNothingElseSaysWhy(t *testing.T) {
	t.Parallel()
	event := health.Event{Reason: "FailedMount", Message: `MountVolume.SetUp failed for volume "tls" : secret "shop-tls" not found`, Since: at(10)}
	for sentence, c := range map[string]struct {
		result health.Result
		event  health.Event
		want   string
	}{
		"an object that makes no progress": {health.Result{Status: health.Progressing, Message: "0 of 1 pods are ready", Since: at(1)}, event,
			`0 of 1 pods are ready: FailedMount: MountVolume.SetUp failed for volume "tls" : secret "shop-tls" not found since 2026-03-01T10:10:00Z`},
		"one whose pods have a reason": {health.Result{Status: health.Progressing, Message: "x", Troubled: true}, event, "x"},
		"one that is healthy":          {health.Result{Status: health.Healthy, Message: "x"}, event, "x"},
		"without an event":             {health.Result{Status: health.Progressing, Message: "x"}, health.Event{}, "x"},
	} {
		t.Run(sentence, func(t *testing.T) {
			if got := health.Heard(c.result, c.event).Sentence(); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestPodsOfAnOlderSpecificationSayNothing(t *testing.T) {
	t.Parallel()
	stale, _ := health.Assess(read(t, `{apiVersion: apps/v1, kind: Deployment, metadata: {generation: 2}, spec: {replicas: 1}, status: {observedGeneration: 1}}`))
	got := health.Explain(stale, []health.Pod{{Name: "a", Reason: "ErrImagePull", Image: "x:1", Since: at(10)}}, nil).Sentence()
	if want := "The new spec has not been observed by the deployment controller yet"; got != want {
		t.Errorf("got %s", got)
	}
}
