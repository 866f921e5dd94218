package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// installation is a namespace of the control plane in which a fairlead runs.
type installation struct {
	*controlPlane
	namespace string
}

// install makes an installation without a fairlead in it yet.
func install(t testing.TB) *installation {
	t.Helper()
	plane := connect(t)
	return &installation{controlPlane: plane, namespace: plane.cluster.Namespace(t)}
}

// set writes keys of argocd-cm; an empty value removes the key.
func (i *installation) set(t testing.TB, data map[string]string) {
	t.Helper()
	i.setIn(t, "argocd-cm", data)
}

// setIn writes keys of one of the ConfigMaps that hold settings.
func (i *installation) setIn(t testing.TB, name string, data map[string]string) {
	t.Helper()
	maps := i.kube.CoreV1().ConfigMaps(i.namespace)
	_, err := maps.Create(t.Context(), &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"app.kubernetes.io/part-of": "argocd"}}, Data: data,
	}, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		patch := map[string]any{"data": data}
		_, err = maps.Patch(t.Context(), name, types.MergePatchType, mustJSON(t, patch), metav1.PatchOptions{})
	}
	if err != nil {
		t.Fatalf("writing the ConfigMap %s: %v", name, err)
	}
}

// addRepository registers a repository by a Secret, as argocd repo add does.
func (i *installation) addRepository(t testing.TB, fields map[string]string) {
	t.Helper()
	i.addCredentials(t, "repository", fields)
}

// addCredentials makes a Secret of a repository or, of the kind repo-creds, of
// the credentials for many.
func (i *installation) addCredentials(t testing.TB, kind string, fields map[string]string) {
	t.Helper()
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: uniqueName("repo"), Labels: map[string]string{"argocd.argoproj.io/secret-type": kind}},
		StringData: fields,
	}
	if _, err := i.kube.CoreV1().Secrets(i.namespace).Create(t.Context(), secret, metav1.CreateOptions{}); err != nil {
		t.Fatalf("registering a repository: %v", err)
	}
}

// createNamespace makes a namespace that lasts as long as the control plane.
func (c *controlPlane) createNamespace(t testing.TB, name string) {
	t.Helper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if _, err := c.kube.CoreV1().Namespaces().Create(t.Context(), namespace, metav1.CreateOptions{}); err != nil {
		t.Fatalf("making the namespace %s: %v", name, err)
	}
}

// start runs fairlead in the installation until the test ends, and waits until
// it is ready. Its log is shown when the test fails.
func (i *installation) start(t testing.TB, env []string, args ...string) *program {
	t.Helper()
	p := i.begin(t, env, args...)
	if err := p.awaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	return p
}

// begin is start without waiting.
func (i *installation) begin(t testing.TB, env []string, args ...string) *program {
	t.Helper()
	p, err := i.launch(t.TempDir(), env, args)
	if err != nil {
		t.Fatal(err)
	}
	i.keepUntilTheEnd(t, p)
	return p
}

// keepUntilTheEnd stops a program when the test ends, and shows its log when
// the test failed.
func (i *installation) keepUntilTheEnd(t testing.TB, p *program) {
	t.Helper()
	t.Cleanup(func() {
		if err := p.stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("log of fairlead in %s:\n%s", i.namespace, p.log)
		}
	})
}

// launch runs fairlead with its data in a folder.
func (i *installation) launch(dir string, env, args []string) (*program, error) {
	return run(dir, env, slices.Concat([]string{
		"run", "--kubeconfig", i.kubeconfig, "--namespace", i.namespace, "--insecure", "--disable-auth",
		"--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0", "--data-dir", filepath.Join(dir, "data"),
	}, args))
}

// program is a fairlead process.
type program struct {
	process *os.Process
	log     *output       // what it wrote to standard output and error
	exited  chan struct{} // closed when it has ended
	err     error         // how it ended; read after exited
	// killed says that the test ended it on purpose without asking.
	killed bool
}

// run starts fairlead with nothing of the test's environment but the path, and
// env. dir becomes its home.
func run(dir string, env, args []string) (*program, error) {
	binary, err := filepath.Abs("../../bin/fairlead")
	if err != nil {
		return nil, err
	}
	if given := os.Getenv("FAIRLEAD"); given != "" {
		binary = given
	}
	cmd := exec.Command(binary, args...)
	path := os.Getenv("PATH")
	cmd.Env = append([]string{"PATH=" + path, "HOME=" + dir}, env...)
	cmd.SysProcAttr = attributes()
	p := &program{log: &output{}, exited: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p.log, p.log
	started := make(chan error)
	go func() {
		defer close(p.exited)
		defer holdThread()()
		err := cmd.Start()
		started <- err
		if err == nil {
			p.err = cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting fairlead, which `make build` builds: %w", err)
	}
	p.process = cmd.Process
	return p, nil
}

// awaitReady waits until the program says that it is ready.
func (p *program) awaitReady(ctx context.Context) error {
	err := poll(ctx, patience, func() error {
		if p.ended() {
			return nil
		}
		_, err := p.get(ctx, "/readyz")
		return err
	})
	switch {
	case p.ended():
		return fmt.Errorf("fairlead ended before it was ready: %w:\n%s", p.err, p.log)
	case err != nil:
		return fmt.Errorf("fairlead does not become ready: %w", err)
	}
	return nil
}

// servesMetrics finds the addresses at which the program serves metrics.
var servesMetrics = regexp.MustCompile(`serving metrics.*?(127\.0\.0\.1:\d+)`)

// servesAPI finds the address at which the program serves the API.
var servesAPI = regexp.MustCompile(`serving the API.*?(127\.0\.0\.1:\d+)`)

// addresses returns where the program serves metrics.
func (p *program) addresses() []string {
	var addresses []string
	for _, match := range servesMetrics.FindAllStringSubmatch(p.log.String(), -1) {
		addresses = append(addresses, match[1])
	}
	return addresses
}

// get asks the first metrics address of the program.
func (p *program) get(ctx context.Context, path string) (string, error) {
	addresses := p.addresses()
	if len(addresses) == 0 {
		return "", errors.New("it does not listen yet")
	}
	return get(ctx, "http://"+addresses[0]+path)
}

func get(ctx context.Context, url string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return "", err
	}
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s answers %s: %s", url, response.Status, body)
	}
	return string(body), nil
}

// awaitLog waits until the program has logged a text.
func (p *program) awaitLog(t testing.TB, text string) {
	t.Helper()
	eventually(t, "the log of fairlead", func() error {
		if !strings.Contains(p.log.String(), text) {
			return fmt.Errorf("it does not say %q", text)
		}
		return nil
	})
}

func (p *program) ended() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}

// kill ends the program without giving it a chance to do anything about it.
func (p *program) kill(t testing.TB) {
	t.Helper()
	p.killed = true
	if err := p.process.Kill(); err != nil {
		t.Fatalf("killing fairlead: %v", err)
	}
	<-p.exited
}

// stopWithin is how long a program may take for a graceful stop.
const stopWithin = 10 * time.Second

// stop ends the program gracefully. It is an error when it ends with one, and
// when it complained about itself while it ran.
func (p *program) stop() error {
	if !p.killed {
		if err := p.process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("stopping fairlead: %w", err)
		}
	}
	select {
	case <-p.exited:
	case <-time.After(stopWithin):
		p.killed = true
		return errors.Join(fmt.Errorf("fairlead did not stop within %s of SIGTERM:\n%s", stopWithin, p.log), p.process.Kill())
	}
	for _, complaint := range []string{"DATA RACE", "panic: ", "goroutine 1 ["} {
		if strings.Contains(p.log.String(), complaint) {
			return fmt.Errorf("the log of fairlead holds %q:\n%s", complaint, p.log)
		}
	}
	if p.err != nil && !p.killed {
		return fmt.Errorf("fairlead ended with an error: %w:\n%s", p.err, p.log)
	}
	return nil
}

// failure waits for the program to end by itself, and returns what it said. It
// fails the test when the exit status is 0.
func (p *program) failure(t testing.TB) string {
	t.Helper()
	p.killed = true // its end is no fault
	select {
	case <-p.exited:
	case <-time.After(patience):
		t.Fatal("fairlead does not end")
	}
	if p.err == nil {
		t.Fatalf("fairlead ended without an error:\n%s", p.log)
	}
	return p.log.String()
}

// output keeps all that a program writes.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

// String returns what was written so far.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// about returns the lines that name something.
func (o *output) about(name string) string {
	var lines []string
	for line := range strings.Lines(o.String()) {
		if strings.Contains(line, name) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

func mustJSON(t testing.TB, value any) []byte {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
