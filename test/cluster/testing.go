package cluster

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/client-go/kubernetes"
)

// kubeconfigVariable names the environment variable with the kubeconfig of a
// cluster to test against instead of starting one.
const kubeconfigVariable = "FAIRLEAD_TEST_KUBECONFIG"

// startWithin bounds the start of the shared cluster; a busy machine needs
// many times the usual few seconds.
const startWithin = 3 * time.Minute

// shared is the one instance of this test process. It is package state by
// nature: tests have nothing else in common.
var shared struct {
	mu      sync.Mutex
	cluster *Cluster
	err     error
}

// ForTest returns the cluster that all tests of this process share, and starts
// it when it is first asked for. It fails the test when there is none to be
// had.
func ForTest(t testing.TB) *Cluster {
	t.Helper()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.cluster == nil && shared.err == nil {
		shared.cluster, shared.err = startShared()
	}
	if shared.err != nil {
		t.Fatalf("no cluster to test against: %v", shared.err)
	}
	return shared.cluster
}

func startShared() (*Cluster, error) {
	if kubeconfig := os.Getenv(kubeconfigVariable); kubeconfig != "" {
		return connect(kubeconfig)
	}
	ctx, cancel := context.WithTimeout(context.Background(), startWithin)
	defer cancel()
	return Start(ctx, Options{})
}

// StopShared ends the cluster that ForTest started, if it did. It belongs
// after the last test of the process.
func StopShared() error {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.cluster == nil {
		return nil
	}
	err := shared.cluster.Stop()
	shared.cluster = nil
	return err
}

// Main runs the tests of a process, stops the shared cluster and returns the
// exit code, for use as TestMain.
func Main(m *testing.M) int {
	code := m.Run()
	if err := StopShared(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// Namespace makes a namespace for this test alone and returns its name once
// pods can be made in it. It is deleted at the end of the test, without
// waiting for the deletion to finish.
func (c *Cluster) Namespace(t testing.TB) string {
	t.Helper()
	client, err := kubernetes.NewForConfig(c.config)
	if err != nil {
		t.Fatalf("making a client: %v", err)
	}
	name := namespaceName(t.Name())
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if _, err := client.CoreV1().Namespaces().Create(t.Context(), namespace, metav1.CreateOptions{}); err != nil {
		t.Fatalf("making the namespace %s: %v", name, err)
	}
	t.Cleanup(func() {
		// The test's own context has ended by now.
		err := client.CoreV1().Namespaces().Delete(context.WithoutCancel(t.Context()), name, metav1.DeleteOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			t.Errorf("deleting the namespace %s: %v", name, err)
		}
	})
	if err := awaitServiceAccount(t.Context(), client, name); err != nil {
		t.Fatalf("waiting for the ServiceAccount default of %s: %v", name, err)
	}
	return name
}

var notInName = regexp.MustCompile(`[^a-z0-9]+`)

// namespaceName shows which test a namespace belongs to and differs each time.
func namespaceName(test string) string {
	readable := strings.Trim(notInName.ReplaceAllString(strings.ToLower(test), "-"), "-")
	return strings.TrimRight(readable[:min(len(readable), 50)], "-") + "-" + rand.String(6)
}

// awaitServiceAccount waits for what every pod needs and the controller
// manager makes.
func awaitServiceAccount(ctx context.Context, client kubernetes.Interface, namespace string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		_, err := client.CoreV1().ServiceAccounts(namespace).Get(ctx, "default", metav1.GetOptions{})
		if !apierrors.IsNotFound(err) {
			return err
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
