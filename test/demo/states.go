package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/tools/cache"
)

// states follows the Applications of the demo. Changes are received from the channel changes and handed back by apply,
// so that one goroutine owns all else.
type states struct {
	names     []string
	byName    map[string]state
	requested map[string]bool
	changes   chan change
}

func newStates(names []string) *states {
	s := &states{
		names: slices.Sorted(slices.Values(names)), byName: map[string]state{},
		requested: map[string]bool{}, changes: make(chan change),
	}
	for _, name := range names {
		s.byName[name] = state{Name: name}
	}
	return s
}

// follow watches the Applications until ctx ends and sends every change of what is shown.
func (s *states) follow(ctx context.Context, client dynamic.Interface) error {
	factory := dynamicinformer.NewFilteredDynamicSharedInformerFactory(client, 0, controlPlaneNamespace, nil)
	informer := factory.ForResource(applications).Informer()
	last := map[string]state{} // the informer calls its handler from one goroutine
	send := func(object any, deleted bool) {
		if tombstone, ok := object.(cache.DeletedFinalStateUnknown); ok {
			object = tombstone.Obj
		}
		raw, ok := object.(*unstructured.Unstructured)
		if !ok {
			return
		}
		now, err := read(raw)
		if err != nil {
			now = state{Name: raw.GetName(), Note: err.Error()}
		}
		now.Deleted = deleted
		c := change{before: last[now.Name], now: now}
		if c.before == c.now {
			return
		}
		last[now.Name] = now
		select {
		case s.changes <- c:
		case <-ctx.Done():
		}
	}
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { send(object, false) },
		UpdateFunc: func(_, object any) { send(object, false) },
		DeleteFunc: func(object any) { send(object, true) },
	})
	if err != nil {
		return fmt.Errorf("watching applications: %w", err)
	}
	err = informer.SetWatchErrorHandlerWithContext(func(watching context.Context, r *cache.Reflector, err error) {
		if ctx.Err() == nil { // the end of the demo is no error
			cache.DefaultWatchErrorHandler(watching, r, err)
		}
	})
	if err != nil {
		return fmt.Errorf("watching applications: %w", err)
	}
	factory.Start(ctx.Done())
	return nil
}

// apply takes a change into account. Applications that the user adds are followed like the others.
func (s *states) apply(c change) {
	if c.now.Deleted {
		delete(s.byName, c.now.Name)
		s.names = slices.DeleteFunc(s.names, func(name string) bool { return name == c.now.Name })
		return
	}
	if at, found := slices.BinarySearch(s.names, c.now.Name); !found {
		s.names = slices.Insert(s.names, at, c.now.Name)
	}
	s.byName[c.now.Name] = c.now
}

// firstRequest reports whether no sync of the Application was asked for yet, and remembers that one is now.
func (s *states) firstRequest(name string) bool {
	first := !s.requested[name]
	s.requested[name] = true
	return first
}

// all returns the Applications in the order of their names.
func (s *states) all() []state {
	all := make([]state, 0, len(s.names))
	for _, name := range s.names {
		all = append(all, s.byName[name])
	}
	return all
}

func (s *states) settled() bool {
	return !slices.ContainsFunc(s.all(), func(a state) bool { return !a.settled() })
}

// lacking says, line by line, what keeps Applications from being Synced and Healthy.
func (s *states) lacking() string {
	var lines []string
	for _, a := range s.all() {
		if !a.settled() {
			lines = append(lines, fmt.Sprintf("  %s: %s, %s: %s", a.Name, or(a.Sync, "not compared"), or(a.Health, "not assessed"),
				or(a.Note, "no reason is given; see the log of fairlead")))
		}
	}
	return strings.Join(lines, "\n")
}
