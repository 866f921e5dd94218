package application

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/apply"
	"github.com/fairlead-cd/fairlead/internal/cluster"
	"github.com/fairlead-cd/fairlead/internal/health"
	"github.com/fairlead-cd/fairlead/internal/plan"
)

const (
	// waitTimeout is how long a sync waits for one thing, where nobody says
	// otherwise. Migrations take hours; nothing may take for ever.
	waitTimeout = 24 * time.Hour
	// kindTimeout is how long a kind may take to be served after its definition
	// was written; the watch on definitions is usually faster than waitPoll.
	kindTimeout = time.Minute
	waitPoll    = time.Second
	// waitEvent is how long a wait lasts before an Event tells of it.
	waitEvent = time.Minute
)

// wait is one thing that an operation waits for.
type wait struct {
	what, message string
	since         time.Time // now when zero
	timeout       time.Duration
	// poll says that no event tells when it is over.
	poll bool
}

// await notes in the operation what it waits for, or ends the attempt when that
// took too long.
func (s *syncing) await(w wait) error {
	now := s.Now()
	current := s.state.Waiting
	if current == nil || current.For != w.what {
		since := now
		if !w.since.IsZero() && w.since.Before(now) {
			since = w.since
		}
		current = &v1alpha1.OperationWait{For: w.what, Since: metav1.NewTime(since.UTC().Truncate(time.Second))}
	}
	next := *current
	next.Message, next.Until = w.message, metav1.NewTime(current.Since.Add(w.timeout))
	s.state.Waiting = &next
	if left := next.Until.Sub(now); left <= 0 {
		s.state.Waiting = nil
		return attemptFailed("gave up on %s after %s: %s", w.what, w.timeout, w.message)
	} else if s.lookIn(left); w.poll {
		s.lookIn(waitPoll)
	}
	s.state.Message = fmt.Sprintf("waiting for %s: %s", w.what, w.message)
	s.tellWait(next, now)
	return errWaiting
}

// tellWait writes an Event about a wait that has lasted for a while, once.
func (s *syncing) tellWait(w v1alpha1.OperationWait, now time.Time) {
	age := now.Sub(w.Since.Time)
	if age < waitEvent {
		s.lookIn(waitEvent - age)
		return
	}
	if name := w.For + "\x00" + w.Since.String(); s.memory.toldWait != name {
		s.memory.toldWait = name
		s.Events.Eventf(s.app, corev1.EventTypeNormal, reasonOperationWaiting, "waiting for %s, %s of %s: %s",
			w.For, age.Truncate(time.Second), w.Until.Sub(w.Since.Time), w.Message)
	}
}

// lookIn asks for another look no later than after a time.
func (r *reconciliation) lookIn(after time.Duration) {
	if r.again == 0 || after < r.again {
		r.again = max(after, time.Millisecond)
	}
}

// timeoutFor is how long to wait for an object: by its own annotation, by that
// of the Application, by the flag, or by default.
func (s *syncing) timeoutFor(obj *unstructured.Unstructured) time.Duration {
	otherwise := cmp.Or(s.WaitTimeout, waitTimeout)
	otherwise = durationOr(s.app.Annotations[v1alpha1.AnnotationWaitTimeout], otherwise)
	return durationOr(obj.GetAnnotations()[v1alpha1.AnnotationWaitTimeout], otherwise)
}

// settled waits until everything before a wave is as it has to be: objects
// healthy, hooks done, prunes gone. A dry run waits for nothing.
func (s *syncing) settled(ctx context.Context, wave plan.Wave) error {
	if s.op.DryRun {
		return nil
	}
	if err := s.awaitHooks(func(step plan.Step) bool {
		return (plan.Wave{Phase: step.Phase, Number: step.Wave}).Before(wave.Phase, wave.Number)
	}); err != nil {
		return err
	}
	for i := range s.work {
		o := &s.work[i]
		if o.desired == nil || !(plan.Wave{Phase: plan.Sync, Number: o.wave}).Before(wave.Phase, wave.Number) {
			continue
		}
		if err := s.healthy(o, wave); err != nil {
			return err
		}
	}
	return s.awaitPrunes(ctx, wave)
}

// healthy waits for an object of an earlier wave.
func (s *syncing) healthy(o *object, next plan.Wave) error {
	switch {
	case !o.hasHealth:
	case o.health.Status == health.Degraded:
		return attemptFailed("%s of wave %d is degraded: %s", o.Reference, o.wave, o.health.Message)
	case o.health.Status != health.Healthy:
		since := o.written
		if since.IsZero() {
			since = s.state.StartedAt.Time
		}
		return s.await(wait{
			what: fmt.Sprintf("%s of wave %d to become healthy before %s begins", o.Reference, o.wave, waveName(next)), message: s.explained(o).Sentence(),
			since: since, timeout: s.timeoutFor(o.desired),
		})
	}
	return s.awaitReaction(o, next)
}

func waveName(w plan.Wave) string {
	if w.Phase != plan.Sync {
		return fmt.Sprintf("%s wave %d", w.Phase, w.Number)
	}
	return fmt.Sprintf("wave %d", w.Number)
}

// defaultWaveDelay is the delay between waves that is documented for Argo CD.
const defaultWaveDelay = 2 * time.Second

// awaitReaction gives controllers the time to react to an object that was just
// written, before its health is believed. An object whose status names the
// generation that it describes needs none, unless the operator asks for a delay.
func (s *syncing) awaitReaction(o *object, next plan.Wave) error {
	delay := defaultWaveDelay
	if s.WaveDelay != nil {
		delay = *s.WaveDelay
	} else if !o.hasHealth || o.observed {
		return nil
	}
	if o.written.IsZero() {
		if entry := s.results.find(o.Reference, plan.Sync); delay == 0 || entry == nil || entry.Message == unchangedMessage(entry) || o.live == nil {
			return nil
		}
		o.written = writtenAt(o.live.Live())
	}
	if left := o.written.Add(delay).Sub(s.Now()); left > 0 && left <= delay {
		s.lookIn(left)
		return s.await(wait{what: "controllers to react before " + waveName(next) + " begins", message: fmt.Sprintf("%s was just written", o.Reference), timeout: delay + time.Minute})
	}
	return nil
}

// writtenAt is when our field manager last changed something of an object.
func writtenAt(obj *unstructured.Unstructured) (at time.Time) {
	for _, fields := range obj.GetManagedFields() {
		if fields.Manager == apply.FieldManager && fields.Time != nil && fields.Time.After(at) {
			at = fields.Time.Time
		}
	}
	return at
}

// awaitPrunes waits until what was pruned is gone.
func (s *syncing) awaitPrunes(ctx context.Context, next plan.Wave) error {
	for _, entry := range s.state.SyncResult.Resources {
		if entry.Status != v1alpha1.ResultCodePruned {
			continue
		}
		live, err := s.goingAway(ctx, cluster.Key{Group: entry.Group, Kind: entry.Kind, Namespace: entry.Namespace, Name: entry.Name}, entry.Version)
		if err != nil {
			return err
		}
		if live == nil {
			continue
		}
		message := "it is being deleted"
		if finalizers := live.GetFinalizers(); len(finalizers) > 0 {
			message = fmt.Sprintf("its deletion waits for the finalizers %q", finalizers)
		}
		return s.await(wait{
			what: fmt.Sprintf("%s to be gone before %s begins", referenceOf(entry), waveName(next)), message: message,
			since: live.GetDeletionTimestamp().Time, timeout: s.timeoutFor(live), poll: true,
		})
	}
	return nil
}

// goingAway returns an object that was deleted and is still there. The watch
// may be behind the deletion, so what it shows as untouched is asked for.
func (s *syncing) goingAway(ctx context.Context, key cluster.Key, version string) (*unstructured.Unstructured, error) {
	known, ok := s.destination.Live.Get(key)
	if !ok {
		return nil, nil
	}
	if !known.Deleting.IsZero() && known.Whole() {
		return known.Live(), nil
	}
	live, err := s.destination.Live.Fetch(ctx, key, version)
	switch {
	case apierrors.IsNotFound(err), errors.Is(err, cluster.ErrKindUnknown):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("looking whether %s is gone: %w", key, err)
	case live.GetDeletionTimestamp() == nil:
		return nil, nil // somebody made another
	}
	return live, nil
}

// awaitKinds waits until the API server serves the kinds of steps: their
// definition was written by an earlier stage.
func (s *syncing) awaitKinds(ctx context.Context, steps []plan.Step) error {
	for _, step := range steps {
		gvk := schema.GroupVersionKind{Group: step.Group, Version: step.Version, Kind: step.Kind}
		if _, err := s.destination.Live.Resource(ctx, gvk); errors.Is(err, cluster.ErrKindUnknown) && !s.op.DryRun {
			return s.await(wait{
				what: "the API server to serve " + gvk.GroupKind().String(), message: err.Error(), timeout: kindTimeout, poll: true,
			})
		}
	}
	return nil
}

// awaitConfirmation waits until somebody agreed to prunes that ask for it.
func (s *syncing) awaitConfirmation(steps []plan.Step) error {
	if s.op.DryRun || approvedSince(s.app, s.state.StartedAt) {
		return nil
	}
	var asking []string
	at := positions(s.work)
	for _, step := range steps {
		if step.Action != plan.Prune {
			continue
		}
		if o := at[step.Reference]; s.options.has("Prune=confirm") || o != nil && o.confirmed {
			asking = append(asking, step.Reference.String())
		}
	}
	if len(asking) == 0 {
		return nil
	}
	return s.await(wait{
		what:    "somebody to confirm the pruning of " + named3(asking),
		message: "to agree, set the annotation " + v1alpha1.AnnotationDeletionApproved + " of the Application to the present time",
		timeout: s.timeoutFor(&unstructured.Unstructured{}),
	})
}

// named3 lists no more than three names.
func named3(names []string) string {
	const most = 3
	if len(names) <= most {
		return fmt.Sprint(names)
	}
	return fmt.Sprintf("%v and %d more", names[:most], len(names)-most)
}

// approvedSince says whether a person agreed to deletions after a time.
func approvedSince(app *v1alpha1.Application, began metav1.Time) bool {
	at, err := time.Parse(time.RFC3339, app.Annotations[v1alpha1.AnnotationDeletionApproved])
	return err == nil && !at.Before(began.Time)
}
