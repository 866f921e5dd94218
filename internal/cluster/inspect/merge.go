package inspect

import (
	"context"
	"time"
)

// source is one stream of lines, each in its own order.
type source struct {
	lines <-chan Line
	head  *Line     // the next line, nil when it has not come
	since time.Time // when head came
	ended bool
}

// merge calls line with the lines of all sources in the order of their time. With a wait, a line is not held back longer
// than that for sources that say nothing; without one it waits for each of them to say something or to end. Word is left
// in came whenever a stream has something new.
func merge(ctx context.Context, streams []<-chan Line, came <-chan struct{}, wait time.Duration, line func(Line) error) error {
	sources := make([]*source, len(streams))
	for i, s := range streams {
		sources[i] = &source{lines: s}
	}
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		for _, s := range sources {
			s.fill()
		}
		first, all := earliest(sources)
		if first == nil && all {
			return ctx.Err()
		}
		var due <-chan time.Time
		if first != nil {
			left := wait - time.Since(first.since)
			if all || wait > 0 && left <= 0 {
				l := *first.head
				first.head = nil
				if err := line(l); err != nil {
					return err
				}
				continue
			}
			if wait > 0 {
				timer.Reset(left)
				due = timer.C
			}
		}
		select {
		case <-came:
		case <-due:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// leave says that a line came or that a stream ended.
func leave(word chan<- struct{}) {
	select {
	case word <- struct{}{}:
	default:
	}
}

// fill takes the next line if it is there.
func (s *source) fill() {
	if s.head != nil || s.ended {
		return
	}
	select {
	case l, ok := <-s.lines:
		if !ok {
			s.ended = true
			return
		}
		s.head, s.since = &l, time.Now()
	default:
	}
}

// earliest returns the source with the earliest line, nil when none has one, and whether every source has said its next
// word, so that no earlier line can come.
func earliest(sources []*source) (first *source, all bool) {
	all = true
	for _, s := range sources {
		switch {
		case s.ended:
		case s.head == nil:
			all = false
		case first == nil || s.head.Time.Before(first.head.Time):
			first = s
		}
	}
	return first, all
}
