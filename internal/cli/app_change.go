package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/retry"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// change patches an Application with a kubeconfig. decide gives the patch for
// what it is; it is asked again when somebody else changes the Application
// meanwhile.
func (c *appConnection) change(ctx context.Context, name string, decide func(*v1alpha1.Application) (map[string]any, error)) error {
	namespace, bare := c.splitName(name)
	namespace = cmp.Or(namespace, defaultNamespace)
	apps, err := c.kubernetes()
	if err != nil {
		return err
	}
	return retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		app, err := apps.Applications(namespace).Get(ctx, bare, metav1.GetOptions{})
		if err != nil {
			return fmt.Errorf("reading the Application %s in the namespace %s: %w", bare, namespace, err)
		}
		change, err := decide(app)
		if err != nil {
			return err
		}
		metadata, _ := change["metadata"].(map[string]any)
		if metadata == nil {
			metadata = make(map[string]any)
			change["metadata"] = metadata
		}
		metadata["resourceVersion"] = app.ResourceVersion
		patch, err := json.Marshal(change)
		if err != nil {
			return err
		}
		_, err = apps.Applications(namespace).Patch(ctx, bare, types.MergePatchType, patch, metav1.PatchOptions{})
		if err != nil && !apierrors.IsConflict(err) {
			return fmt.Errorf("changing the Application %s in the namespace %s: %w", bare, namespace, err)
		}
		return err
	})
}

// annotations is a patch that sets annotations.
func annotations(values map[string]any) map[string]any {
	return map[string]any{"metadata": map[string]any{"annotations": values}}
}

// user is who the kubeconfig stands for, as the API server sees it; "" when it does not say.
func (c *appConnection) user(ctx context.Context) string {
	config, err := loadRESTConfig(c.kubeconfig)
	if err != nil {
		return ""
	}
	kube, err := kubernetes.NewForConfig(config)
	if err != nil {
		return ""
	}
	review, err := kube.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		return "" // an old API server; the change itself will be refused if need be
	}
	return review.Status.UserInfo.Username
}

// own is the path of a call of Fairlead's own about an Application.
func (c *appConnection) own(name, path string) (string, url.Values) {
	namespace, bare := c.splitName(name)
	return "/api/v1/fairlead/applications/" + url.PathEscape(bare) + path, url.Values{"appNamespace": {namespace}}
}

// send asks the API for a change; body may be nil.
func (c *appConnection) send(ctx context.Context, method, path string, query url.Values, body map[string]any) error {
	var data []byte
	if method == http.MethodPost {
		if body == nil {
			body = make(map[string]any)
		}
		var err error
		if data, err = json.Marshal(body); err != nil {
			return err
		}
	}
	return c.call(ctx, method, path, query, data, ignoreAnswer)
}
