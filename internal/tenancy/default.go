package tenancy

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/dynamic"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// Default gives the project that every installation begins with. It allows everything, and has no finalizer, so that
// nothing holds up the deletion of the installation.
func Default(namespace string) *v1alpha1.AppProject {
	return &v1alpha1.AppProject{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.SchemeGroupVersion.String(), Kind: v1alpha1.AppProjectKind},
		ObjectMeta: metav1.ObjectMeta{Name: v1alpha1.DefaultAppProjectName, Namespace: namespace},
		Spec: v1alpha1.AppProjectSpec{
			SourceRepos:              []string{"*"},
			Destinations:             []v1alpha1.ApplicationDestination{{Server: "*", Namespace: "*"}},
			ClusterResourceWhitelist: []v1alpha1.ClusterResourceRestrictionItem{{Group: "*", Kind: "*"}},
		},
	}
}

// EnsureDefaultProject creates the default project when there is none, and leaves one that is there alone. Several
// instances may do this at once.
func EnsureDefaultProject(ctx context.Context, client dynamic.Interface, namespace string) error {
	projects := client.Resource(v1alpha1.AppProjectGVR).Namespace(namespace)
	_, err := projects.Get(ctx, v1alpha1.DefaultAppProjectName, metav1.GetOptions{})
	if err == nil {
		return nil
	}
	if !apierrors.IsNotFound(err) {
		return fmt.Errorf("look for AppProject %s in namespace %s: %w", v1alpha1.DefaultAppProjectName, namespace, err)
	}
	object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(Default(namespace))
	if err != nil {
		return fmt.Errorf("describe AppProject %s: %w", v1alpha1.DefaultAppProjectName, err)
	}
	unstructured.RemoveNestedField(object, "status")
	_, err = projects.Create(ctx, &unstructured.Unstructured{Object: object}, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("create AppProject %s in namespace %s: %w", v1alpha1.DefaultAppProjectName, namespace, err)
	}
	return nil
}
