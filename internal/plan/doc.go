// Package plan orders the changes that a sync makes.
//
// A plan is a value: it is computed from differences alone, can be printed,
// and says in which order which object is created, changed or pruned. Steps
// of one [Stage] are independent of each other and may run at once; stages run
// one after the other. Stages of one sync wave (annotation
// argocd.argoproj.io/sync-wave) are ordered by kind, so that a Namespace
// stands before what it holds and a ConfigMap before the Deployment that
// mounts it. Prunes come last, in the reverse order.
//
// The package is pure and knows no cluster.
package plan
