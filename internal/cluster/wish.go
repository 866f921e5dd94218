package cluster

import "slices"

// wishes are the objects that applications want to know about although nothing on the objects says so: what they have
// in Git. Two cases make them needed: objects that exist already but were never synced, and CustomResourceDefinitions,
// which carry no tracking mark.
type wishes struct {
	apps map[Key][]string
	keys map[string][]Key
}

// set replaces an application's wishes and returns the keys that nobody wants any more.
func (w *wishes) set(app string, keys []Key) (dropped []Key) {
	old := w.keys[app]
	if len(keys) == 0 {
		delete(w.keys, app)
	} else {
		w.keys[app] = slices.Clone(keys)
	}
	keep := make(map[Key]struct{}, len(keys))
	for _, k := range keys {
		keep[k] = struct{}{}
		if !slices.Contains(w.apps[k], app) {
			w.apps[k] = append(w.apps[k], app)
		}
	}
	for _, k := range old {
		if _, ok := keep[k]; ok {
			continue
		}
		apps := w.apps[k]
		if i := slices.Index(apps, app); i >= 0 {
			apps = slices.Delete(apps, i, i+1)
		}
		if len(apps) > 0 {
			w.apps[k] = apps
			continue
		}
		delete(w.apps, k)
		dropped = append(dropped, k)
	}
	return dropped
}
