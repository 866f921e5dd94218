// Command devcluster runs a Kubernetes cluster for development and tests in
// one process: etcd, kube-apiserver, kube-controller-manager and
// kube-scheduler as released, and simulated nodes whose pods, volumes and
// load balancers behave but run nothing.
//
//	devcluster up --dir DIR [--port N] [--kubeconfig-out FILE] [--verbose]
//
// See ../README.md for what is real and what is simulated.
package main
