package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Names of the API group and of its kinds and resources.
const (
	// Group is the API group.
	Group = "argoproj.io"
	// Version is the version of the API that this package defines.
	Version = "v1alpha1"

	// ApplicationKind is the kind of Applications.
	ApplicationKind = "Application"
	// ApplicationPlural is the resource name of Applications.
	ApplicationPlural = "applications"
	// AppProjectKind is the kind of AppProjects.
	AppProjectKind = "AppProject"
	// AppProjectPlural is the resource name of AppProjects.
	AppProjectPlural = "appprojects"
	// ApplicationSetKind is the kind of ApplicationSets.
	ApplicationSetKind = "ApplicationSet"
	// ApplicationSetPlural is the resource name of ApplicationSets.
	ApplicationSetPlural = "applicationsets"
)

// The group, kinds and resources in the form that Kubernetes libraries want them. Nobody writes to
// these variables.
var (
	// SchemeGroupVersion is the group and version that the types of this package are registered under.
	SchemeGroupVersion = schema.GroupVersion{Group: Group, Version: Version}

	// ApplicationGVK is the full kind of Applications.
	ApplicationGVK = SchemeGroupVersion.WithKind(ApplicationKind)
	// AppProjectGVK is the full kind of AppProjects.
	AppProjectGVK = SchemeGroupVersion.WithKind(AppProjectKind)
	// ApplicationSetGVK is the full kind of ApplicationSets.
	ApplicationSetGVK = SchemeGroupVersion.WithKind(ApplicationSetKind)

	// ApplicationGVR is the full resource name of Applications.
	ApplicationGVR = SchemeGroupVersion.WithResource(ApplicationPlural)
	// AppProjectGVR is the full resource name of AppProjects.
	AppProjectGVR = SchemeGroupVersion.WithResource(AppProjectPlural)
	// ApplicationSetGVR is the full resource name of ApplicationSets.
	ApplicationSetGVR = SchemeGroupVersion.WithResource(ApplicationSetPlural)
)

// AddToScheme registers the custom resources of this package with a scheme.
func AddToScheme(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(SchemeGroupVersion,
		&AppProject{}, &AppProjectList{},
		&Application{}, &ApplicationList{},
		&ApplicationSet{}, &ApplicationSetList{},
	)
	metav1.AddToGroupVersion(scheme, SchemeGroupVersion)
	return nil
}
