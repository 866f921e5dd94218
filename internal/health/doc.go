// Package health says how well one Kubernetes object does, and why.
//
//	assessor := health.NewAssessor(scripts)
//	result, ok := assessor.Assess(ctx, object)      // by the object alone
//	result = health.Explain(result, pods, history)  // with what its pods say
//	result.Sentence(), health.WithAge(...)          // for a status, for people
//
// An assessment looks at the group and kind of an object and answers with one of Argo CD's six words and one sentence.
// The first of these that there is decides:
//
//	being deleted               Progressing, and the finalizers that hold it
//	the operator's health.lua   of the kind, then of a pattern; one that fails is Unknown and says so
//	rules for the kind          kubernetes.go, argo.go, certmanager.go ...: one file for each group of kinds
//	rules for a pattern         all of Crossplane, Knative, Istio, Config Connector
//	the conventions             generic.go: observedGeneration, Stalled, Reconciling, Ready; not for Kubernetes' own kinds
//	nothing                     the object has no health and does not count
//
// [Assess] is this without scripts. It is a pure function: it reads the unstructured object in place, converts nothing,
// allocates only for its message, and takes any shape of data, since an object may come from a foreign API server or
// from a file. A field that is missing or of another type than expected counts as absent. A status that was written for
// an older generation is never Healthy.
//
// Rules about conditions and phases are data (rules.go); a kind that needs more is a function. testdata has a manifest
// for each kind and state, and health.txt what is said about them.
//
// [Worse] and [Worst] order the words, and [Overall] folds the objects of an application into one.
package health
