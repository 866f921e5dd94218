// Package plugin renders sources with config management plugins: programs of the operator's, which run beside the repo
// component as sidecars and print manifests.
//
// The work is done in two processes. Renderer is where a render begins, in a worker: it makes up the environment, asks
// render.External for what the plugin prints, and reads that as manifests. Client is what answers, in the repo component
// itself: it finds the plugin by its socket, sends it the files of the repository, and passes on what comes back.
//
// The packages below are the protocol between Client and plugin, the archive that it carries, the sidecar's side of it
// (server), and plugins without a sidecar as argocd-cm used to list them (legacy).
//
// # When a result is good for another commit
//
// Nobody can see what a plugin reads. A kept result counts as long as the folder of the source, its parameters and its
// environment are the same, and until then a plugin is not run again. The variables of the revision (ARGOCD_APP_REVISION
// and its like) are told to every plugin, but are part of this only for an Application whose own variables refer to them:
// otherwise each commit would run every plugin anew.
package plugin
