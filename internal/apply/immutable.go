package apply

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// naming adds to a refusal that only says "spec", as those of StatefulSets and
// claims do, which of its fields differ.
func (w *writer) naming(ctx context.Context, err error) error {
	status, ok := statusOf(err)
	if !ok || status.Details == nil || len(status.Details.Causes) != 1 || status.Details.Causes[0].Field != "spec" {
		return err
	}
	live, readErr := w.client.Get(ctx, w.Name, metav1.GetOptions{})
	if readErr != nil {
		return err // without the names
	}
	cause := status.Details.Causes[0]
	names := differing(w.object, live, quoted(cause.Message))
	if len(names) == 0 {
		return err
	}
	details := *status.Details
	details.Causes = []metav1.StatusCause{{
		Type: cause.Type, Field: strings.Join(names, ", "), Message: fmt.Sprintf("field is immutable (%s)", detail(cause.Message)),
	}}
	status.Details = &details
	return &apierrors.StatusError{ErrStatus: status}
}

// differing are the fields of a specification, as far as desired states them,
// in which it differs from live, except those that may.
func differing(desired, live *unstructured.Unstructured, except []string) (names []string) {
	want, _, _ := unstructured.NestedMap(desired.Object, "spec")
	have, _, _ := unstructured.NestedMap(live.Object, "spec")
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if !slices.Contains(except, name) && !states(have[name], want[name]) {
			names = append(names, "spec."+name)
		}
	}
	return names
}

// states says that have holds everything that stands in want.
func states(have, want any) bool {
	switch want := want.(type) {
	case map[string]any:
		have, _ := have.(map[string]any)
		for name, value := range want {
			if !states(have[name], value) {
				return false
			}
		}
		return true
	case []any:
		have, _ := have.([]any)
		return slices.EqualFunc(have, want, states)
	default:
		return reflect.DeepEqual(have, want)
	}
}

var quotedName = regexp.MustCompile(`'(\w+)'`)

// quoted are the names that a message has in quotes.
func quoted(message string) (names []string) {
	for _, match := range quotedName.FindAllStringSubmatch(message, -1) {
		names = append(names, match[1])
	}
	return names
}
