package application

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/cluster"
	"github.com/fairlead-cd/fairlead/internal/health"
	"github.com/fairlead-cd/fairlead/internal/settings"
	"github.com/fairlead-cd/fairlead/internal/tenancy"
	"github.com/fairlead-cd/fairlead/internal/tracking"
)

// memory is what is kept of an Application between two reconciles. Losing it
// costs time only.
type memory struct {
	// latest is the Application as our own last write returned it; the watch
	// may be behind it.
	latest *v1alpha1.Application
	// targets are the desired objects last made, for the identity they have.
	targets targets
	// results are the comparisons made, by object, in one manner.
	results results
	manner  *manner
	// witnesses are the events of objects that make no progress.
	witnesses map[cluster.Key]witness
	// hard says that the next look renders anew, whatever is kept.
	hard atomic.Bool
	// held are the causes that the metric counts.
	held []holdCause
	// asked are the questions put to other Applications.
	asked map[types.NamespacedName]asked
	// described is the identity of the targets that the status tells of.
	described string
	// toldWait is the wait that the last Event about one told of.
	toldWait string
	// full is the status as a whole, where less of it is stored.
	full atomic.Pointer[fullStatus]
	// compared is what the last comparison was about, for those who want to see it.
	compared atomic.Pointer[compared]
}

// reconciliation is one look at one Application. Its steps fill it in order.
type reconciliation struct {
	*Controller
	key    types.NamespacedName
	memory *memory
	now    metav1.Time

	// base is the Application as the API server has it, read with what that
	// leaves out, app the copy that the steps change and that is written at the end.
	base, read, app *v1alpha1.Application
	refresh         v1alpha1.RefreshType
	anew            bool // render, whatever is kept
	settings        *settings.Settings
	assessor        *health.Assessor

	project     compiledProject
	destination *Destination
	tracker     tracking.Tracker
	instance    string
	desired     *desired
	pin         *pin // nil without one
	manner      *manner
	current     *comparison

	// toldOf finds what the status that was read says of objects, and applied
	// what its last operation applied; nil until somebody asks.
	toldOf  map[cluster.Key]*v1alpha1.ResourceStatus
	applied map[cluster.Key]bool

	conditions []v1alpha1.ApplicationCondition
	holds      []hold
	// unmet are the dependencies that a sync by hand does not wait for, as part of its message.
	unmet string
	again time.Duration
}

// problem is an error that concerns one Application and that only its owner,
// or another event, can mend. It becomes a condition and is not retried.
type problem struct {
	condition v1alpha1.ApplicationConditionType
	err       error
	// blind says that nothing of the Application's objects can be seen.
	blind bool
}

// errLater says that an Application is to be looked at later, when an event comes or [reconciliation.again] has passed,
// and that its status stays as it is until then.
var errLater = errors.New("not yet")

func (p *problem) Error() string { return p.err.Error() }
func (p *problem) Unwrap() error { return p.err }

func invalid(format string, args ...any) error {
	return &problem{condition: v1alpha1.ApplicationConditionInvalidSpecError, err: fmt.Errorf(format, args...)}
}

func incomparable(err error) error {
	return &problem{condition: v1alpha1.ApplicationConditionComparisonError, err: err}
}

// reconcile looks at one Application. It returns after which time it wants to
// look again without an event, and an error when it should be retried.
func (c *Controller) reconcile(ctx context.Context, key types.NamespacedName) (time.Duration, error) {
	memory := c.memoryOf(key)
	app, ok := c.Watch.Get(key)
	if !ok {
		c.forget(key)
		return 0, nil
	}
	if c.Clusters.elsewhere(app.Spec.Destination) {
		c.forget(key) // it may have been ours
		return 0, nil
	}
	if latest := memory.latest; latest != nil && latest.UID == app.UID {
		if !latest.DeletionTimestamp.IsZero() && len(latest.Finalizers) == 0 {
			return 0, nil // gone with our last write, whose answer has the version of before
		}
		if olderThan(app, latest) {
			app = latest
		}
	}
	read := memory.full.Load().complete(app)
	r := &reconciliation{
		Controller: c, key: key, memory: memory, now: metav1.NewTime(c.Now().UTC().Truncate(time.Second)),
		base: app, read: read, app: copyOf(read), settings: c.Settings.Get(),
		refresh: v1alpha1.RefreshType(app.Annotations[v1alpha1.AnnotationRefresh]),
	}
	c.waits.stop(key)
	r.assessor = c.Health.Of(r.settings)
	r.anew = memory.hard.Swap(false) || r.refresh == v1alpha1.RefreshTypeHard
	if !app.DeletionTimestamp.IsZero() {
		err := r.finalize(ctx)
		return r.again, err
	}
	if app.Annotations[v1alpha1.AnnotationSkipReconcile] == "true" {
		return 0, nil
	}
	err := r.run(ctx)
	if errors.Is(err, errLater) && ctx.Err() == nil {
		return r.again, r.write(ctx) // what an operation did before
	}
	if errors.Is(context.Cause(ctx), errInterrupted) {
		return 0, r.writeInterrupted(ctx)
	}
	if err != nil && ctx.Err() != nil {
		return 0, err
	}
	if err := errors.Join(err, r.write(ctx)); err != nil {
		return r.again, err
	}
	return r.again, r.tidyHooks(ctx)
}

// run walks the path from the specification to the status.
func (r *reconciliation) run(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		r.terminate,
		r.findProject,
		r.findDestination,
		r.findDesired,
		r.compare,
		r.supersede,
		r.decide,
		r.operate,
	} {
		if err := step(ctx); err != nil {
			var stop *problem
			if !errors.As(err, &stop) {
				return err
			}
			r.conditions = append(r.conditions, r.condition(stop.condition, stop.Error()))
			r.cannotCompare(stop)
			return nil
		}
	}
	r.conclude(ctx)
	return nil
}

func (r *reconciliation) findProject(context.Context) error {
	name := r.app.Spec.GetProject()
	project, ok := r.Watch.Project(name)
	if !ok {
		return invalid("the project %q does not exist; create it or choose another in spec.project", name)
	}
	r.project = r.projects.get(project, r.Watch, r.settings)
	if err := r.project.ApplicationNamespace(r.app.Namespace, r.app.Name, r.Namespace); err != nil {
		return &problem{condition: v1alpha1.ApplicationConditionInvalidSpecError, err: err}
	}
	for _, src := range r.app.Spec.GetSources() {
		if err := r.project.Source(src.RepoURL); err != nil {
			return &problem{condition: v1alpha1.ApplicationConditionInvalidSpecError, err: err}
		}
	}
	return nil
}

func (r *reconciliation) findDestination(context.Context) error {
	r.instance = tracking.InstanceName(r.app.Namespace, r.app.Name, r.Namespace)
	destination, err := r.Clusters.For(r.instance, r.app.Spec.Destination, r.settings.InClusterEnabled)
	if err != nil {
		return &problem{condition: v1alpha1.ApplicationConditionInvalidSpecError, err: err, blind: true}
	}
	r.destination = destination
	if err := r.project.Destination(r.destinationFor(r.app.Spec.Destination.Namespace)); err != nil {
		return &problem{condition: v1alpha1.ApplicationConditionInvalidSpecError, err: err}
	}
	r.tracker = TrackerOf(r.settings)
	return r.awaitLive()
}

// awayGrace is how long an API server may be away before its Applications say so: it may be restarting.
const awayGrace = 10 * time.Second

// awaitLive lets the reconcile go on when the live state of the cluster can be relied on. It does not wait: what it would
// wait for is told as an event, and other clusters need the worker.
func (r *reconciliation) awaitLive() error {
	synced, since, err := r.destination.Live.Condition()
	switch {
	case err == nil && synced:
		return nil
	case err == nil:
		return errLater
	}
	if left := awayGrace - r.Now().Sub(since); left > 0 {
		r.again = left
		return errLater
	}
	return &problem{
		condition: v1alpha1.ApplicationConditionComparisonError, blind: true,
		err: fmt.Errorf("the live state of the cluster %s is not known: %w", r.destination.Server, err),
	}
}

// destinationFor is a namespace of the destination as the rules of a project
// look at it.
func (r *reconciliation) destinationFor(namespace string) tenancy.Destination {
	return tenancy.Destination{
		Server: r.destination.Server, Name: r.destination.Name, Namespace: namespace, ClusterProject: r.destination.Project,
	}
}

// TrackerOf returns the way of tracking that the settings ask for.
func TrackerOf(s *settings.Settings) tracking.Tracker {
	return tracking.Tracker{
		Method: tracking.Method(s.TrackingMethod), LabelKey: s.InstanceLabelKey, InstallationID: s.InstallationID,
	}
}

func (r *reconciliation) condition(kind v1alpha1.ApplicationConditionType, message string) v1alpha1.ApplicationCondition {
	return v1alpha1.ApplicationCondition{Type: kind, Message: message, LastTransitionTime: &r.now}
}
