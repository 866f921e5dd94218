package cluster

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
)

// Warning is an event of the type Warning about an object.
type Warning struct {
	UID             types.UID
	Reason, Message string
	First, Last     time.Time
}

// warningLimit bounds how many events of a namespace are read.
const warningLimit = 500

var events = corev1.SchemeGroupVersion.WithResource("events")

// Warnings reads the warnings about objects of a namespace, the newest first. Events change all the time and are not
// watched; this is a request to the API server, for when nothing else says what is wrong.
func (c *Cluster) Warnings(ctx context.Context, namespace string, about []types.UID) ([]Warning, error) {
	list, err := c.Client().Resource(events).Namespace(namespace).List(ctx, metav1.ListOptions{FieldSelector: "type=Warning", Limit: warningLimit})
	if err != nil {
		return nil, fmt.Errorf("reading the events of the namespace %s: %w", namespace, err)
	}
	var out []Warning
	for i := range list.Items {
		if w, ok := warningOf(&list.Items[i]); ok && slices.Contains(about, w.UID) {
			out = append(out, w)
		}
	}
	slices.SortStableFunc(out, func(a, b Warning) int { return b.Last.Compare(a.Last) })
	return out, nil
}

// warningOf reads an event of either of the two kinds that there are: with a count, or with a series.
func warningOf(obj *unstructured.Unstructured) (Warning, bool) {
	var e corev1.Event
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(obj.Object, &e); err != nil {
		return Warning{}, false
	}
	w := Warning{UID: e.InvolvedObject.UID, Reason: e.Reason, Message: e.Message, First: e.FirstTimestamp.Time, Last: e.LastTimestamp.Time}
	if w.First.IsZero() {
		w.First = e.EventTime.Time
	}
	if e.Series != nil {
		w.Last = e.Series.LastObservedTime.Time
	}
	if w.Last.IsZero() {
		w.Last = w.First
	}
	return w, true
}
