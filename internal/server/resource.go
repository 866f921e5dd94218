package server

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/cluster"
)

// findLive reads the Application of a call about what is live, for which the caller needs a verb on it beside get.
func (s *Server) findLive(ctx context.Context, name string, v url.Values, who caller, verb string) (*v1alpha1.Application, Live, error) {
	app, err := s.find(ctx, name, v.Get("appNamespace"), projectIn(v), who, verb)
	if err != nil {
		return nil, nil, err
	}
	live, err := s.live()
	return app, live, err
}

// projectIn reads the project that a query says the Application is in; none for any.
func projectIn(v url.Values) []string {
	if project := v.Get("project"); project != "" {
		return []string{project}
	}
	return nil
}

// objectIn reads which object of an Application a query names.
func objectIn(v url.Values) cluster.Key {
	return cluster.Key{Group: v.Get("group"), Kind: v.Get("kind"), Namespace: v.Get("namespace"), Name: v.Get("resourceName")}
}

// managedResources answers with the objects of an Application side by side: desired, live, and as a sync would make them.
func (s *Server) managedResources(w http.ResponseWriter, r *http.Request, who caller) error {
	v := r.URL.Query()
	app, live, err := s.findLive(r.Context(), r.PathValue("name"), v, who, "get")
	if err != nil {
		return err
	}
	matches := func(query, value string) bool { return query == "" || query == value }
	items, err := live.ManagedResources(r.Context(), app, func(key cluster.Key) bool {
		return matches(v.Get("name"), key.Name) && matches(v.Get("namespace"), key.Namespace) &&
			matches(v.Get("group"), key.Group) && matches(v.Get("kind"), key.Kind)
	})
	if err != nil {
		return liveError(err)
	}
	s.writeJSON(w, r, struct {
		Items []v1alpha1.ResourceDiff `json:"items,omitempty"`
	}{items})
	return nil
}

// resource answers with one live object.
func (s *Server) resource(w http.ResponseWriter, r *http.Request, who caller) error {
	v := r.URL.Query()
	app, live, err := s.findLive(r.Context(), r.PathValue("name"), v, who, "get")
	if err != nil {
		return err
	}
	obj, err := live.Manifest(r.Context(), app, objectIn(v), v.Get("version"))
	if err != nil {
		return liveError(err)
	}
	manifest, err := json.Marshal(obj.Object)
	if err != nil {
		return fmt.Errorf("encode %s %s: %w", obj.GetKind(), obj.GetName(), err)
	}
	s.writeJSON(w, r, struct {
		Manifest string `json:"manifest"`
	}{string(manifest)})
	return nil
}

// events answers with the Events about an Application, or about an object of it.
func (s *Server) events(w http.ResponseWriter, r *http.Request, who caller) error {
	v := r.URL.Query()
	uid, name := types.UID(v.Get("resourceUID")), v.Get("resourceName")
	list := &corev1.EventList{}
	if uid == "" && name == "" {
		app, err := s.find(r.Context(), r.PathValue("name"), v.Get("appNamespace"), projectIn(v), who, "get")
		if err != nil {
			return err
		}
		if s.options.Events == nil {
			return failure(codeUnavailable, "this process cannot read Events")
		}
		if list, err = s.options.Events(r.Context(), app); err != nil {
			return liveError(err)
		}
	} else {
		app, live, err := s.findLive(r.Context(), r.PathValue("name"), v, who, "get")
		if err != nil {
			return err
		}
		if list, err = live.EventsOf(r.Context(), app, uid, v.Get("resourceNamespace"), name); err != nil {
			return liveError(err)
		}
	}
	if list.Items == nil {
		list.Items = []corev1.Event{}
	}
	s.writeJSON(w, r, list)
	return nil
}
