package render

import (
	"context"
	"io/fs"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// Request is everything but files that a result may depend on.
type Request struct {
	// AppName, AppNamespace and Project of the application.
	AppName, AppNamespace, Project string
	// Namespace of the destination.
	Namespace string
	// Source to render. Renderers never see its TargetRevision: results are shared by all revisions.
	Source v1alpha1.ApplicationSource
	// KubeVersion and APIVersions of the destination.
	KubeVersion string
	APIVersions []string
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

// Renderer renders one type of source. It sees the repository only through fsys, whose root is the repository's. It
// may be called at the same time from many goroutines and keeps no state between calls.
type Renderer interface {
	Render(ctx context.Context, fsys fs.FS, req Request) (Result, error)
}

// RendererFunc is a function that is a Renderer.
type RendererFunc func(ctx context.Context, fsys fs.FS, req Request) (Result, error)

// Render calls f.
func (f RendererFunc) Render(ctx context.Context, fsys fs.FS, req Request) (Result, error) {
	return f(ctx, fsys, req)
}
