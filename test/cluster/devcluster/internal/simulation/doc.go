// Package simulation puts the simulated parts of a cluster together: nodes,
// pods, the kubelets' endpoint, volumes and addresses, on one client and one
// set of informers.
package simulation
