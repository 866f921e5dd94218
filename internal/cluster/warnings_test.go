package cluster

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

func TestEventsOfBothKindsAreRead(t *testing.T) {
	first, last := time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC), time.Date(2026, 1, 2, 3, 9, 0, 0, time.UTC)
	for sentence, c := range map[string]struct {
		event string
		want  Warning
	}{
		"with a count": {`{involvedObject: {uid: u1}, reason: FailedMount, message: no secret, count: 4, firstTimestamp: "2026-01-02T03:04:00Z", lastTimestamp: "2026-01-02T03:09:00Z"}`,
			Warning{UID: "u1", Reason: "FailedMount", Message: "no secret", First: first, Last: last}},
		"with a series": {`{involvedObject: {uid: u1}, reason: FailedMount, message: no secret, firstTimestamp: null, eventTime: "2026-01-02T03:04:00.000000Z", series: {count: 2, lastObservedTime: "2026-01-02T03:09:00.000000Z"}}`,
			Warning{UID: "u1", Reason: "FailedMount", Message: "no secret", First: first, Last: last}},
		"seen once": {`{involvedObject: {uid: u1}, reason: FailedMount, eventTime: "2026-01-02T03:04:00.000000Z"}`,
			Warning{UID: "u1", Reason: "FailedMount", First: first, Last: first}},
	} {
		t.Run(sentence, func(t *testing.T) {
			obj := &unstructured.Unstructured{}
			if err := yaml.Unmarshal([]byte(c.event), &obj.Object); err != nil {
				t.Fatal(err)
			}
			got, ok := warningOf(obj)
			if !ok || got.UID != c.want.UID || got.Reason != c.want.Reason || got.Message != c.want.Message || !got.First.Equal(c.want.First) || !got.Last.Equal(c.want.Last) {
				t.Errorf("read %+v, %v; want %+v", got, ok, c.want)
			}
		})
	}
	if _, ok := warningOf(&unstructured.Unstructured{Object: map[string]any{"reason": 7}}); ok {
		t.Error("an event of another shape was read")
	}
}
