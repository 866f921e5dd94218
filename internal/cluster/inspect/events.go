package inspect

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
)

// Involved names the object that events are about.
type Involved struct {
	// Namespace is empty for an object without one.
	Namespace, Name string
	// UID tells objects of one name apart; empty for all of them.
	UID string
}

// Events returns the events about an object, the latest last.
func (c *Client) Events(ctx context.Context, about Involved) (*corev1.EventList, error) {
	selector := fields.Set{"involvedObject.name": about.Name, "involvedObject.namespace": about.Namespace}
	if about.UID != "" {
		selector["involvedObject.uid"] = about.UID
	}
	list, err := c.kube.CoreV1().Events(about.Namespace).List(ctx, metav1.ListOptions{FieldSelector: selector.AsSelector().String()})
	if err != nil {
		return nil, fmt.Errorf("reading the events about %s: %w", about.Name, err)
	}
	slices.SortStableFunc(list.Items, func(a, b corev1.Event) int { return lastOf(&a).Compare(lastOf(&b)) })
	return list, nil
}

// lastOf is when an event last happened. Which field says so depends on who wrote it.
func lastOf(e *corev1.Event) time.Time {
	switch {
	case e.Series != nil && !e.Series.LastObservedTime.IsZero():
		return e.Series.LastObservedTime.Time
	case !e.LastTimestamp.IsZero():
		return e.LastTimestamp.Time
	case !e.EventTime.IsZero():
		return e.EventTime.Time
	default:
		return e.CreationTimestamp.Time
	}
}
