package e2e

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/test/gitserver"
)

// These tests trust hosts of their own, so they share a fairlead of their own.
func TestRepositoriesAreReachedAsTheirSecretsSay(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.start(t, nil)
	t.Run("over HTTPS with a password and an authority of its own", func(t *testing.T) { i.overHTTPS(t) })
	t.Run("over SSH with a key and known hosts", func(t *testing.T) { i.overSSH(t) })
	t.Run("as a GitHub App, by a template", func(t *testing.T) { i.asGitHubApp(t) })
	t.Run("with submodules", func(t *testing.T) { i.withSubmodule(t) })
	t.Run("with objects of Git LFS", func(t *testing.T) { i.withLFS(t) })
}

func (i *installation) overHTTPS(t *testing.T) {
	server := gitserver.Start(t, gitserver.Options{TLS: true, Username: "reader", Password: "open sesame"})
	a := i.fromServer(t, server, (*gitserver.Repo).URL)
	a.await(t, hasCondition(v1alpha1.ApplicationConditionComparisonError, "certificate"))
	i.setIn(t, "argocd-tls-certs-cm", map[string]string{"127.0.0.1": string(server.CA())})
	a.await(t, hasCondition(v1alpha1.ApplicationConditionComparisonError, "credentials"))
	i.addRepository(t, map[string]string{"url": a.repo.URL(), "username": "reader", "password": "open sesame"})
	a.awaitWithin(t, soon, synced, noConditions)
	commit := a.push(t, map[string]string{"one.yaml": configMapYAML("one", "v", "2")})
	a.refresh(t, v1alpha1.RefreshTypeNormal)
	a.await(t, syncedTo(commit), noConditions)
	a.awaitData(t, "one", "v", "2")
}

func (i *installation) overSSH(t *testing.T) {
	if _, err := exec.LookPath("ssh"); err != nil {
		t.Skip("no ssh program here")
	}
	server := gitserver.Start(t, gitserver.Options{})
	public, private := gitserver.SSHKey(t)
	host := server.SSH(t, public)
	a := i.fromServer(t, server, host.URL)
	i.addRepository(t, map[string]string{"url": host.URL(a.repo), "sshPrivateKey": string(private)})
	a.await(t, hasCondition(v1alpha1.ApplicationConditionComparisonError, "host key"))
	i.setIn(t, "argocd-ssh-known-hosts-cm", map[string]string{"ssh_known_hosts": host.KnownHosts})
	a.awaitWithin(t, soon, synced, noConditions)
	a.mustBeLive(t, "one")
}

func (i *installation) asGitHubApp(t *testing.T) {
	server := gitserver.Start(t, gitserver.Options{})
	hub := server.GitHub(t, map[string]int64{"org": 12})
	i.addCredentials(t, "repo-creds", map[string]string{
		"url": server.URL() + "/org", "githubAppID": fmt.Sprint(hub.AppID), "githubAppPrivateKey": string(hub.PrivateKey),
		"githubAppEnterpriseBaseUrl": hub.BaseURL(),
	})
	a := &application{installation: i, name: uniqueName(t.Name()), home: i.namespace, into: i.cluster.Namespace(t)}
	a.repo = server.Repository(t, "org/"+a.name+".git", inFolder(map[string]string{"one.yaml": configMapYAML("one", "v", "1")}))
	a.create(t, automated)
	a.await(t, synced, noConditions)
	hub.Revoke()
	commit := a.push(t, map[string]string{"one.yaml": configMapYAML("one", "v", "2")})
	a.refresh(t, v1alpha1.RefreshTypeNormal)
	a.await(t, syncedTo(commit), noConditions)
	a.awaitData(t, "one", "v", "2")
}

func (i *installation) withSubmodule(t *testing.T) {
	server := gitserver.Start(t, gitserver.Options{})
	closed := gitserver.Start(t, gitserver.Options{Username: "reader", Password: "open sesame"})
	module := closed.Repository(t, "module.git", map[string]string{"manifests/one.yaml": configMapYAML("one", "v", "module")})
	a := i.fromServer(t, server, (*gitserver.Repo).URL, func(app *v1alpha1.Application) {
		app.Spec.Source.Path, app.Spec.Source.TargetRevision = "vendor/module/manifests", "modules"
	})
	a.repo.Must(t, gitserver.Change{
		Branch: "modules", Message: "Add a submodule",
		Files:   map[string]string{".gitmodules": fmt.Sprintf("[submodule \"m\"]\n\tpath = vendor/module\n\turl = %s\n", module.URL())},
		Modules: map[string]string{"vendor/module": module.Git(t, "rev-parse", "main")},
	})
	a.refresh(t, v1alpha1.RefreshTypeNormal)
	a.await(t, hasCondition(v1alpha1.ApplicationConditionComparisonError, "submodule", "credentials"))
	i.addRepository(t, map[string]string{"url": module.URL(), "username": "reader", "password": "open sesame"})
	a.refresh(t, v1alpha1.RefreshTypeHard)
	a.await(t, synced, noConditions)
	a.awaitData(t, "one", "v", "module")
}

func (i *installation) withLFS(t *testing.T) {
	server := gitserver.Start(t, gitserver.Options{Username: "reader", Password: "open sesame"})
	a := i.fromServer(t, server, (*gitserver.Repo).URL)
	pointer := server.LFS(a.repo).Put(configMapYAML("one", "v", "large"))
	if !strings.HasPrefix(pointer, "version ") {
		t.Fatalf("pointer = %q", pointer)
	}
	a.push(t, map[string]string{"one.yaml": pointer})
	i.addRepository(t, map[string]string{"url": a.repo.URL(), "username": "reader", "password": "open sesame", "enableLfs": "true"})
	a.awaitWithin(t, soon, synced, noConditions)
	a.awaitData(t, "one", "v", "large")
}
