// Package legacy runs the plugins that argocd-cm lists under configManagementPlugins, as Argo CD did before it had
// sidecars: their commands run in this process's container, with its environment and its access to everything, on files
// that come from repositories. Whoever can write to a repository that uses such a plugin can probably run programs here.
// So nothing of it happens unless the operator switches it on.
package legacy
