package e2e

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	goredis "github.com/redis/go-redis/v9"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/test/gitserver"
	"github.com/fairlead-cd/fairlead/test/helmserver"
	"github.com/fairlead-cd/fairlead/test/ociregistry"
	"github.com/fairlead-cd/fairlead/test/redisserver"
)

// chartOf is a chart of one ConfigMap, whose value v is the chart's version.
func chartOf(name, version string) helmserver.Chart {
	return helmserver.Chart{Name: name, Version: version, Files: map[string]string{
		"templates/one.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\ndata: {v: {{ .Chart.Version | quote }}, w: {{ .Values.w | quote }}}\n",
		"values.yaml":        "w: default\n",
	}}
}

// fromSource deploys a source that is not of the test's own Git repository.
func (i *installation) fromSource(t testing.TB, source v1alpha1.ApplicationSource, changes ...change) *application {
	t.Helper()
	a := &application{installation: i, name: uniqueName(t.Name()), home: i.namespace, into: i.cluster.Namespace(t)}
	a.create(t, append([]change{automated, func(app *v1alpha1.Application) { app.Spec.Source = &source }}, changes...)...)
	return a
}

func TestAChartOfAHelmRepositoryFollowsItsRange(t *testing.T) {
	t.Parallel()
	i := shared(t)
	charts := helmserver.Start(t, helmserver.Options{Username: "reader", Password: "open sesame"}, chartOf("web", "1.0.0"), chartOf("web", "2.0.0"))
	a := i.fromSource(t, v1alpha1.ApplicationSource{
		RepoURL: charts.URL(), Chart: "web", TargetRevision: "1.*",
		Helm: &v1alpha1.ApplicationSourceHelm{ValuesObject: &runtime.RawExtension{Raw: []byte(`{"w":"mine"}`)}},
	})
	a.await(t, hasCondition(v1alpha1.ApplicationConditionComparisonError, charts.URL(), "credentials"))
	i.addRepository(t, map[string]string{"type": "helm", "url": charts.URL(), "username": "reader", "password": "open sesame"})
	a.awaitWithin(t, soon, syncedTo("1.0.0"), noConditions)
	a.awaitData(t, "one", "w", "mine")

	if _, err := charts.Add(chartOf("web", "1.1.0")); err != nil {
		t.Fatal(err)
	}
	a.refresh(t, v1alpha1.RefreshTypeNormal)
	a.await(t, syncedTo("1.1.0"), noConditions)
	a.awaitData(t, "one", "v", "1.1.0")
	if strings.Contains(common.program.log.String(), "open sesame") {
		t.Error("the password is in the log")
	}
}

func TestAChartInGitHasItsDependencyFromAHelmRepository(t *testing.T) {
	t.Parallel()
	charts := helmserver.Start(t, helmserver.Options{}, chartOf("web", "1.0.0"))
	a := shared(t).deploy(t, map[string]string{
		"Chart.yaml": fmt.Sprintf("apiVersion: v2\nname: all\nversion: 0.1.0\ndependencies:\n- {name: web, version: ^1.0.0, repository: %q}\n", charts.URL()),
		"more.yaml":  "web: {w: from a value file}\n",
	}, automated, func(app *v1alpha1.Application) {
		app.Spec.Source.Helm = &v1alpha1.ApplicationSourceHelm{ValueFiles: []string{"more.yaml"}}
	})
	app := a.await(t, synced, noConditions)
	if app.Status.SourceType != v1alpha1.ApplicationSourceTypeHelm {
		t.Errorf("the source is of the type %s", app.Status.SourceType)
	}
	a.awaitData(t, "one", "w", "from a value file")
	a.awaitData(t, "one", "v", "1.0.0")

	charts.SetFault(helmserver.Fault{Status: 503})
	commit := a.push(t, map[string]string{"more.yaml": "web: {w: changed}\n"})
	a.refresh(t, v1alpha1.RefreshTypeNormal)
	a.await(t, syncedTo(commit), noConditions) // the chart is at hand
	a.awaitData(t, "one", "w", "changed")
}

func TestSourcesAreReadFromARegistryWithLogin(t *testing.T) {
	t.Parallel()
	i := shared(t)
	registry := ociregistry.Start(t, ociregistry.Options{Username: "robot", Password: "open sesame"})
	host := registry.Host()
	registry.Chart(t, "charts", chartOf("web", "1.2.3"))
	layer, err := helmserver.Tarball("", map[string]string{"one.yaml": configMapYAML("one", "v", "artifact")}, true)
	if err != nil {
		t.Fatal(err)
	}
	registry.Artifact(t, "manifests/app", ociregistry.Artifact{
		Tag: "1.0.0", Layers: []ociregistry.Layer{{MediaType: "application/vnd.oci.image.layer.v1.tar+gzip", Content: layer}},
	})
	i.addCredentials(t, "repo-creds", map[string]string{
		"url": host, "type": "helm", "enableOCI": "true", "insecureOCIForceHttp": "true", "username": "robot", "password": "open sesame",
	})
	t.Run("a chart", func(t *testing.T) {
		a := i.fromSource(t, v1alpha1.ApplicationSource{RepoURL: host + "/charts", Chart: "web", TargetRevision: ">=1.0 <2"})
		a.await(t, syncedTo("1.2.3"), noConditions)
		a.awaitData(t, "one", "v", "1.2.3")
	})
	t.Run("an artifact", func(t *testing.T) {
		a := i.fromSource(t, v1alpha1.ApplicationSource{RepoURL: "oci://" + host + "/manifests/app", TargetRevision: "1.*", Path: "."})
		app := a.await(t, synced, noConditions)
		if !strings.HasPrefix(app.Status.Sync.Revision, "sha256:") {
			t.Errorf("the revision is %q", app.Status.Sync.Revision)
		}
		a.awaitData(t, "one", "v", "artifact")
	})
}

// exampleMonorepo is the example repository with its encrypted values.
func exampleMonorepo(t testing.TB) *gitserver.Repo {
	t.Helper()
	files := map[string]string{}
	root := os.DirFS("../../examples/monorepo")
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(root, name)
		files[name] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return gitServer(t).Repository(t, uniqueName("monorepo")+".git", files)
}

func TestTheOverlayLayoutIsRenderedWithEncryptedValues(t *testing.T) {
	t.Parallel()
	i := install(t)
	p := i.start(t, nil)
	repo := exampleMonorepo(t)
	deploy := func(source v1alpha1.ApplicationSource) *application {
		a := i.fromSource(t, source)
		a.repo = repo
		return a
	}
	a := deploy(v1alpha1.ApplicationSource{RepoURL: repo.URL(), Path: "namespaces/namespace-a", Plugin: &v1alpha1.ApplicationSourcePlugin{
		Name: "overlay", Parameters: v1alpha1.ApplicationSourcePluginParameters{{Name: "cluster", String_: new("prod-cluster")}},
	}})
	a.await(t, hasCondition(v1alpha1.ApplicationConditionComparisonError, "secret.yaml", "age1"))

	key, err := os.ReadFile("../../examples/demo-age-key.txt")
	if err != nil {
		t.Fatal(err)
	}
	_, err = i.kube.CoreV1().Secrets(i.namespace).Create(t.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "sops-keys", Labels: map[string]string{"fairlead.dev/secret-type": "sops-keys"}},
		Data:       map[string][]byte{"identity.agekey": key},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	app := a.awaitWithin(t, soon, synced, noConditions)
	const secret = "demo-password-of-prod-cluster"
	live, err := i.kube.CoreV1().Secrets(a.into).Get(t.Context(), "api", metav1.GetOptions{})
	if err != nil || string(live.Data["DATABASE_PASSWORD"]) != secret {
		t.Errorf("the Secret in the cluster: %q, %v", live.Data, err)
	}
	if text := string(mustJSON(t, app)); strings.Contains(text, secret) {
		t.Error("the decrypted value is in the Application")
	}
	if strings.Contains(p.log.String(), secret) {
		t.Error("the decrypted value is in the log")
	}
	t.Run("by the folder alone", func(t *testing.T) {
		b := deploy(v1alpha1.ApplicationSource{RepoURL: repo.URL(), Path: "clusters/dev-cluster/namespace-b"})
		b.await(t, synced, noConditions)
	})
	t.Run("and a change to one cluster concerns only that", func(t *testing.T) {
		commit := repo.Commit(t, map[string]string{"clusters/dev-cluster/namespace-a/dev-cluster-values.yaml": "web: {replicas: 1}\n"}, "Change dev")
		a.refresh(t, v1alpha1.RefreshTypeNormal)
		a.await(t, syncedTo(commit), noConditions)
	})
}

func TestAKustomizationIsBuiltWithWhatTheApplicationStates(t *testing.T) {
	t.Parallel()
	base := gitServer(t).Repository(t, uniqueName("base")+".git", map[string]string{
		"base/kustomization.yaml": "resources: [one.yaml]\n", "base/one.yaml": configMapYAML("one", "v", "1"),
	})
	a := shared(t).deploy(t, map[string]string{
		"kustomization.yaml": "resources:\n- " + strings.Replace(base.URL(), "http://", "git::http://", 1) + "//base?ref=" + gitserver.Branch + "\n",
	}, automated, func(app *v1alpha1.Application) {
		app.Spec.Source.Kustomize = &v1alpha1.ApplicationSourceKustomize{NamePrefix: "my-", CommonLabels: map[string]string{"team": "shop"}}
	})
	a.await(t, synced, noConditions)
	a.mustBeLive(t, "my-one")
	base.Commit(t, map[string]string{"base/one.yaml": configMapYAML("one", "v", "2")}, "Change the base")
	a.refresh(t, v1alpha1.RefreshTypeHard)
	a.await(t, outOfSync) // and not synced by itself, since the Application's own revision is the one that was synced
	a.mustSync(t, v1alpha1.SyncOperation{})
	a.awaitData(t, "my-one", "v", "2")
}

func TestATemplateWithoutEndDelaysNobodyElse(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.start(t, nil, "--render-timeout=2s")
	bad := i.deploy(t, map[string]string{
		"Chart.yaml":          "apiVersion: v2\nname: endless\nversion: 0.1.0\n",
		"templates/loop.yaml": `{{ define "again" }}{{ range untilStep 0 1000000 1 }}{{ range untilStep 0 1000000 1 }}{{ end }}{{ end }}{{ end }}{{ include "again" . }}`,
	}, automated)
	good := i.deploy(t, map[string]string{"one.yaml": configMapYAML("one", "v", "1")}, automated)
	good.await(t, synced, noConditions)
	bad.await(t, isSync(v1alpha1.SyncStatusCodeUnknown), hasCondition(v1alpha1.ApplicationConditionComparisonError, "2s"))
	commit := good.push(t, map[string]string{"one.yaml": configMapYAML("one", "v", "2")})
	good.refresh(t, v1alpha1.RefreshTypeNormal)
	good.await(t, syncedTo(commit), noConditions)
}

// workersOf lists the rendering processes of a program.
func workersOf(t testing.TB, pid int) []int {
	t.Helper()
	var workers []int
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, list := range lists {
		children, _ := os.ReadFile(list)
		for _, child := range strings.Fields(string(children)) {
			line, _ := os.ReadFile("/proc/" + child + "/cmdline")
			if n, err := strconv.Atoi(child); err == nil && strings.Contains(string(line), "render-worker") {
				workers = append(workers, n)
			}
		}
	}
	return workers
}

func TestAKilledWorkerCostsNothingButTime(t *testing.T) {
	t.Parallel()
	i := install(t)
	p := i.start(t, nil)
	a := i.deploy(t, map[string]string{"one.yaml": configMapYAML("one", "v", "0")}, automated)
	a.await(t, synced, noConditions)
	if len(workersOf(t, p.process.Pid)) == 0 {
		t.Skip("this system does not list the children of a process")
	}
	for n := 1; n <= 3; n++ {
		for _, worker := range workersOf(t, p.process.Pid) {
			_ = syscall.Kill(worker, syscall.SIGKILL) // it may have ended by itself
		}
		value := strconv.Itoa(n)
		commit := a.push(t, map[string]string{"one.yaml": configMapYAML("one", "v", value)})
		a.refresh(t, v1alpha1.RefreshTypeNormal)
		a.await(t, syncedTo(commit), noConditions)
		a.awaitData(t, "one", "v", value)
	}
}

func TestResultsInRedisAreFoundAfterARestart(t *testing.T) {
	t.Parallel()
	redis := redisserver.Start(t, "")
	client := goredis.NewClient(&goredis.Options{Addr: redis.Address})
	t.Cleanup(func() { client.Close() })
	i := install(t)
	p := i.start(t, nil, "--redis", redis.Address)
	a := i.deploy(t, map[string]string{"one.yaml": configMapYAML("one", "v", "not-for-redis")}, automated)
	a.await(t, synced, noConditions)
	eventually(t, "the result in Redis", func() error {
		names, err := client.Keys(t.Context(), "*").Result()
		if err != nil || len(names) == 0 {
			return fmt.Errorf("there is none: %w", err)
		}
		for _, name := range names {
			value, err := client.Get(t.Context(), name).Result()
			if err != nil || strings.Contains(name+value, "not-for-redis") {
				t.Errorf("%s is in the clear, or not there: %v", name, err)
			}
		}
		return nil
	})
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	again := i.start(t, nil, "--redis", redis.Address)
	a.refresh(t, v1alpha1.RefreshTypeNormal)
	a.await(t, synced, noConditions)
	metrics, err := again.get(t.Context(), "/metrics")
	if err != nil || !strings.Contains(metrics, `fairlead_render_requests_total{outcome="rendered"} 0`) {
		t.Errorf("it was rendered again: %v\n%s", err, metrics)
	}
}

const pluginYAML = `apiVersion: argoproj.io/v1alpha1
kind: ConfigManagementPlugin
metadata: {name: shout}
spec:
  generate:
    command: [sh, -c]
    args: ['printf "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\ndata: {v: \"%s\", w: \"%s\"}\n" "$ARGOCD_ENV_WORD" "$(cat word.txt)"']
`

func TestASidecarPluginGenerates(t *testing.T) {
	t.Parallel()
	i := install(t)
	sockets := socketDir(t)
	i.start(t, []string{"ARGOCD_PLUGINSOCKFILEPATH=" + sockets})
	a := i.deploy(t, map[string]string{"word.txt": "file"}, automated, func(app *v1alpha1.Application) {
		app.Spec.Source.Plugin = &v1alpha1.ApplicationSourcePlugin{Name: "shout", Env: v1alpha1.Env{{Name: "WORD", Value: "hello"}}}
	})
	a.await(t, hasCondition(v1alpha1.ApplicationConditionComparisonError, "shout"))

	startSidecar(t, sockets, "shout", pluginYAML)
	a.refresh(t, v1alpha1.RefreshTypeNormal)
	a.await(t, synced, noConditions)
	a.awaitData(t, "one", "v", "hello")
	commit := a.push(t, map[string]string{"word.txt": "changed"})
	a.refresh(t, v1alpha1.RefreshTypeNormal)
	a.await(t, syncedTo(commit), noConditions)
	a.awaitData(t, "one", "w", "changed")
}

// socketDir is a folder with a path that is short enough for sockets.
func socketDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "cmp-") //nolint:usetesting // t.TempDir is named after the test
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// startSidecar runs a plugin until the test ends.
func startSidecar(t *testing.T, sockets, name, config string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "plugin.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	sidecar, err := run(t.TempDir(), []string{"ARGOCD_PLUGINSOCKFILEPATH=" + sockets}, []string{"cmp-server", "--config-dir-path", dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sidecar.stop(); err != nil {
			t.Error(err)
		}
	})
	eventually(t, "the sidecar", func() error {
		_, err := os.Stat(filepath.Join(sockets, name+".sock"))
		return err
	})
}

func TestAPluginIsFoundByItsRule(t *testing.T) {
	t.Parallel()
	i := install(t)
	sockets := socketDir(t)
	for name, rule := range map[string]string{
		"name": "{fileName: '*.name'}", "glob": "{find: {glob: '**/*.glob'}}", "command": "{find: {command: [sh, -c, 'ls *.command']}}",
	} {
		startSidecar(t, sockets, name, `apiVersion: argoproj.io/v1alpha1
kind: ConfigManagementPlugin
metadata: {name: `+name+`}
spec:
  discover: `+rule+`
  generate:
    command: [sh, -c]
    args: ['printf "{apiVersion: v1, kind: ConfigMap, metadata: {name: one}, data: {by: `+name+`}}\n"']
`)
	}
	i.start(t, []string{"ARGOCD_PLUGINSOCKFILEPATH=" + sockets})
	// A chart as well, which the plugins go before.
	a := i.deploy(t, map[string]string{"x.name": "", "Chart.yaml": "apiVersion: v2\nname: a\nversion: 1.0.0\n"}, automated)
	a.await(t, synced, noConditions, func(app *v1alpha1.Application) error {
		if app.Status.SourceType != v1alpha1.ApplicationSourceTypePlugin {
			return fmt.Errorf("type %s", app.Status.SourceType)
		}
		return nil
	})
	a.awaitData(t, "one", "by", "name")
	for _, step := range []struct{ by, remove, add string }{{"command", "x.name", "x.command"}, {"glob", "x.command", "deep/x.glob"}} {
		commit := a.push(t, map[string]string{"-" + step.remove: "", step.add: ""})
		a.refresh(t, v1alpha1.RefreshTypeNormal)
		a.await(t, syncedTo(commit), noConditions)
		a.awaitData(t, "one", "by", step.by)
	}
}
