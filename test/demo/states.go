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

// state is what the demo shows of one Application.
type state struct {
	Name, Namespace string
	Sync, Health    string
	Revision        string // abbreviated commit
	Phase           string // of the last operation
	Note            string // what it waits for or suffers from
	Automated       bool   // syncs by itself
	Deleted         bool
}

// settled reports whether nothing is left to wait for.
func (s state) settled() bool { return s.Sync == "Synced" && s.Health == "Healthy" }

// change is one Application before and after.
type change struct{ before, now state }

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
		application, ok := object.(*unstructured.Unstructured)
		if !ok {
			return
		}
		now := read(application.Object)
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

// read takes what is shown from an Application.
func read(application map[string]any) state {
	text := func(path ...string) string {
		value, _, _ := unstructured.NestedString(application, path...)
		return value
	}
	revision := text("status", "sync", "revision")
	_, automated, _ := unstructured.NestedMap(application, "spec", "syncPolicy", "automated")
	return state{
		Name:      text("metadata", "name"),
		Namespace: text("spec", "destination", "namespace"),
		Sync:      text("status", "sync", "status"),
		Health:    text("status", "health", "status"),
		Revision:  revision[:min(len(revision), 7)],
		Phase:     text("status", "operationState", "phase"),
		Note:      note(application, text("status", "operationState", "phase"), text("status", "operationState", "message")),
		Automated: automated,
	}
}

// note is the most telling sentence about an Application: a condition, then a failed operation, then the objects that
// differ, then those that are not healthy.
func note(application map[string]any, phase, message string) string {
	if text, _, _ := unstructured.NestedString(application, "metadata", "deletionTimestamp"); text != "" {
		return "being deleted"
	}
	conditions, _, _ := unstructured.NestedSlice(application, "status", "conditions")
	for _, condition := range conditions {
		if c, ok := condition.(map[string]any); ok {
			return fmt.Sprintf("%v: %v", c["type"], c["message"])
		}
	}
	if phase == "Failed" || phase == "Error" {
		return "sync failed: " + message
	}
	resources, _, _ := unstructured.NestedSlice(application, "status", "resources")
	var differ, ail []string
	for _, resource := range resources {
		r, ok := resource.(map[string]any)
		if !ok {
			continue
		}
		name := fmt.Sprintf("%v %v", r["kind"], r["name"])
		if r["status"] == "OutOfSync" {
			differ = append(differ, name)
		}
		if health, ok := r["health"].(map[string]any); ok && health["status"] != "Healthy" {
			ail = append(ail, fmt.Sprintf("%s %v", name, health["status"]))
		}
	}
	switch {
	case len(differ) > 0:
		return "differs: " + short(differ)
	case len(ail) > 0:
		return short(ail)
	default:
		return ""
	}
}

// short lists the first names and counts the rest.
func short(names []string) string {
	const shown = 3
	if len(names) <= shown {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ", "), len(names)-shown)
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
