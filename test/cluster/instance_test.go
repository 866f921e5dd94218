package cluster

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// One instance runs twice on a folder, beside the shared one; starting is what
// takes time here, so all that can be seen on the way is looked at.
func TestInstance(t *testing.T) {
	t.Parallel()
	binary, err := findBinary("")
	if err != nil {
		t.Fatal(err)
	}
	dir, elsewhere := filepath.Join(t.TempDir(), "cluster"), t.TempDir()
	start := func() (*child, *Cluster) {
		t.Helper()
		command := exec.Command(binary, "up", "--dir", dir)
		command.Dir = elsewhere
		command.Env = []string{"HOME=" + elsewhere, "TMPDIR=" + elsewhere, "PATH=" + os.Getenv("PATH")}
		ctx, cancel := context.WithTimeout(t.Context(), startWithin)
		defer cancel()
		began := time.Now()
		child, err := launch(ctx, command, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = child.stop() })
		t.Logf("ready after %s", time.Since(began).Round(time.Millisecond))
		c, err := connect(filepath.Join(dir, "kubeconfig"))
		if err != nil {
			t.Fatal(err)
		}
		return child, c
	}

	first, c := start()
	identity := uid(t, c)
	if shared := uid(t, ForTest(t)); shared == identity {
		t.Error("two instances are the same cluster")
	}
	client, err := kubernetes.NewForConfig(c.RESTConfig())
	if err != nil {
		t.Fatal(err)
	}
	note := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "note"}}
	if _, err := client.CoreV1().ConfigMaps(metav1.NamespaceDefault).Create(t.Context(), note, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := launch(t.Context(), exec.Command(binary, "up", "--dir", dir), nil); err == nil || !strings.Contains(err.Error(), "another devcluster runs on") {
		t.Errorf("a second process on the folder ended with %v", err)
	}

	began := time.Now()
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}
	t.Logf("stopped after %s", time.Since(began).Round(time.Millisecond))
	if left, err := os.ReadDir(elsewhere); err != nil || len(left) > 0 {
		t.Errorf("outside of its folder it left %v, %v", left, err)
	}

	_, again := start()
	if uid(t, again) != identity {
		t.Error("started again on its folder, it is another cluster")
	}
	// The client of the first run still knows the address and has a valid
	// certificate.
	if _, err := client.CoreV1().ConfigMaps(metav1.NamespaceDefault).Get(t.Context(), "note", metav1.GetOptions{}); err != nil {
		t.Errorf("an object of the first run: %v", err)
	}
}

// uid tells clusters apart.
func uid(t *testing.T, c *Cluster) string {
	t.Helper()
	client, err := kubernetes.NewForConfig(c.RESTConfig())
	if err != nil {
		t.Fatal(err)
	}
	system, err := client.CoreV1().Namespaces().Get(t.Context(), metav1.NamespaceSystem, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return string(system.UID)
}

func TestStartWithoutTheProgramSaysWhatToDo(t *testing.T) {
	_, err := Start(t.Context(), Options{Binary: filepath.Join(t.TempDir(), "devcluster")})
	if err == nil || !strings.Contains(err.Error(), "make devcluster") {
		t.Errorf("the error is %v", err)
	}
}

func TestLaunchTellsWhyTheProgramEnded(t *testing.T) {
	_, err := launch(t.Context(), exec.Command("sh", "-c", "echo no room >&2; exit 3"), nil)
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "no room") {
		t.Errorf("the error is %v", err)
	}
}

func TestLaunchGivesUpWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := launch(ctx, exec.Command("sleep", "60"), nil)
	if err == nil || !strings.Contains(err.Error(), context.DeadlineExceeded.Error()) {
		t.Errorf("the error is %v", err)
	}
}

// parentVariable makes the test binary play the process that is killed.
const parentVariable = "FAIRLEAD_TEST_PARENT"

func TestProgramEndsWithTheProcessThatStartedIt(t *testing.T) {
	if os.Getenv(parentVariable) != "" {
		child, err := launch(t.Context(), exec.Command("sh", "-c", "echo "+readyPrefix+"; exec sleep 60"), nil)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("child", child.process.Pid)
		select {}
	}
	t.Parallel()
	parent := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$")
	parent.Env = append(os.Environ(), parentVariable+"=1")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	pid := 0
	for lines := bufio.NewScanner(out); pid == 0 && lines.Scan(); {
		if text, found := strings.CutPrefix(lines.Text(), "child "); found {
			if pid, err = strconv.Atoi(text); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait() // it was killed
	eventually(t, "gone", func() (string, error) {
		// An orphan that has ended may be left as a zombie.
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil || strings.Contains(string(status), ") Z ") {
			return "gone", nil //nolint:nilerr // no status file means no process
		}
		return "there", syscall.Kill(pid, 0)
	})
}
