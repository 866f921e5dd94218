package application

import (
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/cluster"
	"github.com/fairlead-cd/fairlead/internal/compare"
	"github.com/fairlead-cd/fairlead/internal/health"
	"github.com/fairlead-cd/fairlead/internal/plan"
)

// comparison is what an Application wants beside what there is.
type comparison struct {
	desired *desired
	objects []object
}

// object is one object of an Application, desired or live or both.
type object struct {
	plan.Reference
	desired *unstructured.Unstructured // nil: it is not in the source
	live    *unstructured.Unstructured // nil: it is not in the cluster
	uid     types.UID
	wave    int
	verdict
}

// verdict is what comparing and assessing one object gave.
type verdict struct {
	diff      compare.Result
	health    health.Result
	hasHealth bool
}

// results remembers verdicts by object and by what they were made from.
type results map[cluster.Key]remembered

type remembered struct {
	desired string // hash of the target
	live    string // resource version of the live object
	verdict
}

// synced says that a sync would leave the object alone.
func (o *object) synced() bool {
	switch {
	case o.desired == nil:
		return o.extraneous()
	case o.live == nil:
		return false
	default:
		return o.diff.Synced()
	}
}

// extraneous says that a live object which is not desired does not count as a
// difference, by its own annotation.
func (o *object) extraneous() bool {
	return hasOption(o.live, v1alpha1.AnnotationCompareOptions, "IgnoreExtraneous")
}

// prunable says that the object is not desired and may be deleted by a sync.
func (o *object) prunable() bool {
	return o.desired == nil && !hasOption(o.live, v1alpha1.AnnotationSyncOptions, "Prune=false")
}

func (c *comparison) synced() bool {
	for i := range c.objects {
		if !c.objects[i].synced() {
			return false
		}
	}
	return true
}

// compare holds what is desired by the specification against the live state.
func (r *reconciliation) compare(ctx context.Context) error {
	current, err := r.compareWith(ctx, r.desired)
	if err != nil {
		return err
	}
	r.current = current
	return nil
}

// compareWith compares the objects that concern the Application: those that
// are desired, and the live ones that carry its mark.
func (r *reconciliation) compareWith(ctx context.Context, d *desired) (*comparison, error) {
	if id := r.targetsIdentity(&d.result); r.memory.targets.identity != id {
		made, err := r.makeTargets(&d.result)
		if err != nil {
			return nil, incomparable(err)
		}
		r.memory.targets = made
	}
	wanted := r.memory.targets
	out := &comparison{desired: d, objects: make([]object, 0, len(wanted.list))}
	kept := make(results, len(wanted.list))
	for _, target := range wanted.list {
		o, err := r.compareTarget(ctx, target, kept)
		if err != nil {
			return nil, err
		}
		out.objects = append(out.objects, o)
	}
	for _, found := range r.destination.Live.Managed(r.instance) {
		if _, ok := wanted.keys[found.Key]; ok || !found.DeletionTimestamp.IsZero() {
			continue
		}
		live := found.Live()
		if live == nil || isHook(live) || hasController(live) {
			continue
		}
		out.objects = append(out.objects, object{
			Reference: plan.ReferenceTo(live), live: live, uid: live.GetUID(), wave: plan.WaveOf(live),
			verdict: r.assess(verdict{}, live),
		})
	}
	r.memory.results = kept
	slices.SortFunc(out.objects, func(a, b object) int { return compareReferences(a.Reference, b.Reference) })
	return out, nil
}

func (r *reconciliation) compareTarget(ctx context.Context, t target, kept results) (object, error) {
	o := object{Reference: plan.ReferenceTo(t.obj), desired: t.obj, wave: plan.WaveOf(t.obj)}
	live, version, err := r.liveOf(ctx, t)
	if err != nil || live == nil {
		return o, err
	}
	o.live, o.uid = live, live.GetUID()
	before, ok := r.memory.results[t.key]
	if !ok || before.desired != t.hash || before.live != version {
		diff, err := r.difference(ctx, t, live)
		if err != nil {
			return o, err
		}
		before = remembered{desired: t.hash, live: version, verdict: r.assess(verdict{diff: diff}, live)}
	}
	kept[t.key] = before
	o.verdict = before.verdict
	if owner, ok := r.tracker.Owner(live); ok && owner != r.instance {
		r.conditions = append(r.conditions, r.condition(v1alpha1.ApplicationConditionSharedResourceWarning,
			fmt.Sprintf("%s %s is part of the applications %s and %s; remove it from one of them", o.Kind, o.Name, r.instance, owner)))
	}
	return o, nil
}

// liveOf returns the live object of a target: from the watch when it is kept
// there, from the API server when the watch keeps only a reference to it
// because nobody manages it yet.
func (r *reconciliation) liveOf(ctx context.Context, t target) (live *unstructured.Unstructured, version string, err error) {
	found, ok := r.destination.Live.Get(t.key)
	if !ok {
		return nil, "", nil
	}
	if live = found.Live(); live != nil {
		return live, string(found.UID) + "/" + found.ResourceVersion, nil
	}
	live, err = r.destination.Live.Fetch(ctx, t.obj.GroupVersionKind(), t.key)
	if apierrors.IsNotFound(err) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", fmt.Errorf("reading the live %s: %w", plan.ReferenceTo(t.obj), err)
	}
	return live, string(live.GetUID()) + "/" + live.GetResourceVersion(), nil
}

// difference predicts what a sync would change, and asks the API server where
// the prediction alone cannot tell.
func (r *reconciliation) difference(ctx context.Context, t target, live *unstructured.Unstructured) (compare.Result, error) {
	if live.GetAPIVersion() != t.obj.GetAPIVersion() {
		// The watch follows the preferred version; compare in the stated one.
		converted, err := r.destination.Live.Fetch(ctx, t.obj.GroupVersionKind(), t.key)
		if err != nil {
			return compare.Result{}, fmt.Errorf("reading the live %s: %w", plan.ReferenceTo(t.obj), err)
		}
		live = converted
	}
	diff, err := r.Comparer.Compare(t.obj, live)
	if err != nil {
		return compare.Result{}, incomparable(fmt.Errorf("%s: %w", t.file, err))
	}
	if diff.Certain {
		return diff, nil
	}
	predicted, err := r.destination.Applier.Predict(ctx, t.obj)
	if err != nil {
		r.Logger.Debug("dry run failed; the local prediction stands", "application", r.key, "object", plan.ReferenceTo(t.obj), "error", err)
		return diff, nil
	}
	return r.Comparer.Between(live, predicted)
}

func (r *reconciliation) assess(v verdict, live *unstructured.Unstructured) verdict {
	v.health, v.hasHealth = health.Assess(live)
	return v
}

func compareReferences(a, b plan.Reference) int {
	for _, pair := range [...][2]string{{a.Group, b.Group}, {a.Kind, b.Kind}, {a.Namespace, b.Namespace}, {a.Name, b.Name}} {
		if order := strings.Compare(pair[0], pair[1]); order != 0 {
			return order
		}
	}
	return 0
}

// hasController says whether another object made this one.
func hasController(obj *unstructured.Unstructured) bool {
	for _, owner := range obj.GetOwnerReferences() {
		if owner.Controller != nil && *owner.Controller {
			return true
		}
	}
	return false
}

// hasOption says whether an annotation of comma-separated options has one.
func hasOption(obj *unstructured.Unstructured, annotation, option string) bool {
	if obj == nil {
		return false
	}
	for value := range strings.SplitSeq(obj.GetAnnotations()[annotation], ",") {
		if strings.TrimSpace(value) == option {
			return true
		}
	}
	return false
}
