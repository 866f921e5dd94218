package render

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// Request is everything that a result may depend on and that is at hand. The rest are Inputs.
type Request struct {
	// AppName, AppNamespace and Project of the application.
	AppName, AppNamespace, Project string
	// Namespace of the destination.
	Namespace string
	// Source to render. Renderers never see its TargetRevision: results are shared by all revisions. Of a chart
	// source the files of the Inputs are the chart's, and its path is the root.
	Source v1alpha1.ApplicationSource
	// KubeVersion of the destination, such as 1.36.3.
	KubeVersion string
	// Settings of the operator.
	Settings Settings
}

// Settings are what the operator of the installation decides about rendering. Nothing of it can be set by an
// Application or a repository.
type Settings struct {
	// KustomizeBuildOptions are the flags of kustomize.buildOptions, such as "--enable-helm".
	KustomizeBuildOptions string
	// KustomizeVersionOptions take their place for sources that name one of these versions.
	KustomizeVersionOptions map[string]string `json:",omitempty"`
	// ValuesFileSchemes are the URL schemes that Helm value files may have (helm.valuesFileSchemes); nil is http, https.
	ValuesFileSchemes []string
	// MaxManifestBytes bounds the manifest files of one directory source together; zero: no limit.
	MaxManifestBytes int64
	// DisabledTypes are source types whose tools are switched off: Helm and Kustomize, whose sources are directories of
	// manifests then, and Directory, in which Jsonnet is left out then.
	DisabledTypes []v1alpha1.ApplicationSourceType `json:",omitempty"`
}

func (s *Settings) disabled(kind v1alpha1.ApplicationSourceType) bool {
	return slices.Contains(s.DisabledTypes, kind)
}

// Object is one rendered object. It is shared by all who ask for the result, so it must not be changed.
type Object struct {
	*unstructured.Unstructured
	// File that the object comes from, relative to the root of the repository.
	File string
	// Line at which the object begins, from 1; zero when that is not known.
	Line int
	// Hash of the object's canonical JSON, in hexadecimal. Set by Memo.
	Hash string
}

// Result is what a source renders to. It is shared, so it must not be changed.
type Result struct {
	// Objects in the order of their files. Of objects that occur twice the last one.
	Objects []Object
	// SourceType is the type that was given or found.
	SourceType v1alpha1.ApplicationSourceType
	// Digest stands for all objects whatever their order: equal digests, equal objects. Set by Memo.
	Digest string
	// Warnings about the source that are no reason to stop.
	Warnings []Warning
}

// Warning is something that the owner of the source should know.
type Warning struct {
	// Reason of the warning.
	Reason WarningReason
	// File that it is about, relative to the root of the repository, or empty.
	File string
	// Message for the user.
	Message string
}

// WarningReason tells kinds of warnings apart.
type WarningReason string

const (
	// WarningRepeated means that an object occurs more than once, and the last occurrence counts.
	WarningRepeated WarningReason = "Repeated"
	// WarningIgnored means that a file was left out because it is not a manifest.
	WarningIgnored WarningReason = "Ignored"
)

// Renderer renders a source. It sees nothing but its Inputs and the Request, may be called at the same time from many
// goroutines, and keeps nothing between calls that could change a result.
type Renderer interface {
	Render(ctx context.Context, in Inputs, req Request) (Result, error)
}

// RendererFunc is a function that is a Renderer.
type RendererFunc func(ctx context.Context, in Inputs, req Request) (Result, error)

// Render calls f.
func (f RendererFunc) Render(ctx context.Context, in Inputs, req Request) (Result, error) {
	return f(ctx, in, req)
}
