// Package helm renders Helm charts in process, with Helm's own libraries, to what `helm template` of the same version
// prints. It reaches files and charts only through [render.Inputs]: there is no cluster, no file system and no network
// of its own.
//
// An Engine is the lower layer, for everybody who has a chart and values: it reads charts ([Engine.Folder],
// [Engine.Files], [Engine.Fetch]), finds their dependencies and executes the templates ([Engine.Template]). Values are
// put together with [MergeValues], as `helm -f a -f b` does.
//
// A Renderer is the upper layer, a [render.Renderer] for sources of the type Helm: it knows the fields of
// spec.source.helm.
//
// Parsed charts are kept by the digest of their content. Helm changes charts while it renders them, so each rendering
// gets its own chart objects around the shared texts and default values, which nothing changes.
//
// Templates are executed by an engine of our own, from parse trees that are kept by the text of the template. When that
// fails, Helm's engine does it again, so that errors are Helm's.
package helm
