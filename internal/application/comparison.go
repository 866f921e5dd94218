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
	hooks   []hook
	// empty says that nothing is desired at all.
	empty bool
}

// object is one object of an Application, desired or live or both.
type object struct {
	plan.Reference
	desired *unstructured.Unstructured // nil: it is not in the source
	live    *cluster.Object            // nil: it is not in the cluster
	wave    int
	hash    string // of desired
	// written is when an operation wrote it, zero when that is not known.
	written time.Time
	verdict
	// said is the health with what pods and events say about it.
	said health.Result
}

// verdict is what comparing and assessing one object gave. It holds all that a
// reconcile needs to know of the live object, so that its body is decoded only
// when it changed.
type verdict struct {
	difference
	// drift is how it left the desired state without a commit; nil when it did not.
	drift     *v1alpha1.ResourceDrift
	health    health.Result
	hasHealth bool
	// observed says that the status names the generation that it describes.
	observed bool
	// shown is a health that is shown and decides nothing.
	shown    health.Result
	hasShown bool
	// assessor is who judged: another may find another health.
	assessor *health.Assessor
	// healthIgnored takes the object out of the Application's health.
	healthIgnored bool
	// extraneous and kept are options of the live object: it does not count as
	// a difference when it is not desired; it is not to be pruned.
	extraneous, kept bool
	// confirmed and pruneLast are options of the live object: it is pruned only
	// once somebody agreed; it is pruned after everything else.
	confirmed, pruneLast bool
	// dependent says that another object made it.
	dependent bool
	// clientSide says that client-side apply owns fields of it.
	clientSide   bool
	images, urls []string
	wave         int
}

// results remembers verdicts by object and by what they were made from.
type results map[cluster.Key]remembered

type remembered struct {
	desired string          // hash of the target, "" when it is not desired
	live    string          // version of the live object, "" when there is none
	schema  *compare.Schema // by which it was compared
	verdict
	// pending are the fields that differ because the source changed.
	pending []string
}

// synced says that a sync would leave the object alone.
func (o *object) synced() bool {
	switch {
	case o.desired == nil:
		return o.extraneous
	case o.live == nil:
		return false
	default:
		return !o.differs
	}
}

// prunable says that the object is not desired and may be deleted by a sync.
func (o *object) prunable() bool { return o.desired == nil && !o.kept && !o.extraneous }

func (c *comparison) synced() bool {
	return !slices.ContainsFunc(c.objects, func(o object) bool { return !o.synced() })
}

// compare holds what is desired by the specification against the live state.
func (r *reconciliation) compare(ctx context.Context) error {
	current, err := r.compareWith(ctx, r.desired)
	if err != nil {
		return err
	}
	r.current = current
	r.show()
	return nil
}

// compareWith compares the objects that concern the Application: those that
// are desired, and the live ones that carry its mark.
func (r *reconciliation) compareWith(ctx context.Context, d *desired) (*comparison, error) {
	if !r.targetsHold(ctx, d.result) {
		made, err := r.makeTargets(ctx, d.result)
		if err != nil {
			return nil, incomparable(err)
		}
		r.memory.targets = made
		r.destination.Live.Want(r.instance, made.keyList())
	}
	r.manner = r.mannerOf()
	if err := r.manner.problem; err != nil {
		r.conditions = append(r.conditions, r.condition(v1alpha1.ApplicationConditionComparisonError,
			"some rules about ignored differences cannot be used: "+err.Error()))
	}
	wanted := r.memory.targets
	out := &comparison{desired: d, hooks: wanted.hooks, objects: make([]object, 0, len(wanted.list)), empty: len(wanted.list) == 0}
	kept := make(results, len(wanted.list))
	for _, target := range wanted.list {
		o, err := r.compareTarget(ctx, target, kept)
		if err != nil {
			return nil, err
		}
		out.objects = append(out.objects, o)
	}
	for _, live := range r.destination.Live.Managed(r.instance) {
		if _, ok := wanted.keys[live.Key]; ok || !live.Deleting.IsZero() || live.App != r.instance {
			continue
		}
		if r.settings.Resources.Excludes(live.Group, live.Kind, r.destination.Server) {
			continue // since a moment; the watch of its kind is about to end
		}
		if unseen(r.destination.Live.Ready(live.GroupKind())) {
			continue // it was read once, and may be gone since
		}
		if o := r.undesired(ctx, live, kept); !o.dependent {
			out.objects = append(out.objects, o)
		}
	}
	unlisted, err := r.unlisted(ctx, wanted, kept)
	if err != nil {
		return nil, err
	}
	out.objects = append(out.objects, unlisted...)
	r.memory.results = kept
	slices.SortFunc(out.objects, func(a, b object) int { return compareReferences(a.Reference, b.Reference) })
	return out, nil
}

// compareTarget compares one desired object, unless that was done for just
// these two states.
func (r *reconciliation) compareTarget(ctx context.Context, t target, kept results) (object, error) {
	o := object{Reference: plan.ReferenceTo(t.obj), desired: t.obj, wave: plan.WaveOf(t.obj), hash: t.hash}
	live, err := r.liveOf(ctx, t)
	if err != nil {
		return o, err
	}
	if live == nil {
		before, known := r.memory.results[t.key]
		before = r.withDrift(t.key, before, remembered{desired: t.hash}, known)
		kept[t.key] = before
		o.verdict = before.verdict
		return o, nil
	}
	o.live = live
	if live.App != "" && live.App != r.instance {
		r.conditions = append(r.conditions, r.condition(v1alpha1.ApplicationConditionSharedResourceWarning,
			fmt.Sprintf("%s %s is part of the applications %s and %s; remove it from one of them", o.Kind, o.Name, live.App, r.instance)))
	}
	schema, err := r.schemaOf(ctx, t.obj.GroupVersionKind())
	if err != nil {
		return o, err
	}
	before, known := r.memory.results[t.key]
	if !known || before.desired != t.hash || before.live != versionOf(live) || before.schema != schema {
		if before.desired != t.hash || before.schema != schema {
			before.settled = ""
		}
		body := live.Live()
		found, err := r.differenceOf(ctx, t, body, schema, before.difference)
		if err != nil {
			return o, err
		}
		now := remembered{desired: t.hash, live: versionOf(live), schema: schema, verdict: r.judge(ctx, body)}
		now.difference = found
		before = r.withDrift(t.key, before, now, known)
	} else if before.assessor != r.assessor {
		before.verdict = r.judgedAnew(ctx, live, before.verdict)
	}
	before = r.withNotKept(t.key, before, r.memory.results[t.key].drift)
	kept[t.key] = before
	o.verdict = before.verdict
	return o, nil
}

// undesired looks at a live object that carries the Application's mark and is
// not in the source.
func (r *reconciliation) undesired(ctx context.Context, live *cluster.Object, kept results) object {
	before, known := r.memory.results[live.Key]
	if !known || before.desired != "" || before.live != versionOf(live) {
		before = r.withDrift(live.Key, before, remembered{live: versionOf(live), verdict: r.judge(ctx, live.Live())}, known)
	} else if before.assessor != r.assessor {
		before.verdict = r.judgedAnew(ctx, live, before.verdict)
	}
	kept[live.Key] = before
	return object{
		Reference: plan.Reference{Group: live.Group, Version: live.Version, Kind: live.Kind, Namespace: live.Namespace, Name: live.Name},
		live:      live, wave: before.wave, verdict: before.verdict,
	}
}

// liveOf returns the live object of a target with its body. An object that
// nobody wanted until now is known by reference alone, and is read once.
func (r *reconciliation) liveOf(ctx context.Context, t target) (*cluster.Object, error) {
	live, ok := r.destination.Live.Get(t.key)
	if !ok {
		if err := r.trustAbsence(t); err == nil || !unseen(err) {
			return nil, err
		}
		live = &cluster.Object{Version: t.obj.GroupVersionKind().Version} // of a kind that is not watched; it is read instead
	}
	if live.Whole() && !unseen(r.destination.Live.Ready(t.key.GroupKind())) {
		return live, nil
	}
	_, err := r.destination.Live.Fetch(ctx, t.key, live.Version)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if apierrors.IsForbidden(err) {
		return nil, incomparable(fmt.Errorf("%s may be neither listed nor read: %w", plan.ReferenceTo(t.obj), err))
	}
	if err != nil {
		return nil, fmt.Errorf("reading the live %s: %w", plan.ReferenceTo(t.obj), err)
	}
	if live, ok = r.destination.Live.Get(t.key); !ok || !live.Whole() {
		return nil, fmt.Errorf("the live %s changes while it is read", plan.ReferenceTo(t.obj))
	}
	return live, nil
}

// unseen says that a kind may not be listed, so that its objects are read one by one.
func unseen(err error) bool { return apierrors.IsForbidden(err) }

// trustAbsence returns an error when an object that is not known may exist all
// the same, because its kind cannot be watched.
func (r *reconciliation) trustAbsence(t target) error {
	err := r.destination.Live.Ready(t.key.GroupKind())
	switch {
	case err == nil, errors.Is(err, cluster.ErrKindUnknown):
		return nil
	case errors.Is(err, cluster.ErrNotListed), apierrors.IsTooManyRequests(err), !r.destination.Live.State().Connected:
		// It passes by itself, and so is no fault to tell of or to end an operation for; an event tells when.
		r.again = time.Second
		return errLater
	default:
		return incomparable(fmt.Errorf("whether %s exists is not known: %w", plan.ReferenceTo(t.obj), err))
	}
}

// judge reads from a live object what a reconcile needs to know of it.
func (r *reconciliation) judge(ctx context.Context, live *unstructured.Unstructured) verdict {
	v := verdict{
		assessor:      r.assessor,
		healthIgnored: health.IgnoredInApplication(live),
		extraneous:    hasOption(live, v1alpha1.AnnotationCompareOptions, "IgnoreExtraneous"),
		kept:          hasOption(live, v1alpha1.AnnotationSyncOptions, "Prune=false"),
		confirmed:     hasOption(live, v1alpha1.AnnotationSyncOptions, "Prune=confirm"),
		pruneLast:     hasOption(live, v1alpha1.AnnotationSyncOptions, "PruneLast=true"),
		dependent:     plan.IsHook(live) || hasController(live),
		clientSide:    len(compare.ClientSideManagers(live)) > 0,
		images:        imagesOf(live),
		urls:          urlsOf(live),
		wave:          plan.WaveOf(live),
	}
	_, v.observed, _ = unstructured.NestedFieldNoCopy(live.Object, "status", "observedGeneration")
	if v.health, v.hasHealth = r.assessor.Assess(ctx, live); !v.hasHealth {
		v.shown, v.hasShown = health.OfApplication(live)
	}
	return v
}

func versionOf(live *cluster.Object) string { return string(live.UID) + "/" + live.ResourceVersion }

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
	for value := range strings.SplitSeq(obj.GetAnnotations()[annotation], ",") {
		if strings.TrimSpace(value) == option {
			return true
		}
	}
	return false
}
