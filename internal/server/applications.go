package server

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// listApplications answers with the Applications that the query asks for and the caller may see, by name.
func (s *Server) listApplications(w http.ResponseWriter, r *http.Request, who caller) error {
	q, err := parseQuery(r)
	if err != nil {
		return err
	}
	var found []*v1alpha1.Application
	version := uint64(0)
	for _, app := range s.options.Applications.List() {
		if s.permit(who, "get", app) != nil {
			continue
		}
		version = max(version, versionOf(app))
		if q.matches(app) {
			found = append(found, app)
		}
	}
	sortApplications(found)
	items := make([]json.RawMessage, 0, len(found))
	for _, app := range found {
		data, err := s.encoded.of(app)
		if err != nil {
			return err
		}
		items = append(items, data)
	}
	var list struct {
		Metadata metav1.ListMeta   `json:"metadata"`
		Items    []json.RawMessage `json:"items"`
	}
	list.Items = items
	if version > 0 {
		list.Metadata.ResourceVersion = strconv.FormatUint(version, 10)
	}
	s.writeJSON(w, r, list)
	return nil
}

// getApplication answers with one Application, and with refresh after it has been compared again.
func (s *Server) getApplication(w http.ResponseWriter, r *http.Request, who caller) error {
	q, err := parseQuery(r)
	if err != nil {
		return err
	}
	app, err := s.find(r.Context(), r.PathValue("name"), q.namespace, q.projects, who, "get")
	if err != nil {
		return err
	}
	if q.refresh != "" {
		deadline(w, time.Now().Add(s.options.RefreshWait+answerTimeout))
		if app, err = s.refresh(r.Context(), app, q.refresh); err != nil {
			return err
		}
	}
	if live, err := s.live(); err == nil {
		app = live.Whole(app)
	}
	s.writeJSON(w, r, app)
	return nil
}

// find reads an Application from the cluster, not from what is watched: a client that has just changed it wants to see
// the change. One that the caller may not see looks like one that does not exist.
func (s *Server) find(ctx context.Context, name, namespace string, projects []string, who caller, verb string) (*v1alpha1.Application, error) {
	if len(projects) > 1 {
		return nil, failure(codeInvalidArgument, "give at most one project")
	}
	if namespace == "" {
		namespace = s.options.Namespace
	}
	missing := failure(codeNotFound, "applications.argoproj.io %q not found", name)
	// A namespace in which Applications are not honoured is not even asked about.
	if _, ok := s.options.Applications.Get(types.NamespacedName{Namespace: namespace, Name: name}); !ok && namespace != s.options.Namespace {
		return nil, missing
	}
	app, err := s.options.Client(namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		if asAPIError(err).code == codeNotFound {
			return nil, missing
		}
		return nil, fmt.Errorf("read Application %s in namespace %s: %w", name, namespace, err)
	}
	if s.permit(who, "get", app) != nil || len(projects) == 1 && projects[0] != app.Spec.GetProject() {
		return nil, missing
	}
	if err := s.permit(who, verb, app); err != nil {
		return nil, err
	}
	return app, nil
}

// refresh asks for a new comparison and waits until it is done, but not forever.
func (s *Server) refresh(ctx context.Context, app *v1alpha1.Application, how string) (*v1alpha1.Application, error) {
	kind := v1alpha1.RefreshTypeNormal
	if how == string(v1alpha1.RefreshTypeHard) {
		kind = v1alpha1.RefreshTypeHard
	}
	key := types.NamespacedName{Namespace: app.Namespace, Name: app.Name}
	subscription := s.hub.subscribe(func(a *v1alpha1.Application) bool { return a.Namespace == key.Namespace && a.Name == key.Name })
	defer subscription.close()
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]any{v1alpha1.AnnotationRefresh: kind}}})
	if err != nil {
		return nil, fmt.Errorf("describe the refresh: %w", err)
	}
	asked, err := s.options.Client(app.Namespace).Patch(ctx, app.Name, types.MergePatchType, patch, metav1.PatchOptions{})
	if err != nil {
		return nil, fmt.Errorf("ask for a refresh of Application %s: %w", key, err)
	}
	timeout := time.NewTimer(s.options.RefreshWait)
	defer timeout.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil, failure(codeUnavailable, "the request ended before the refresh did")
		case <-timeout.C:
			return asked, nil
		case <-subscription.ready:
			for _, e := range subscription.take() {
				if e.kind == eventDeleted {
					return nil, failure(codeNotFound, "applications.argoproj.io %q not found", app.Name)
				}
				_, pending := e.app.Annotations[v1alpha1.AnnotationRefresh]
				if !pending && versionOf(e.app) > versionOf(asked) {
					return e.app, nil
				}
			}
		}
	}
}

// versionOf gives the version of an Application as a number, 0 when it is none.
func versionOf(app *v1alpha1.Application) uint64 {
	n, err := strconv.ParseUint(app.ResourceVersion, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func sortApplications(apps []*v1alpha1.Application) {
	slices.SortFunc(apps, func(a, b *v1alpha1.Application) int {
		if c := strings.Compare(a.Name, b.Name); c != 0 {
			return c
		}
		return strings.Compare(a.Namespace, b.Namespace)
	})
}
