// Package tracking answers one question: which Application does a live object belong to?
//
// The answer stands on the object itself, in the formats that Argo CD 3.6 writes, so that an existing
// installation's objects are recognised as they are and stay recognisable for it:
//
//   - annotation (the default): argocd.argoproj.io/tracking-id holds "<app>:<group>/<kind>:<namespace>/<name>".
//     Controllers copy annotations from an object to the children they make of it. Because the value names the
//     object it was written for, a copy on another object is told apart, and does not count.
//   - label: the label app.kubernetes.io/instance (or another key) holds the application.
//   - annotation+label: the annotation decides; the label is written for people and tools, shortened to what a label may hold.
//
// When several installations share a cluster, each has an installation id; it stands in the annotation
// argocd.argoproj.io/installation-id, and objects with another id are nobody's.
//
// Tracker is a comparable value without state: Owner and OwnerOf read, Mark writes.
package tracking
