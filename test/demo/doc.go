// Command demo runs Fairlead before your eyes: it starts a development cluster, serves the example monorepo as a Git
// repository, starts bin/fairlead, creates the example AppProject and Applications, shows how they become Synced and
// Healthy, and says what to try next. Ctrl-C stops it all.
//
// `make demo` builds what it needs and runs it from the root of the repository. All its state lies in .demo, fresh each
// time. With --cluster=mine it uses the cluster of KUBECONFIG instead, where it makes the CRDs and touches only the
// namespace argocd and the namespaces of the example; it deletes the Applications again at the end.
//
// With --once it ends as soon as all Applications are Synced and Healthy (exit status 0), or when they are not within
// --deadline (exit status 1, with what each of them lacks).
//
// The files follow the order of things: demo.go is the story, cluster.go, install.go and monorepo.go prepare,
// process.go runs and watches the programs, state.go and states.go follow the Applications, screen.go and hints.go show.
package main
