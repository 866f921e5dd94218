// Package e2e tests Fairlead as its users meet it: a real API server, real Git
// repositories, and the program `fairlead run` as a process of its own. Tests
// patch Applications and push commits, and read the status and the cluster;
// they import nothing of the product but the types of its interface.
//
// All tests of a run share one control plane, which they reach by [connect].
// Most share one fairlead too, see [shared]; those that restart or configure it
// have an [installation] of their own, in a namespace of its own. A test waits
// for what it wants to see by [eventually], and never for time to pass.
//
// The program is $FAIRLEAD, or bin/fairlead of the repository, where `make
// build` puts it.
package e2e
