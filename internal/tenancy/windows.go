package tenancy

import (
	"fmt"
	"slices"
	"time"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// Windows are the sync windows that concern one Application.
type Windows []*Window

// Windows returns those of the project, and of the global projects that it inherits from, that concern an Application.
func (p *Project) Windows(app *v1alpha1.Application) Windows {
	var out Windows
	for _, w := range p.windows {
		if w.concerns(app) {
			out = append(out, w)
		}
	}
	return out
}

// Active returns the windows that are open.
func (w Windows) Active(now time.Time) Windows {
	return slices.DeleteFunc(slices.Clone(w), func(w *Window) bool { return !w.open(now) })
}

// Sync is what windows are asked about.
type Sync struct {
	// Manual says that a person asked for it.
	Manual bool
	// Started is when it began; zero for one that has not.
	Started time.Time
}

// Verdict is what the windows say about a sync at a moment.
type Verdict struct {
	// By is the window that holds the sync: one that denies, or the next one that allows; nil when it may go ahead.
	By *Window
	// Until is when the sync may go ahead, in the time zone of By; zero when that is never, or not known.
	Until time.Time
	// Again is when to ask again at the latest; zero when only a change of the project changes anything.
	Again time.Time
}

// Allowed says that the sync may go ahead.
func (v Verdict) Allowed() bool { return v.By == nil }

// String is the half sentence that says by what the sync is held, and until when.
func (v Verdict) String() string {
	switch {
	case v.Allowed():
		return ""
	case v.By.fault != nil:
		return "by the " + v.By.String() + ", which has an error"
	case v.Until.IsZero():
		return "by the " + v.By.String()
	case v.By.denies():
		return fmt.Sprintf("until %s by the %s", clock(v.Until), v.By)
	default:
		return fmt.Sprintf("until %s, when the %s opens", clock(v.Until), v.By)
	}
}

func clock(t time.Time) string { return t.Format("2006-01-02 15:04 ") + t.Location().String() }

// Decide says whether a sync may go on, or begin, at a moment.
func (w Windows) Decide(now time.Time, sync Sync) Verdict {
	by := w.holding(now, sync)
	if by == nil {
		return Verdict{}
	}
	v := Verdict{By: by}
	const turns = 64
	at := now
	for range turns {
		seen := false
		if at, seen = w.turns(at); at.IsZero() {
			return v
		}
		v.Again = at
		if !seen {
			return v
		}
		if w.holding(at, sync) == nil {
			v.Until = at
			if by.fault == nil {
				v.Until = at.In(by.schedule.location)
			}
			return v
		}
	}
	return v
}

// turns is when the next of the windows opens or closes; zero when none does.
func (w Windows) turns(after time.Time) (first time.Time, seen bool) {
	for _, window := range w {
		if at, sure := window.turns(after); !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first, seen = at, sure
		}
	}
	return first, seen
}

// holding returns a window that holds a sync at a moment; nil when it may go ahead. The rules are those of Argo CD:
// an open window that denies goes before all; one that is open and allows lets everything through; with none of either
// those that allow hold what comes outside of them.
func (w Windows) holding(at time.Time, sync Sync) *Window {
	var denying, closed Windows
	allowed := false
	for _, window := range w {
		open := window.open(at)
		switch {
		case window.denies() && open:
			denying = append(denying, window)
		case window.denies():
		case open:
			allowed = true
		default:
			closed = append(closed, window)
		}
	}
	switch {
	case len(denying) > 0:
		return w.holdingOf(denying, sync, func(a, b *Window) bool { return turnsBefore(b, a, at) })
	case allowed || len(closed) == 0:
		return nil
	default:
		return w.holdingOf(closed, sync, func(a, b *Window) bool { return turnsBefore(a, b, at) })
	}
}

func turnsBefore(a, b *Window, at time.Time) bool {
	turns, _ := a.turns(at)
	other, _ := b.turns(at)
	return !turns.IsZero() && (other.IsZero() || turns.Before(other))
}

// holdingOf picks from windows that are against a sync the one to tell of, unless all of them make an exception for
// it: for what a person asked for, or for what began when it was allowed.
func (w Windows) holdingOf(against Windows, sync Sync, before func(a, b *Window) bool) *Window {
	if sync.Manual && all(against, func(s *v1alpha1.InlineSyncWindow) bool { return s.ManualSync }) {
		return nil
	}
	if !sync.Started.IsZero() && all(against, func(s *v1alpha1.InlineSyncWindow) bool { return s.SyncOverrun }) &&
		w.holding(sync.Started, Sync{Manual: sync.Manual}) == nil {
		return nil
	}
	told := against[0]
	for _, window := range against[1:] {
		if before(window, told) {
			told = window
		}
	}
	return told
}

func all(windows Windows, holds func(*v1alpha1.InlineSyncWindow) bool) bool {
	return !slices.ContainsFunc(windows, func(w *Window) bool { return !holds(w.spec) })
}
