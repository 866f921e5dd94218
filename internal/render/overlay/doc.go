// Package overlay renders the monorepo layout that is built in as the plugin named overlay:
//
//	namespaces/<ns>/Chart.yaml                       a chart for the namespace, with its dependencies
//	namespaces/<ns>/common-values.yaml               values for every cluster
//	namespaces/<ns>/common-values.secret.yaml        the same, encrypted with SOPS
//	clusters/<cluster>/<ns>/<cluster>-values.yaml    values for one cluster
//	clusters/<cluster>/<ns>/<cluster>-values.secret.yaml
//
// A [Renderer] puts the two folders of a namespace and a cluster together into one chart, merges the values in that order,
// and renders the chart as Helm does. It reads these two folders and what the chart refers to, and nothing else: a change
// of one namespace's common values concerns that namespace's applications, in every cluster, and no others.
//
// [Find] lists what a repository has of this layout.
package overlay
