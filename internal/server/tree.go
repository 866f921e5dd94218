package server

import (
	"bytes"
	"encoding/json"
	"net/http"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/auth"
)

// resourceTree answers with the objects of an Application and what came of them.
func (s *Server) resourceTree(w http.ResponseWriter, r *http.Request, who caller) error {
	app, live, err := s.findLive(r.Context(), r.PathValue("name"), r.URL.Query(), who, "get")
	if err != nil {
		return err
	}
	tree, err := live.Tree(app)
	if err != nil {
		return liveError(err)
	}
	s.writeJSON(w, r, tree)
	return nil
}

// treePause is the least time between two trees of one stream: while objects come and go by the dozen, one tree tells all.
const treePause = 200 * time.Millisecond

// streamTree sends the tree of an Application, and again whenever it has changed.
func (s *Server) streamTree(w http.ResponseWriter, r *http.Request, who caller) error {
	app, live, err := s.findLive(r.Context(), r.PathValue("name"), r.URL.Query(), who, "get")
	if err != nil {
		return err
	}
	key := types.NamespacedName{Namespace: app.Namespace, Name: app.Name}
	subscription := s.hub.subscribe(func(a *v1alpha1.Application) bool { return a.Namespace == key.Namespace && a.Name == key.Name })
	defer subscription.close()
	changed := make(chan struct{}, 1)
	defer live.OnTree(app, func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	})()
	tree, err := live.Tree(app)
	if err != nil {
		return liveError(err)
	}
	leave, err := s.enterStream()
	if err != nil {
		return err
	}
	defer leave()
	out := &treeWriter{eventWriter: newEventWriter(w, r)}
	may := auth.Action{Resource: "applications", Verb: "get", Object: s.objectName(app)}
	check := time.NewTicker(s.options.StreamCheck)
	defer check.Stop()
	for err = out.tree(tree); err == nil; {
		select {
		case <-r.Context().Done():
			return nil
		case <-check.C:
			err = s.stillWelcome(who, out.eventWriter, may)
			continue
		case <-subscription.ready:
			subscription.take()
		case <-changed:
		}
		select {
		case <-r.Context().Done():
			return nil
		case <-time.After(treePause):
		}
		now, ok := s.options.Applications.Get(key)
		if !ok {
			return nil
		}
		// What cannot be seen at the moment shows as it was.
		if tree, treeErr := live.Tree(now); treeErr == nil {
			err = out.tree(tree)
		}
	}
	return nil
}

// treeWriter sends a tree unless it is the last one again.
type treeWriter struct {
	*eventWriter
	last []byte
}

func (t *treeWriter) tree(tree *v1alpha1.ApplicationTree) error {
	data, err := json.Marshal(tree)
	if err != nil || bytes.Equal(data, t.last) {
		return err
	}
	t.last = data
	if err := t.result(json.RawMessage(data)); err != nil {
		return err
	}
	return t.flush()
}
