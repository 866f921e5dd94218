// Package kustomize renders kustomizations with Kustomize's own library, in process: it starts no program, reads no disk
// and opens no connection.
//
// Enter at Renderer. A rendering has three steps.
//
//  1. Prepare walks the graph of kustomizations: the source's own, into which the settings of the Application are worked
//     as `kustomize edit` would, and from there every base, component and remote repository. Each kustomization file is
//     rewritten on the way: what lies elsewhere (Git repositories, HTTP files, charts) is asked of render.External, and
//     stands in the rewritten file as a relative path to a place in a virtual file system.
//  2. Build runs Kustomize over that file system. Every path in a rewritten file begins with "../", which Kustomize
//     takes for nothing but a local path, and kustomization files that were not rewritten are not there. So nothing that somebody writes into a repository gets Kustomize to fork git or to open a URL. Kustomize's Helm and plugin
//     support stays switched off; charts are inflated in step 1.
//  3. The objects are traced back to their files. Comments that step 1 puts before the kind of each object carry the
//     place through the build; they are no part of the result.
//
// Kustomize keeps the OpenAPI schema in package variables. Builds with the built-in schema run side by side; one with a
// schema of its own runs alone and leaves the variables as it found them.
package kustomize
