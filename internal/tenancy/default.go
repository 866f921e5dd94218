package tenancy

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// Default gives the project that every installation begins with. It allows everything, and has no finalizer, so that
// nothing holds up the deletion of the installation. Its namespace is left to the client that creates it.
func Default() *v1alpha1.AppProject {
	return &v1alpha1.AppProject{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.SchemeGroupVersion.String(), Kind: v1alpha1.AppProjectKind},
		ObjectMeta: metav1.ObjectMeta{Name: v1alpha1.DefaultAppProjectName},
		Spec: v1alpha1.AppProjectSpec{
			SourceRepos:              []string{"*"},
			Destinations:             []v1alpha1.ApplicationDestination{{Server: "*", Namespace: "*"}},
			ClusterResourceWhitelist: []v1alpha1.ClusterResourceRestrictionItem{{Group: "*", Kind: "*"}},
		},
	}
}

// Projects reads and creates the AppProjects of one namespace.
type Projects interface {
	Get(ctx context.Context, name string, opts metav1.GetOptions) (*v1alpha1.AppProject, error)
	Create(ctx context.Context, project *v1alpha1.AppProject, opts metav1.CreateOptions) (*v1alpha1.AppProject, error)
}

// EnsureDefaultProject creates the default project when there is none, and leaves one that is there alone. Several
// instances may do this at once.
func EnsureDefaultProject(ctx context.Context, projects Projects) error {
	_, err := projects.Get(ctx, v1alpha1.DefaultAppProjectName, metav1.GetOptions{})
	if err == nil {
		return nil
	}
	if !apierrors.IsNotFound(err) {
		return fmt.Errorf("look for AppProject %s: %w", v1alpha1.DefaultAppProjectName, err)
	}
	_, err = projects.Create(ctx, Default(), metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("create AppProject %s: %w", v1alpha1.DefaultAppProjectName, err)
	}
	return nil
}
