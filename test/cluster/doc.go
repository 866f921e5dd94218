// Package cluster starts and stops a Kubernetes cluster for tests and demos:
// the program devcluster, which holds a real control plane and simulated
// nodes.
//
// A test asks for the instance that its test process shares, and for a
// namespace of its own in it:
//
//	func TestMain(m *testing.M) { os.Exit(cluster.Main(m)) }
//
//	func TestSomething(t *testing.T) {
//		c := cluster.ForTest(t)
//		namespace := c.Namespace(t)
//		...
//	}
//
// Anything else starts an instance of its own with Start.
//
// The environment variable DEVCLUSTER names the program when it is not
// bin/devcluster of the repository, where `make devcluster` puts it.
// FAIRLEAD_TEST_KUBECONFIG makes ForTest use a cluster that runs already.
package cluster
