// Package plan orders the changes that a sync makes.
//
// A plan is a value: it is computed from differences and hooks alone, can be
// printed, has a digest, and says in which order which object is created,
// changed, pruned or run. It walks through phases (PreSync, Sync, PostSync),
// phases through waves, and waves through stages:
//
//	phase   what comes before, with and after the objects; each waits for the
//	        success of the one before
//	wave    annotation argocd.argoproj.io/sync-wave, or the weight of a Helm
//	        hook; each waits for the health of the one before
//	stage   steps of one wave that are independent of each other and may run at
//	        once: first prunes in the reverse order of kinds, then writes, a
//	        Namespace before what it holds and a ConfigMap before the Deployment
//	        that mounts it
//
// Prunes run in waves of their own order: the object of the highest wave goes
// first. See [MirrorPrunes].
//
// The package is pure and knows no cluster.
package plan
