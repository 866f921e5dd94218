package e2e

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// servesRepo finds the address at which the program serves the component repo.
var servesRepo = regexp.MustCompile(`serving the repo component.*?(127\.0\.0\.1:\d+)`)

// beginRepo runs the component repo alone.
func (i *installation) beginRepo(t testing.TB, address, dir string, args ...string) *program {
	t.Helper()
	p := i.begin(t, nil, append([]string{"--components", "repo", "--repo-listen", address, "--data-dir", filepath.Join(dir, "data")}, args...)...)
	if err := p.awaitReady(t.Context()); err != nil {
		t.Fatalf("%v\n%s", err, p.log)
	}
	return p
}

func (p *program) repoAddress(t testing.TB) string {
	t.Helper()
	match := servesRepo.FindStringSubmatch(p.log.String())
	if match == nil {
		t.Fatalf("the component repo is not served:\n%s", p.log)
	}
	return match[1]
}

func TestTheRepoComponentRunsInAProcessOfItsOwn(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.set(t, map[string]string{"timeout.reconciliation": "5s", "timeout.reconciliation.jitter": "0s"})
	dir := t.TempDir()
	server := i.beginRepo(t, "127.0.0.1:0", dir)
	address := server.repoAddress(t)
	controller := i.start(t, nil, "--components", "controller,api", "--repo-server", address)
	a := i.deploy(t, map[string]string{"one.yaml": configMapYAML("one", "v", "1")}, automated)
	a.await(t, synced, noConditions)
	a.awaitData(t, "one", "v", "1")

	t.Run("counts what it does", func(t *testing.T) {
		eventually(t, "the metrics of the component repo", func() error {
			metrics, err := server.get(t.Context(), "/metrics")
			if err != nil {
				return err
			}
			for _, want := range []string{
				fmt.Sprintf("argocd_git_request_total{repo=%q,request_type=\"ls-remote\"}", a.repo.URL()),
				fmt.Sprintf("argocd_git_request_duration_seconds_count{repo=%q,request_type=\"fetch\"}", a.repo.URL()),
				fmt.Sprintf("argocd_repo_pending_request_total{repo=%q} 0", a.repo.URL()),
				`fairlead_render_requests_total{outcome="rendered"} 1`,
			} {
				if !strings.Contains(metrics, want) {
					return fmt.Errorf("there is no %s", want)
				}
			}
			return nil
		})
	})
	t.Run("refuses strangers and plain text", func(t *testing.T) {
		plain, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer plain.Close()
		fmt.Fprint(plain, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
		if answer, _ := io.ReadAll(plain); strings.Contains(string(answer), "\x00\x04\x00\x00") {
			t.Errorf("plain text is answered: %q", answer)
		}
		stranger, err := (&tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}}}).DialContext(t.Context(), "tcp", address)
		if err == nil { // in TLS 1.3 the refusal comes with the first answer
			defer stranger.Close()
			_, err = io.ReadAll(stranger)
		}
		if err == nil || !strings.Contains(err.Error(), "certificate required") {
			t.Errorf("somebody without a certificate: %v", err)
		}
		server.awaitLog(t, "refused a connection to the repo component")
	})
	t.Run("leaves the last state while it is away", func(t *testing.T) {
		server.kill(t)
		commit := a.push(t, map[string]string{"one.yaml": configMapYAML("one", "v", "2")})
		a.await(t, hasCondition(v1alpha1.ApplicationConditionComparisonError, "the repo component cannot be reached", address))
		a.patch(t, `{"metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}}}`)
		a.await(t, synced, hasCondition(v1alpha1.ApplicationConditionComparisonError, "compared with what was rendered last"))
		a.awaitData(t, "one", "v", "1")

		i.beginRepo(t, address, dir)
		a.await(t, syncedTo(commit), noConditions)
		a.awaitData(t, "one", "v", "2")
	})
	t.Run("and opens no port in the process of the controller", func(t *testing.T) {
		if servesRepo.MatchString(controller.log.String()) {
			t.Errorf("it does:\n%s", controller.log)
		}
	})
}

func TestTheRepoComponentSpeaksPlainTextOnRequest(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.setIn(t, "argocd-cmd-params-cm", map[string]string{"reposerver.disable.tls": "true"})
	server := i.beginRepo(t, "127.0.0.1:0", t.TempDir())
	server.awaitLog(t, "TLS is disabled")
	controller := i.start(t, nil, "--components", "controller", "--repo-server", server.repoAddress(t))
	a := i.deploy(t, map[string]string{"one.yaml": configMapYAML("one", "v", "1")}, automated)
	a.await(t, synced, noConditions)
	controller.awaitLog(t, "in plain text")
}
