package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/test/gitserver"
)

// fromServer is deploy for a repository of a Git server of the test's own. The
// address may differ from the server's.
func (i *installation) fromServer(t testing.TB, server *gitserver.Server, url func(*gitserver.Repo) string, changes ...change) *application {
	t.Helper()
	a := &application{installation: i, name: uniqueName(t.Name()), home: i.namespace, into: i.cluster.Namespace(t)}
	a.repo = server.Repository(t, a.name+".git", inFolder(map[string]string{"one.yaml": configMapYAML("one", "v", "1")}))
	a.create(t, append([]change{automated, func(app *v1alpha1.Application) { app.Spec.Source.RepoURL = url(a.repo) }}, changes...)...)
	return a
}

func TestARepositoryIsReadByTheFileSystem(t *testing.T) {
	t.Parallel()
	a := shared(t).fromServer(t, gitServer(t), (*gitserver.Repo).FileURL)
	a.await(t, synced, noConditions)
	a.awaitData(t, "one", "v", "1")
	commit := a.push(t, map[string]string{"one.yaml": configMapYAML("one", "v", "2")})
	a.refresh(t, v1alpha1.RefreshTypeNormal)
	a.awaitData(t, "one", "v", "2")
	a.await(t, syncedTo(commit), noConditions)
}

func TestARepositoryNeedsTheCredentialsOfItsSecret(t *testing.T) {
	t.Parallel()
	i := shared(t)
	server := gitserver.Start(t, gitserver.Options{Username: "reader", Password: "open sesame"})
	a := i.fromServer(t, server, (*gitserver.Repo).URL)

	app := a.await(t, isSync(v1alpha1.SyncStatusCodeUnknown), hasCondition(v1alpha1.ApplicationConditionComparisonError, a.repo.URL(), "credentials"))
	a.mustNotBeLive(t, "one")
	if state := app.Status.OperationState; state != nil {
		t.Errorf("a sync was tried: %+v", state)
	}
	i.addRepository(t, map[string]string{"type": "git", "url": a.repo.URL(), "username": "reader", "password": "open sesame"})
	a.awaitWithin(t, soon, synced, noConditions)
	a.mustBeLive(t, "one")

	t.Run("and no word of them is in the log", func(t *testing.T) {
		if strings.Contains(common.program.log.String(), "open sesame") {
			t.Error("the password is in the log")
		}
	})
}

func TestARepositoryOverHTTPSIsTrustedByItsAuthority(t *testing.T) {
	t.Parallel()
	i := shared(t)
	server := gitserver.Start(t, gitserver.Options{TLS: true})
	a := i.fromServer(t, server, (*gitserver.Repo).URL)
	a.await(t, isSync(v1alpha1.SyncStatusCodeUnknown), hasCondition(v1alpha1.ApplicationConditionComparisonError, "certificate"))

	t.Run("in argocd-tls-certs-cm, which is honoured at once", func(t *testing.T) {
		i.setIn(t, "argocd-tls-certs-cm", map[string]string{"127.0.0.1": string(server.CA())})
		a.awaitWithin(t, soon, synced, noConditions)
		a.mustBeLive(t, "one")
	})
	t.Run("or not checked, when its Secret says so", func(t *testing.T) {
		other := gitserver.Start(t, gitserver.Options{TLS: true}) // with an authority of its own
		b := i.fromServer(t, other, func(r *gitserver.Repo) string { return strings.Replace(r.URL(), "127.0.0.1", "localhost", 1) })
		b.await(t, hasCondition(v1alpha1.ApplicationConditionComparisonError, "certificate"))
		i.addRepository(t, map[string]string{"url": strings.Replace(b.repo.URL(), "127.0.0.1", "localhost", 1), "insecure": "true"})
		b.awaitWithin(t, soon, synced, noConditions)
	})
}

func TestTheFolderOfAuthoritiesMayGoAndComeBackAtAnyTime(t *testing.T) {
	t.Parallel()
	i := install(t)
	server := gitserver.Start(t, gitserver.Options{TLS: true})
	certificates := filepath.Join(t.TempDir(), "tls")
	write := func() {
		if err := os.Mkdir(certificates, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(certificates, "127.0.0.1"), server.CA(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	i.start(t, []string{"ARGOCD_TLS_DATA_PATH=" + certificates})
	a := i.fromServer(t, server, (*gitserver.Repo).URL)
	a.await(t, hasCondition(v1alpha1.ApplicationConditionComparisonError, "certificate"))

	for _, value := range []string{"2", "3"} {
		write()
		commit := a.push(t, map[string]string{"one.yaml": configMapYAML("one", "v", value)})
		a.refresh(t, v1alpha1.RefreshTypeNormal)
		a.await(t, syncedTo(commit), noConditions)
		a.awaitData(t, "one", "v", value)

		if err := os.RemoveAll(certificates); err != nil {
			t.Fatal(err)
		}
		a.refresh(t, v1alpha1.RefreshTypeNormal)
		a.await(t, hasCondition(v1alpha1.ApplicationConditionComparisonError, "certificate"))
	}
}

func TestAnUnreachableRepositoryRecoversByItself(t *testing.T) {
	t.Parallel()
	i := shared(t)
	t.Run("when it was never reached before", func(t *testing.T) {
		t.Parallel()
		server := gitserver.Start(t, gitserver.Options{})
		server.SetFault(gitserver.Fault{Status: http.StatusServiceUnavailable})
		a := i.fromServer(t, server, (*gitserver.Repo).URL)
		a.await(t, isSync(v1alpha1.SyncStatusCodeUnknown), isHealth(v1alpha1.HealthStatusUnknown),
			hasCondition(v1alpha1.ApplicationConditionComparisonError, a.repo.URL(), "unreachable", "503"))
		i.othersSync(t)
		server.SetFault(gitserver.Fault{})
		a.await(t, synced, healthy, noConditions)
		a.mustBeLive(t, "one")
	})
	t.Run("when it went away after a sync, and its objects stay", func(t *testing.T) {
		t.Parallel()
		server := gitserver.Start(t, gitserver.Options{})
		a := i.fromServer(t, server, (*gitserver.Repo).URL)
		a.await(t, synced, noConditions)
		server.SetFault(gitserver.Fault{Status: http.StatusBadGateway})
		a.refresh(t, v1alpha1.RefreshTypeHard)
		a.await(t, hasCondition(v1alpha1.ApplicationConditionComparisonError, a.repo.URL(), "502"))
		a.mustBeLive(t, "one")
		i.othersSync(t)
		commit := a.push(t, map[string]string{"one.yaml": configMapYAML("one", "v", "2")})
		server.SetFault(gitserver.Fault{})
		a.await(t, syncedTo(commit), noConditions)
		a.awaitData(t, "one", "v", "2")
	})
	t.Run("when nothing listens", func(t *testing.T) {
		t.Parallel()
		server := gitserver.Start(t, gitserver.Options{})
		repo := server.Repository(t, "demo.git", map[string]string{"a": "1"})
		gone, err := gitserver.New(gitserver.Options{Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		address := strings.TrimPrefix(gone.URL(), "http://")
		if err := gone.Close(); err != nil {
			t.Fatal(err)
		}
		a := i.fromServer(t, server, func(*gitserver.Repo) string { return "http://" + address + "/" + repo.Name })
		a.await(t, isSync(v1alpha1.SyncStatusCodeUnknown), hasCondition(v1alpha1.ApplicationConditionComparisonError, address, "refused"))
		i.othersSync(t)
	})
}
