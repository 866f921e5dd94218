package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/runtime"
)

// ApplicationSourceHelm holds what is passed to Helm when a chart is rendered. Values are merged in
// this order, later ones winning: the chart's own values, ValueFiles in their order, Values or
// ValuesObject, then Parameters and FileParameters.
type ApplicationSourceHelm struct {
	// ValueFiles are paths of value files, relative to the source's path, or starting with / for
	// the root of the repository, or with $name for the source of that Ref. URLs are taken when
	// their scheme is allowed. Paths may be globs.
	ValueFiles []string `json:"valueFiles,omitempty" protobuf:"bytes,1,opt,name=valueFiles"`
	// Parameters are single values, as given to helm by --set.
	Parameters []HelmParameter `json:"parameters,omitempty" protobuf:"bytes,2,opt,name=parameters"`
	// ReleaseName is the name of the release. Default: the name of the Application.
	ReleaseName string `json:"releaseName,omitempty" protobuf:"bytes,3,opt,name=releaseName"`
	// Values is a block of YAML with values. Disregarded when ValuesObject is set.
	Values string `json:"values,omitempty" protobuf:"bytes,4,opt,name=values"`
	// FileParameters are single values read from files, as given to helm by --set-file.
	FileParameters []HelmFileParameter `json:"fileParameters,omitempty" protobuf:"bytes,5,opt,name=fileParameters"`
	// Version names the Helm version to render with. Only "v3" and empty are known, and they mean
	// the same.
	Version string `json:"version,omitempty" protobuf:"bytes,6,opt,name=version"`
	// PassCredentials sends the credentials of the repository to other hosts too, when its index or
	// a dependency points there.
	PassCredentials bool `json:"passCredentials,omitempty" protobuf:"bytes,7,opt,name=passCredentials"`
	// IgnoreMissingValueFiles passes over value files that do not exist, in place of an error.
	IgnoreMissingValueFiles bool `json:"ignoreMissingValueFiles,omitempty" protobuf:"bytes,8,opt,name=ignoreMissingValueFiles"`
	// SkipCrds leaves out what lies in the folder crds of the chart.
	SkipCrds bool `json:"skipCrds,omitempty" protobuf:"bytes,9,opt,name=skipCrds"`
	// ValuesObject holds values as an object instead of text. It wins over Values.
	//
	// +kubebuilder:pruning:PreserveUnknownFields
	ValuesObject *runtime.RawExtension `json:"valuesObject,omitempty" protobuf:"bytes,10,opt,name=valuesObject"`
	// Namespace is the namespace to render for. Default: the namespace of the destination.
	Namespace string `json:"namespace,omitempty" protobuf:"bytes,11,opt,name=namespace"`
	// KubeVersion is the Kubernetes version that the chart sees. Default: that of the destination
	// cluster.
	KubeVersion string `json:"kubeVersion,omitempty" protobuf:"bytes,12,opt,name=kubeVersion"`
	// APIVersions are the resource types that the chart sees, each as [group/]version/kind.
	// Default: those that the destination cluster serves.
	APIVersions []string `json:"apiVersions,omitempty" protobuf:"bytes,13,opt,name=apiVersions"`
	// SkipTests leaves out manifests that carry Helm's test hook.
	SkipTests bool `json:"skipTests,omitempty" protobuf:"bytes,14,opt,name=skipTests"`
	// SkipSchemaValidation renders without checking the values against the chart's
	// values.schema.json.
	SkipSchemaValidation bool `json:"skipSchemaValidation,omitempty" protobuf:"bytes,15,opt,name=skipSchemaValidation"`
}

// HelmParameter sets one chart value.
type HelmParameter struct {
	// Name is the path of the value, such as image.tag.
	Name string `json:"name,omitempty" protobuf:"bytes,1,opt,name=name"`
	// Value is the value in Helm's --set syntax.
	Value string `json:"value,omitempty" protobuf:"bytes,2,opt,name=value"`
	// ForceString keeps Helm from reading the value as a number or a boolean.
	ForceString bool `json:"forceString,omitempty" protobuf:"bytes,3,opt,name=forceString"`
}

// HelmFileParameter sets one chart value to the content of a file.
type HelmFileParameter struct {
	// Name is the path of the value.
	Name string `json:"name,omitempty" protobuf:"bytes,1,opt,name=name"`
	// Path is the path of the file, with the same rules as a value file.
	Path string `json:"path,omitempty" protobuf:"bytes,2,opt,name=path"`
}

// IsZero reports whether nothing is set. Empty lists are nothing.
func (h *ApplicationSourceHelm) IsZero() bool {
	return h == nil || equality.Semantic.DeepEqual(h, &ApplicationSourceHelm{})
}

// ValuesYAML returns the inline values as YAML or JSON text, from ValuesObject when it is set and
// else from Values. It returns nil when there are none.
func (h *ApplicationSourceHelm) ValuesYAML() []byte {
	switch {
	case h == nil:
		return nil
	case h.ValuesObject != nil && len(h.ValuesObject.Raw) > 0:
		return h.ValuesObject.Raw
	case h.Values != "":
		return []byte(h.Values)
	}
	return nil
}
