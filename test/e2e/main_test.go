package e2e

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/fairlead-cd/fairlead/api/client"
	"github.com/fairlead-cd/fairlead/test/cluster"
	"github.com/fairlead-cd/fairlead/test/gitserver"
)

// TestMain runs the tests, and then ends what they share.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := runMoreAtOnce(); err != nil {
		panic(err)
	}
	code := m.Run()
	if err := errors.Join(stopShared(), cluster.StopShared()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// runMoreAtOnce raises the number of tests that run at once above the number
// of processors, unless the command line states it: tests mostly wait.
func runMoreAtOnce() error {
	const atOnce = "8"
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if given {
		return nil
	}
	return flag.Set("test.parallel", atOnce)
}

// controlPlane is the Kubernetes cluster of all tests, with the custom
// resources installed, and the clients with which they act as users of it.
type controlPlane struct {
	kubeconfig string
	config     *rest.Config
	cluster    *cluster.Cluster
	kube       kubernetes.Interface
	dynamic    dynamic.Interface
	argo       *client.Client
}

// common is what the tests of this process share. It is package state by
// nature: tests have nothing else in common.
var common struct {
	mu    sync.Mutex
	plane *controlPlane
	git   *gitserver.Server
	// installation and program are the fairlead that most tests use.
	installation *installation
	program      *program
	dir          string
}

// connect returns the control plane, and starts it when it is first asked for.
func connect(t testing.TB) *controlPlane {
	t.Helper()
	common.mu.Lock()
	defer common.mu.Unlock()
	if common.plane == nil {
		common.plane = newControlPlane(t, cluster.ForTest(t))
		installDefinitions(t, common.plane.dynamic)
	}
	return common.plane
}

func newControlPlane(t testing.TB, c *cluster.Cluster) *controlPlane {
	t.Helper()
	config := c.RESTConfig()
	config.WarningHandlerWithContext = rest.NoWarnings{}
	p := &controlPlane{kubeconfig: c.Kubeconfig(), config: config, cluster: c}
	var err, errDynamic, errArgo error
	p.kube, err = kubernetes.NewForConfig(config)
	p.dynamic, errDynamic = dynamic.NewForConfig(config)
	p.argo, errArgo = client.New(config)
	if err := errors.Join(err, errDynamic, errArgo); err != nil {
		t.Fatalf("making clients: %v", err)
	}
	return p
}

// installDefinitions installs the custom resources, as kubectl apply
// --server-side -f deploy/crds does.
func installDefinitions(t testing.TB, c dynamic.Interface) {
	t.Helper()
	files, err := filepath.Glob("../../deploy/crds/*.yaml")
	if err != nil || len(files) != 3 {
		t.Fatalf("found definitions %v: %v", files, err)
	}
	for _, file := range files {
		crd := readObject(t, file)
		if _, err := c.Resource(crdGVR).Apply(t.Context(), crd.GetName(), crd, metav1.ApplyOptions{FieldManager: "kubectl"}); err != nil {
			t.Fatalf("applying %s: %v", file, err)
		}
		waitEstablished(t, c, crd.GetName())
	}
}

// gitServer returns the Git server that tests share which have no need to
// disturb it.
func gitServer(t testing.TB) *gitserver.Server {
	t.Helper()
	common.mu.Lock()
	defer common.mu.Unlock()
	if common.git == nil {
		server, err := gitserver.New(gitserver.Options{Dir: filepath.Join(commonDir(t), "git")})
		if err != nil {
			t.Fatal(err)
		}
		common.git = server
	}
	return common.git
}

// shared returns the fairlead that tests share which neither stop nor
// configure it. It does not poll, so that what a test sees come about comes
// from an event.
func shared(t testing.TB) *installation {
	t.Helper()
	plane := connect(t)
	common.mu.Lock()
	defer common.mu.Unlock()
	if common.program != nil {
		return common.installation
	}
	i := &installation{controlPlane: plane, namespace: uniqueName("shared")}
	i.createNamespace(t, i.namespace)
	i.set(t, map[string]string{"timeout.reconciliation": "1h", "timeout.reconciliation.jitter": "0s"})
	p, err := i.launch(commonDir(t), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	common.installation, common.program = i, p
	if err := p.awaitReady(t.Context()); err != nil {
		t.Fatalf("%v\n%s", err, p.log)
	}
	return i
}

// commonDir is a folder that lasts as long as the process.
func commonDir(t testing.TB) string {
	t.Helper()
	if common.dir == "" {
		dir, err := os.MkdirTemp("", "fairlead-e2e-") //nolint:usetesting // it outlives the test
		if err != nil {
			t.Fatal(err)
		}
		common.dir = dir
	}
	return common.dir
}

// stopShared ends what connect, gitServer and shared started, but for the
// control plane.
func stopShared() error {
	common.mu.Lock()
	defer common.mu.Unlock()
	var errs []error
	if common.program != nil {
		errs = append(errs, common.program.stop())
	}
	if common.git != nil {
		errs = append(errs, common.git.Close())
	}
	if common.dir != "" {
		errs = append(errs, os.RemoveAll(common.dir))
	}
	return errors.Join(errs...)
}

const (
	// patience is how long a test waits for what has to come; a busy machine
	// needs many times the usual moment.
	patience = time.Minute
	// soon is the bound where promptness itself is promised ("at once",
	// "within a second"), with room for a busy machine.
	soon = 10 * time.Second
)

// eventually waits until check gives nil, and fails the test with the last
// reason when it does not.
func eventually(t testing.TB, what string, check func() error) {
	t.Helper()
	within(t, patience, what, check)
}

// within is [eventually] with a bound of its own.
func within(t testing.TB, limit time.Duration, what string, check func() error) {
	t.Helper()
	if err := poll(t.Context(), limit, check); err != nil {
		t.Fatalf("waited %s for %s: %v", limit, what, err)
	}
}

// poll calls check until it gives nil, and returns its last error when that
// does not happen in time.
func poll(ctx context.Context, limit time.Duration, check func() error) error {
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	ticker := time.NewTicker(25 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := check()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-deadline.C:
			return err
		case <-ticker.C:
		}
	}
}

var notInName = regexp.MustCompile(`[^a-z0-9]+`)

// uniqueName turns a text into the name of an object that no other has.
func uniqueName(text string) string {
	name := strings.Trim(notInName.ReplaceAllString(strings.ToLower(text), "-"), "-")
	if cut := len(name) - 40; cut > 0 {
		name = strings.Trim(name[cut:], "-")
	}
	return name + "-" + rand.String(5)
}
