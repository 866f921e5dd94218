package tenancy

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gobwas/glob"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// Window is a sync window of a project, compiled.
type Window struct {
	spec     *v1alpha1.InlineSyncWindow
	project  string
	place    int
	schedule schedule
	duration time.Duration
	fault    error

	applications, namespaces, clusters []*glob.Pattern
	unreadable                         bool // a pattern of it is
}

// compileWindow reads a window. One with a fault is kept: it has to go on the safe side.
func compileWindow(project string, place int, spec *v1alpha1.InlineSyncWindow) *Window {
	w := &Window{spec: spec, project: project, place: place}
	var faults []error
	if spec.Kind != v1alpha1.SyncWindowAllow && spec.Kind != v1alpha1.SyncWindowDeny {
		faults = append(faults, fmt.Errorf("kind is %q and has to be allow or deny", spec.Kind))
	}
	var err error
	if w.schedule, err = parseSchedule(spec.Schedule, spec.TimeZone); err != nil {
		faults = append(faults, err)
	}
	if w.duration, err = time.ParseDuration(spec.Duration); err != nil || w.duration <= 0 {
		faults = append(faults, fmt.Errorf("duration %q is no length of time such as 1h30m", spec.Duration))
	}
	for _, list := range []struct {
		field    string
		texts    []string
		patterns *[]*glob.Pattern
	}{
		{"applications", spec.Applications, &w.applications}, {"namespaces", spec.Namespaces, &w.namespaces}, {"clusters", spec.Clusters, &w.clusters},
	} {
		for _, text := range list.texts {
			pattern, err := glob.Compile(text)
			if err != nil {
				w.unreadable = true
				faults = append(faults, fmt.Errorf("the pattern %q of %s cannot be read", text, list.field))
				continue
			}
			*list.patterns = append(*list.patterns, pattern)
		}
	}
	w.fault = errors.Join(faults...)
	return w
}

// Spec is the window as it stands in its project. It must not be changed.
func (w *Window) Spec() *v1alpha1.InlineSyncWindow { return w.spec }

// Fault says which window of which project cannot be read, and why; nil for a good one.
func (w *Window) Fault() error {
	if w.fault == nil {
		return nil
	}
	return fmt.Errorf("spec.syncWindows[%d] of the project %q counts as %s, because of an error in it: %w", w.place, w.project, w.countsAs(), w.fault)
}

func (w *Window) countsAs() string {
	if w.denies() {
		return "one that denies all the time"
	}
	return "one that never allows"
}

// String names the window: by its description, or by its times.
func (w *Window) String() string {
	kind := v1alpha1.SyncWindowDeny
	if !w.denies() {
		kind = v1alpha1.SyncWindowAllow
	}
	name := w.spec.Description
	if name == "" {
		name = w.spec.Schedule + " for " + w.spec.Duration
	}
	return fmt.Sprintf("%s window %q of project %q", kind, name, w.project)
}

// denies says that syncs are denied while the window is open. A kind that does not exist is taken for that.
func (w *Window) denies() bool { return w.spec.Kind != v1alpha1.SyncWindowAllow }

// concerns says whether the window is about an Application. One with an unreadable pattern may be meant for any.
func (w *Window) concerns(app *v1alpha1.Application) bool {
	if w.unreadable {
		return true
	}
	to := app.Spec.Destination
	listed, matched := 0, 0
	for _, list := range []struct {
		patterns []*glob.Pattern
		values   []string
	}{
		{w.applications, []string{app.Name}},
		{w.namespaces, []string{to.Namespace}},
		{w.clusters, slices.DeleteFunc([]string{to.Name, to.Server}, func(s string) bool { return s == "" })},
	} {
		if len(list.patterns) == 0 {
			continue
		}
		listed++
		if slices.ContainsFunc(list.patterns, func(p *glob.Pattern) bool { return slices.ContainsFunc(list.values, p.Match) }) {
			matched++
		}
	}
	if w.spec.UseAndOperator {
		return listed > 0 && matched == listed
	}
	return matched > 0
}

// open says whether the window is open at a moment.
func (w *Window) open(at time.Time) bool {
	if w.fault != nil {
		return w.denies()
	}
	opened := w.schedule.next(at.Add(-w.duration))
	return !opened.IsZero() && !opened.After(at)
}

// maxOpenings is how many openings that follow each other without a pause are looked at: more than a day's minutes.
const maxOpenings = 1500

// turns is when the window next opens or closes; zero when it never does. When it stays open for longer than can be
// seen, it is the end of what was looked at, and seen is false.
func (w *Window) turns(after time.Time) (at time.Time, seen bool) {
	if w.fault != nil {
		return time.Time{}, true
	}
	if !w.open(after) {
		return w.schedule.next(after), true
	}
	opened := w.schedule.next(after.Add(-w.duration))
	for range maxOpenings {
		next := w.schedule.next(opened)
		if next.IsZero() || next.After(opened.Add(w.duration)) {
			return opened.Add(w.duration), true
		}
		opened = next
	}
	return opened.Add(w.duration), false
}
