package cluster

import "fmt"

// The methods below make a watcher the store of its Reflector.

// Add takes an object of a watch event.
func (w *watcher) Add(obj any) error {
	o, err := w.object(obj)
	if err == nil && o != nil {
		w.state.watched(o)
	}
	return err
}

// Update takes an object of a watch event.
func (w *watcher) Update(obj any) error { return w.Add(obj) }

// Delete takes the last state of an object that is gone.
func (w *watcher) Delete(obj any) error {
	o, err := w.object(obj)
	if err == nil && o != nil {
		w.state.deleted(o)
	}
	return err
}

// Replace takes a complete list.
func (w *watcher) Replace(list []any, version string) error {
	objects := make([]*Object, 0, len(list))
	for _, item := range list {
		o, err := w.object(item)
		if err != nil {
			return err
		}
		if o == nil {
			return nil // stopped
		}
		objects = append(objects, o)
	}
	w.state.replace(w.resource.Kind.GroupKind(), w.namespace, objects, version)
	w.report(nil)
	return nil
}

// Resync has nothing to do.
func (w *watcher) Resync() error { return nil }

// object unwraps what the decoder made; nil without an error after stop.
func (w *watcher) object(obj any) (*Object, error) {
	i, ok := obj.(*item)
	if !ok {
		return nil, fmt.Errorf("unexpected %T in a watch of %s", obj, w.resource.Kind)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped {
		return nil, nil
	}
	return i.object, nil
}
