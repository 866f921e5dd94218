package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Permissions say what a kind means that may not be listed, the setting resource.respectRBAC.
type Permissions string

const (
	// PermissionsExpected takes it for a fault to tell of: everything was meant to be visible.
	PermissionsExpected Permissions = ""
	// PermissionsNormal takes it as it is: such kinds are left out, until roles change.
	PermissionsNormal Permissions = "normal"
	// PermissionsStrict is PermissionsNormal, and asks the API server what is permitted before a kind is listed.
	PermissionsStrict Permissions = "strict"
)

// review asks whether a kind may be listed. The error is like that of a list that is refused.
func (c *Cluster) review(ctx context.Context, r Resource, namespace string) error {
	body, err := json.Marshal(&authorizationv1.SelfSubjectAccessReview{
		TypeMeta: metav1.TypeMeta{APIVersion: "authorization.k8s.io/v1", Kind: "SelfSubjectAccessReview"},
		Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &authorizationv1.ResourceAttributes{
			Namespace: namespace, Verb: "list", Group: r.Kind.Group, Version: r.Kind.Version, Resource: r.Name,
		}},
	})
	if err != nil {
		return fmt.Errorf("asking what is permitted: %w", err)
	}
	answer := c.access.Load().client.Post().AbsPath("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews").
		SetHeader("Content-Type", "application/json").Body(body).MaxRetries(0).Do(ctx)
	if err := answer.Error(); err != nil {
		return err
	}
	raw, err := answer.Raw()
	if err != nil {
		return err
	}
	var review authorizationv1.SelfSubjectAccessReview
	if err := json.Unmarshal(raw, &review); err != nil {
		return fmt.Errorf("reading what is permitted: %w", err)
	}
	if !review.Status.Allowed {
		return apierrors.NewForbidden(r.GroupVersionResource().GroupResource(), "", errors.New("a review of its permissions says so"))
	}
	return nil
}

// permitted asks for the permission to list, once until it is refused.
func (w *watcher) permitted(ctx context.Context) error {
	if w.review == nil || w.checked.Load() {
		return nil
	}
	if err := w.review(ctx, w.resource, w.namespace); err != nil {
		return err
	}
	w.checked.Store(true)
	return nil
}

// Covers returns nil when objects in the namespace, or without one when it is empty, are among those that are watched.
func (c *Cluster) Covers(namespace string) error {
	watched := c.options.Namespaces
	switch {
	case len(watched) == 0:
		return nil
	case namespace == "" && !c.options.ClusterResources:
		return fmt.Errorf("objects outside of namespaces are not managed in %s, which is limited to namespaces; set clusterResources in its Secret", c.options.Server)
	case namespace == "":
		return nil
	}
	for _, name := range watched {
		if name == namespace {
			return nil
		}
	}
	return fmt.Errorf("the namespace %q is not among those that are managed in %s; add it to namespaces in its Secret", namespace, c.options.Server)
}
