package application

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// stage is the place of an Application in a group that is synced stage by stage.
type stage struct {
	group  string
	number int
	soak   time.Duration
}

// stageOf reads the annotations of an Application; ok is false when it is in no group.
func stageOf(app *v1alpha1.Application) (s stage, ok bool, err error) {
	s.group = strings.TrimSpace(app.Annotations[v1alpha1.AnnotationWaveGroup])
	if s.group == "" {
		return s, false, nil
	}
	text := app.Annotations[v1alpha1.AnnotationStage]
	if s.number, err = strconv.Atoi(strings.TrimSpace(text)); err != nil {
		s.number = math.MinInt // before all others, which therefore wait until somebody corrects it
		return s, true, fmt.Errorf("%s of %s is %q; in a group it has to be a whole number", v1alpha1.AnnotationStage, app.Name, text)
	}
	if text := app.Annotations[v1alpha1.AnnotationStageSoak]; text != "" {
		if s.soak, err = time.ParseDuration(text); err != nil || s.soak < 0 {
			return s, true, fmt.Errorf("%s of %s is %q; it has to be a length of time such as 10m", v1alpha1.AnnotationStageSoak, app.Name, text)
		}
	}
	return s, true, nil
}

// heldByStage holds an automated sync until the lower stages of its group are
// done with the same commits. What heals a sync that was made before, or goes
// back to a pinned revision, goes ahead: it brings nothing new.
func (r *reconciliation) heldByStage(ctx context.Context, sync *automatedSync) ([]hold, error) {
	own, ok, err := stageOf(r.app)
	if !ok || sync.heals || r.pin != nil {
		return nil, nil
	}
	if err != nil {
		return []hold{{cause: causeStage, message: err.Error(), fault: true}}, nil //nolint:nilerr // it holds, and is told
	}
	var missing []string
	for _, other := range r.membersBefore(own) {
		theirs, _, err := stageOf(other)
		if err != nil {
			missing = append(missing, err.Error())
			continue
		}
		lacks, err := r.missingOf(ctx, other, max(own.soak, theirs.soak))
		if err != nil {
			return nil, err
		}
		if lacks != "" {
			missing = append(missing, fmt.Sprintf("%s in stage %d", lacks, theirs.number))
		}
	}
	if len(missing) == 0 {
		return nil, nil
	}
	return []hold{{cause: causeStage, message: fmt.Sprintf("stage %d of group %q waits: %s", own.number, own.group, firstOf(missing))}}, nil
}

// membersBefore returns the Applications of the group whose stage is lower, in
// order. Changes of each wake this one.
func (r *reconciliation) membersBefore(own stage) (before []*v1alpha1.Application) {
	for _, other := range r.Watch.group(r.key.Namespace, own.group) {
		theirs, _, _ := stageOf(other)
		if keyOf(other) == r.key || !other.DeletionTimestamp.IsZero() || theirs.number >= own.number {
			continue
		}
		r.waits.wait(r.key, keyOf(other))
		if fresh, ok := r.Watch.Get(keyOf(other)); ok {
			before = append(before, fresh)
		}
	}
	slices.SortFunc(before, func(a, b *v1alpha1.Application) int {
		first, _, _ := stageOf(a)
		second, _, _ := stageOf(b)
		return cmp.Or(cmp.Compare(first.number, second.number), cmp.Compare(a.Name, b.Name))
	})
	return before
}

// firstOf tells the first of several things that are missing, and how many more there are.
func firstOf(missing []string) string {
	if more := len(missing) - 1; more > 0 {
		return fmt.Sprintf("%s, and %d more", missing[0], more)
	}
	return missing[0]
}
