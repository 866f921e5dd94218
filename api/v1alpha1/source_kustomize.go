package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// ApplicationSourceKustomize holds changes that are made to a kustomization before it is built.
type ApplicationSourceKustomize struct {
	// NamePrefix is put before the name of every object.
	NamePrefix string `json:"namePrefix,omitempty" protobuf:"bytes,1,opt,name=namePrefix"`
	// NameSuffix is put after the name of every object.
	NameSuffix string `json:"nameSuffix,omitempty" protobuf:"bytes,2,opt,name=nameSuffix"`
	// Images override names, tags and digests of container images.
	Images KustomizeImages `json:"images,omitempty" protobuf:"bytes,3,opt,name=images"`
	// CommonLabels are put onto every object.
	CommonLabels map[string]string `json:"commonLabels,omitempty" protobuf:"bytes,4,opt,name=commonLabels"`
	// Version names a Kustomize version that the installation configures. Empty means the built-in
	// one.
	Version string `json:"version,omitempty" protobuf:"bytes,5,opt,name=version"`
	// CommonAnnotations are put onto every object.
	CommonAnnotations map[string]string `json:"commonAnnotations,omitempty" protobuf:"bytes,6,opt,name=commonAnnotations"`
	// ForceCommonLabels lets CommonLabels replace labels that the kustomization sets already.
	// Otherwise that is an error.
	ForceCommonLabels bool `json:"forceCommonLabels,omitempty" protobuf:"bytes,7,opt,name=forceCommonLabels"`
	// ForceCommonAnnotations lets CommonAnnotations replace annotations that the kustomization sets
	// already. Otherwise that is an error.
	ForceCommonAnnotations bool `json:"forceCommonAnnotations,omitempty" protobuf:"bytes,8,opt,name=forceCommonAnnotations"`
	// Namespace is given to every namespaced object.
	Namespace string `json:"namespace,omitempty" protobuf:"bytes,9,opt,name=namespace"`
	// CommonAnnotationsEnvsubst replaces $NAME and ${NAME} in the values of CommonAnnotations by
	// variables of the build environment.
	CommonAnnotationsEnvsubst bool `json:"commonAnnotationsEnvsubst,omitempty" protobuf:"bytes,10,opt,name=commonAnnotationsEnvsubst"`
	// Replicas override the replica counts of workloads.
	Replicas KustomizeReplicas `json:"replicas,omitempty" protobuf:"bytes,11,opt,name=replicas"`
	// Patches are applied to matching objects.
	Patches KustomizePatches `json:"patches,omitempty" protobuf:"bytes,12,opt,name=patches"`
	// Components are folders of Kustomize components to add, relative to the source's path.
	Components []string `json:"components,omitempty" protobuf:"bytes,13,rep,name=components"`
	// IgnoreMissingComponents passes over components that do not exist, in place of an error.
	IgnoreMissingComponents bool `json:"ignoreMissingComponents,omitempty" protobuf:"bytes,17,opt,name=ignoreMissingComponents"`
	// LabelWithoutSelector keeps CommonLabels out of selectors. They still go onto the objects.
	LabelWithoutSelector bool `json:"labelWithoutSelector,omitempty" protobuf:"bytes,14,opt,name=labelWithoutSelector"`
	// KubeVersion is the Kubernetes version that charts inflated by Kustomize see. Default: that of
	// the destination cluster.
	KubeVersion string `json:"kubeVersion,omitempty" protobuf:"bytes,15,opt,name=kubeVersion"`
	// APIVersions are the resource types that charts inflated by Kustomize see, each as
	// [group/]version/kind. Default: those that the destination cluster serves.
	APIVersions []string `json:"apiVersions,omitempty" protobuf:"bytes,16,opt,name=apiVersions"`
	// LabelIncludeTemplates puts CommonLabels onto pod templates as well when LabelWithoutSelector
	// is set.
	LabelIncludeTemplates bool `json:"labelIncludeTemplates,omitempty" protobuf:"bytes,18,opt,name=labelIncludeTemplates"`
}

// KustomizeImage overrides one image, in the form [old_name=]new_name[:tag][@digest] or
// old_name[:tag][@digest].
type KustomizeImage string

// KustomizeImages are image overrides, at most one for each image name.
type KustomizeImages []KustomizeImage

// KustomizeReplica overrides the replica count of the workloads of one name.
type KustomizeReplica struct {
	// Name is the name of the Deployment, StatefulSet, ReplicaSet or ReplicationController.
	Name string `json:"name" protobuf:"bytes,1,name=name"`
	// Count is the number of replicas, as a number or as text.
	Count intstr.IntOrString `json:"count" protobuf:"bytes,2,name=count"`
}

// KustomizeReplicas are replica overrides.
type KustomizeReplicas []KustomizeReplica

// KustomizePatches are the patches of a source, applied in order.
type KustomizePatches []KustomizePatch

// KustomizePatch is one patch and the objects it is for.
type KustomizePatch struct {
	// Path is the file that holds the patch, relative to the source's path. Exclusive with Patch.
	Path string `json:"path,omitempty" protobuf:"bytes,1,opt,name=path"`
	// Patch is the patch itself, as a strategic merge patch or a list of JSON patch operations.
	Patch string `json:"patch,omitempty" protobuf:"bytes,2,opt,name=patch"`
	// Target picks the objects. Without it a strategic merge patch applies to the object it names.
	Target *KustomizeSelector `json:"target,omitempty" protobuf:"bytes,3,opt,name=target"`
	// Options switch on what a patch may not do by default: allowNameChange and allowKindChange.
	Options map[string]bool `json:"options,omitempty" protobuf:"bytes,4,opt,name=options"`
}

// KustomizeSelector picks objects. Every part that is set must match; names are regular
// expressions.
type KustomizeSelector struct {
	// KustomizeResId matches what the object is called.
	KustomizeResId `json:",inline,omitempty" protobuf:"bytes,1,opt,name=resId"`
	// AnnotationSelector matches annotations, in the syntax of a label selector.
	AnnotationSelector string `json:"annotationSelector,omitempty" protobuf:"bytes,2,opt,name=annotationSelector"`
	// LabelSelector matches labels.
	LabelSelector string `json:"labelSelector,omitempty" protobuf:"bytes,3,opt,name=labelSelector"`
}

// KustomizeResId matches objects by type, name and namespace.
type KustomizeResId struct {
	// KustomizeGvk matches the type.
	KustomizeGvk `json:",inline,omitempty" protobuf:"bytes,1,opt,name=gvk"`
	// Name matches the name.
	Name string `json:"name,omitempty" protobuf:"bytes,2,opt,name=name"`
	// Namespace matches the namespace.
	Namespace string `json:"namespace,omitempty" protobuf:"bytes,3,opt,name=namespace"`
}

// KustomizeGvk matches objects by type.
type KustomizeGvk struct {
	// Group matches the API group.
	Group string `json:"group,omitempty" protobuf:"bytes,1,opt,name=group"`
	// Version matches the API version.
	Version string `json:"version,omitempty" protobuf:"bytes,2,opt,name=version"`
	// Kind matches the kind.
	Kind string `json:"kind,omitempty" protobuf:"bytes,3,opt,name=kind"`
}

// IsZero reports whether nothing is set. Empty lists are nothing.
func (k *ApplicationSourceKustomize) IsZero() bool {
	return k == nil || equality.Semantic.DeepEqual(k, &ApplicationSourceKustomize{})
}
