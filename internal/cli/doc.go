// Package cli holds the commands of the fairlead binary. It is the edge of the
// program: here flags, environment variables and the ConfigMap
// argocd-cmd-params-cm become the documented options that every other package
// takes, and here the components are joined. Nothing outside of this package
// reads the environment.
package cli
