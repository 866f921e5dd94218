package application

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/cluster"
)

// heldByDependencies holds an automated sync until what the Application depends
// on is there. What heals a sync that was made before, or goes back to a pinned
// revision, goes ahead.
func (r *reconciliation) heldByDependencies(ctx context.Context, sync *automatedSync) ([]hold, error) {
	if sync.heals || r.pin != nil {
		return nil, nil
	}
	missing, err := r.missingDependencies(ctx)
	var fault *dependencyFault
	switch {
	case errors.As(err, &fault):
		return []hold{{cause: causeDependency, message: fault.Error(), fault: true}}, nil
	case err != nil || len(missing) == 0:
		return nil, err
	}
	return []hold{{cause: causeDependency, message: "waits for a dependency: " + firstOf(missing)}}, nil
}

// noteDependencies keeps for the message of a sync that a person asked for what
// it does not wait for.
func (r *reconciliation) noteDependencies(ctx context.Context) error {
	asked := r.app.Operation
	if asked == nil || asked.InitiatedBy.Automated || r.app.Annotations[v1alpha1.AnnotationDependsOn] == "" {
		return nil
	}
	missing, err := r.missingDependencies(ctx)
	var fault *dependencyFault
	switch {
	case errors.As(err, &fault):
		r.unmet = "; " + fault.Error()
	case err != nil:
		return err
	case len(missing) > 0:
		r.unmet = "; it did not wait for a dependency: " + firstOf(missing)
	}
	return nil
}

// dependencyFault is a mistake in the annotation.
type dependencyFault struct{ error }

// missingDependencies says what is not there yet, one sentence each. Changes
// that matter wake the Application.
func (r *reconciliation) missingDependencies(ctx context.Context) (missing []string, err error) {
	list, err := dependenciesOf(r.app)
	if err != nil {
		return nil, &dependencyFault{err}
	}
	if cycle := r.cycle(list); cycle != nil {
		return nil, &dependencyFault{fmt.Errorf("%s goes round in a circle: %s; remove one of these dependencies", v1alpha1.AnnotationDependsOn, strings.Join(cycle, " → "))}
	}
	var objects []cluster.Key
	for _, d := range list {
		if !d.ofApplication() {
			objects = append(objects, d.object)
		}
	}
	r.destination.Live.Want(dependenciesPrefix+r.instance, objects)
	for _, d := range list {
		lacks, err := r.missing(ctx, d)
		if err != nil {
			return nil, err
		}
		if lacks != "" {
			missing = append(missing, lacks)
		}
	}
	if len(missing) == 0 {
		r.destination.Live.Want(dependenciesPrefix+r.instance, nil) // their changes are of no interest any more
	}
	return missing, nil
}

// dependenciesPrefix stands before the name of an Application in the name under
// which it hears of objects that it only waits for. No Application has such a name.
const dependenciesPrefix = "depends-on:"

func (r *reconciliation) missing(ctx context.Context, d dependency) (string, error) {
	if !d.ofApplication() {
		return r.missingObject(ctx, d)
	}
	r.waits.wait(r.key, d.app)
	other, ok := r.Watch.Get(d.app)
	if !ok {
		return fmt.Sprintf("the Application %s does not exist", d.text), nil
	}
	// Who may write Applications in one namespace is not to learn of those in another, unless they belong together.
	if d.app.Namespace != r.key.Namespace && r.key.Namespace != r.Namespace && other.Spec.GetProject() != r.app.Spec.GetProject() {
		return fmt.Sprintf("the Application %s does not exist", d.text), nil
	}
	return r.missingOf(ctx, other, 0)
}

// objectPoll is how often an object is read that cannot be watched.
const objectPoll = 30 * time.Second

func (r *reconciliation) missingObject(ctx context.Context, d dependency) (string, error) {
	if !strings.HasPrefix(d.text, "crd:") {
		if err := r.project.Object(d.object.Group, d.object.Kind, d.object.Name, r.destinationFor(d.object.Namespace)); err != nil {
			return "", &dependencyFault{fmt.Errorf("%s: %w", d.text, err)}
		}
	}
	live := r.destination.Live
	ready := live.Ready(d.object.GroupKind())
	found, ok := live.Get(d.object)
	switch {
	case !ok && ready == nil, errors.Is(ready, cluster.ErrKindUnknown):
		return d.text + " does not exist", nil
	case ok && !found.Deleting.IsZero():
		return d.text + " is being deleted", nil
	case ok && d.condition == "":
		return "", nil
	case ok && found.Whole():
		return conditionLacking(found.Live(), d), nil
	case ready != nil:
		r.lookIn(objectPoll)
	}
	obj, err := live.Fetch(ctx, d.object, "")
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case apierrors.IsNotFound(err):
		return d.text + " does not exist", nil
	case err != nil:
		r.lookIn(objectPoll)
		return fmt.Sprintf("%s could not be read: %v", d.text, err), nil
	case d.condition == "":
		return "", nil
	}
	return conditionLacking(obj, d), nil
}

// conditionLacking says that an object does not have the condition; "" when it does.
func conditionLacking(obj *unstructured.Unstructured, d dependency) string {
	conditions, _, _ := unstructured.NestedSlice(obj.Object, "status", "conditions")
	for _, item := range conditions {
		if condition, ok := item.(map[string]any); ok && condition["type"] == d.condition {
			if condition["status"] == d.value {
				return ""
			}
			return fmt.Sprintf("%s is not met: %s is %v", d.text, d.condition, condition["status"])
		}
	}
	return fmt.Sprintf("%s is not met: there is no condition %s", d.text, d.condition)
}

// cycle returns a way from the Application over dependencies back to itself; nil when there is none.
func (r *reconciliation) cycle(list []dependency) []string {
	seen := make(map[types.NamespacedName]bool)
	var back func(list []dependency, way []string) []string
	back = func(list []dependency, way []string) []string {
		for _, d := range list {
			if !d.ofApplication() {
				continue
			}
			if d.app == r.key {
				return append(way, r.key.Name)
			}
			if seen[d.app] {
				continue
			}
			seen[d.app] = true
			next, ok := r.Watch.Get(d.app)
			if !ok {
				continue
			}
			more, err := dependenciesOf(next)
			if err != nil {
				continue // it is told there
			}
			if found := back(more, append(slices.Clone(way), d.app.Name)); found != nil {
				return found
			}
		}
		return nil
	}
	return back(list, []string{r.key.Name})
}

// dependentsRemain says that Applications which depend on this one are being
// deleted too, and so have to go first. Those in a circle do not wait.
func (r *reconciliation) dependentsRemain() bool {
	var names []string
	list, err := dependenciesOf(r.app)
	if err != nil || r.cycle(list) == nil {
		for _, other := range r.Watch.dependents(r.key) {
			r.waits.wait(r.key, keyOf(other))
			if fresh, ok := r.Watch.Get(keyOf(other)); ok && !fresh.DeletionTimestamp.IsZero() {
				names = append(names, fresh.Name)
			}
		}
	}
	slices.Sort(names)
	var conditions []v1alpha1.ApplicationCondition
	if len(names) > 0 {
		conditions = append(conditions, r.condition(v1alpha1.ApplicationConditionDeletionHeld,
			fmt.Sprintf("the deletion waits until %s, which depends on this Application, is gone", firstOf(names))))
	}
	r.app.Status.SetConditions(r.now, conditions, v1alpha1.ApplicationConditionDeletionHeld)
	return len(names) > 0
}
