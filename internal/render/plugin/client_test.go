package plugin_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/plugin"
	"github.com/fairlead-cd/fairlead/internal/render/plugin/archive"
	"github.com/fairlead-cd/fairlead/internal/render/plugin/askpass"
	"github.com/fairlead-cd/fairlead/internal/render/plugin/legacy"
)

func newClient(t *testing.T, o plugin.ClientOptions) *plugin.Client {
	t.Helper()
	o.TempDir, o.Logger = t.TempDir(), slog.New(slog.DiscardHandler)
	c := plugin.NewClient(o)
	t.Cleanup(func() {
		c.Close()
		if left, err := os.ReadDir(o.TempDir); err != nil || len(left) > 0 {
			t.Errorf("the client has left %v, %v", left, err)
		}
	})
	return c
}

func request(name, path string) plugin.Request {
	return plugin.Request{
		PluginCall: render.PluginCall{Name: name, Path: path}, AppName: "demo", Repository: "https://git.example.com/a.git",
		Files: fstest.MapFS{
			"apps/a/cm.yaml": {Data: []byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")},
			"apps/a/run.sh":  {Data: []byte("#!/bin/sh\necho ran\n"), Mode: 0o755},
			"apps/b/x.tool":  {Data: []byte("b")},
			"lib/common":     {Data: []byte("common")},
			"secret/key":     {Data: []byte("not for plugins")},
		},
	}
}

const wholeFolder = "spec: {generate: {command: [sh, -c, 'cat *.yaml']}}\n"

func TestASidecarRendersAnApplication(t *testing.T) {
	sockets := socketDir(t)
	s := startSidecar(t, sockets, "tool", `
spec:
  init: {command: [sh, -c, 'echo from-init > init']}
  generate:
    command: [sh, -c]
    args:
      - |
        cat <<END
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: "$ARGOCD_APP_NAME", namespace: "$ARGOCD_APP_NAMESPACE"}
        data:
          init: "$(cat init)"
          common: "$(cat ../../lib/common)"
          greeting: "$ARGOCD_ENV_GREETING"
          parameters: '$ARGOCD_APP_PARAMETERS'
          size: "$PARAM_SIZE"
          list: "$PARAM_MY_LIST_0,$PARAM_MY_LIST_1"
          map: "$PARAM_LABELS_APP_KUBERNETES_IO"
          kube: "$KUBE_VERSION $KUBE_API_VERSIONS"
          revision: "$ARGOCD_APP_REVISION"
          source: "$ARGOCD_APP_SOURCE_REPO_URL $ARGOCD_APP_SOURCE_PATH $ARGOCD_APP_PROJECT_NAME"
        END
`)
	client := newClient(t, plugin.ClientOptions{SocketDir: sockets})
	size := "5"
	req := render.Request{
		AppName: "demo", AppNamespace: "argocd", Project: "team", Namespace: "namespace-a", KubeVersion: "1.36.3",
		Source: v1alpha1.ApplicationSource{RepoURL: "https://git.example.com/a.git", Path: "apps/a", Plugin: &v1alpha1.ApplicationSourcePlugin{
			Name: "tool",
			Env:  v1alpha1.Env{{Name: "GREETING", Value: "hello ${ARGOCD_APP_NAME} at $ARGOCD_APP_REVISION_SHORT"}},
			Parameters: v1alpha1.ApplicationSourcePluginParameters{
				{Name: "size", String_: &size},
				{Name: "my-list", OptionalArray: &v1alpha1.OptionalArray{Array: []string{"x", "y"}}},
				{Name: "labels", OptionalMap: &v1alpha1.OptionalMap{Map: map[string]string{"app.kubernetes.io": "z"}}},
			},
		}},
	}
	e := &external{client: client, files: request("", "").Files}
	result, err := plugin.Renderer{}.Render(t.Context(), render.Inputs{Files: e.files, External: e}, req)
	if err != nil {
		t.Fatal(err)
	}
	if len(result.Objects) != 1 || result.Objects[0].GetName() != "demo" || result.Objects[0].GetNamespace() != "namespace-a" {
		t.Fatalf("objects %v", result.Objects)
	}
	data := result.Objects[0].Object["data"].(map[string]any)
	for key, want := range map[string]string{
		"init": "from-init", "common": "common", "greeting": "hello demo at abc1234", "size": "5", "list": "x,y", "map": "z",
		"kube": "1.36.3 v1,apps/v1", "revision": "abc1234567", "source": "https://git.example.com/a.git apps/a team",
		"parameters": `[{"name":"size","string":"5"},{"array":["x","y"],"name":"my-list"},{"map":{"app.kubernetes.io":"z"},"name":"labels"}]`,
	} {
		if data[key] != want {
			t.Errorf("%s is %q, want %q", key, data[key], want)
		}
	}
	if want := []string{"ARGOCD_APP_REVISION_SHORT"}; !slices.Equal(e.asked, want) {
		t.Errorf("the result depends on the variables %q, want %q", e.asked, want)
	}
	if left, err := os.ReadDir(s.work); err != nil || len(left) > 0 {
		t.Errorf("the sidecar has left %v, %v", left, err)
	}
}

// external is the part of the repo component that answers a renderer.
type external struct {
	render.NoExternal
	client *plugin.Client
	files  fs.FS
	asked  []string
}

func (e *external) Variable(_ context.Context, name string) (string, error) {
	e.asked = append(e.asked, name)
	return "abc1234", nil
}

func (e *external) APIVersions(context.Context) ([]string, error) {
	return []string{"v1", "apps/v1"}, nil
}

func (e *external) Generate(ctx context.Context, call render.PluginCall) ([]byte, error) {
	return e.client.Generate(ctx, plugin.Request{PluginCall: call, Files: e.files, Variables: []string{"ARGOCD_APP_REVISION=abc1234567"}})
}

func TestThePluginIsFoundByItsRule(t *testing.T) {
	sockets := socketDir(t)
	generate := func(name string) string { return "  generate: {command: [echo, '{\"by\": \"" + name + "\"}']}\n" }
	startSidecar(t, sockets, "a-never", "spec:\n"+generate("a-never"))
	startSidecar(t, sockets, "b-name", "spec:\n  discover: {fileName: './*.tool'}\n"+generate("b-name"))
	startSidecar(t, sockets, "c-glob", "spec:\n  discover: {find: {glob: '**/cm.yaml'}}\n"+generate("c-glob"))
	startSidecar(t, sockets, "d-command", "spec:\n  discover: {find: {command: [sh, -c, 'test \"$ARGOCD_ENV_TAKE\" = yes && echo found']}}\n"+generate("d-command"))
	client := newClient(t, plugin.ClientOptions{SocketDir: sockets})
	for name, c := range map[string]struct {
		name, path string
		env        []string
		want, says string
	}{
		"by a file name":               {path: "apps/b", want: `{"by":"b-name"}`},
		"by a glob":                    {path: "apps", want: `{"by":"c-glob"}`},
		"by a command":                 {path: "lib", env: []string{"ARGOCD_ENV_TAKE=yes"}, want: `{"by":"d-command"}`},
		"by its name alone":            {name: "a-never", path: "lib", want: `{"by":"a-never"}`},
		"by its name, and its rule":    {name: "c-glob", path: "apps/a", want: `{"by":"c-glob"}`},
		"not against its rule":         {name: "c-glob", path: "lib", says: `plugin "c-glob" does not take this source`},
		"not by a name that is absent": {name: "z", path: "lib", says: `no plugin named "z"; there are a-never, b-name, c-glob, d-command`},
		"not by a path for a name":     {name: "../x", path: "lib", says: `no plugin named "../x"`},
		"not without a match":          {path: "lib", says: "as far as could be found out"},
	} {
		t.Run(name, func(t *testing.T) {
			req := request(c.name, c.path)
			req.Env = c.env
			out, err := client.Generate(t.Context(), req)
			if string(out) != c.want || (err != nil) != (c.says != "") || err != nil && (!errors.Is(err, plugin.ErrNoPlugin) || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("%q, %v", out, err)
			}
		})
	}
}

func TestWithoutAnyPluginTheErrorSaysSo(t *testing.T) {
	client := newClient(t, plugin.ClientOptions{SocketDir: filepath.Join(t.TempDir(), "absent")})
	for _, name := range []string{"", "tool"} {
		_, err := client.Generate(t.Context(), request(name, "apps/a"))
		if !errors.Is(err, plugin.ErrNoPlugin) || !strings.Contains(err.Error(), "no sidecar has a socket in ") {
			t.Errorf("%q: error %v", name, err)
		}
	}
}

func TestAPluginSeesWhatItShould(t *testing.T) {
	sockets := socketDir(t)
	list := func(more string) string {
		return "spec:\n  generate: {command: [sh, -c, 'echo \"files: $(cd $BASE && find . -type f | sort | tr \"\\n\" \" \")\"; ls -l $BASE | grep -c x.*run.sh >&2; true']}\n" + more
	}
	startSidecar(t, sockets, "tool", list(""))
	for name, c := range map[string]struct {
		options plugin.ClientOptions
		path    string
		paths   []string
		base    string
		want    string
	}{
		"the whole repository": {path: "apps/a", base: "../..", want: "files: ./apps/a/cm.yaml ./apps/a/run.sh ./apps/b/x.tool ./lib/common ./secret/key "},
		"not what is excluded": {
			options: plugin.ClientOptions{Exclude: []string{"secret", "apps/b/*"}}, path: "apps/a", base: "../..",
			want: "files: ./apps/a/cm.yaml ./apps/a/run.sh ./lib/common ",
		},
		"the declared paths": {
			options: plugin.ClientOptions{UsePaths: true}, path: "apps/a", paths: []string{"apps/a", "apps/b/*.tool"}, base: "..",
			want: "files: ./a/cm.yaml ./a/run.sh ./b/x.tool ",
		},
		"the whole repository without declared paths": {
			options: plugin.ClientOptions{UsePaths: true}, path: "lib", base: ".", want: "files: ./common ",
		},
		"nothing but its own folder": {
			options: plugin.ClientOptions{UsePaths: true}, path: "apps/a", paths: []string{"apps/a"}, base: ".",
			want: "files: ./cm.yaml ./run.sh ",
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.options.SocketDir = sockets
			req := request("tool", c.path)
			req.Paths, req.Env = c.paths, []string{"BASE=" + c.base}
			out, err := newClient(t, c.options).Generate(t.Context(), req)
			if want := `{"files":"` + strings.TrimSpace(strings.TrimPrefix(c.want, "files: ")) + `"}`; err != nil || string(out) != want {
				t.Errorf("%s, %v, want %s", out, err, want)
			}
		})
	}
}

func TestFilesCanBeExecutedOnlyIfThePluginWantsThat(t *testing.T) {
	sockets := socketDir(t)
	run := "spec:\n  generate: {command: [sh, -c, 'echo \"out: $(./run.sh 2>&1 | tr -d : || true)\"']}\n"
	startSidecar(t, sockets, "trusting", run+"  preserveFileMode: true\n")
	startSidecar(t, sockets, "careful", run)
	client := newClient(t, plugin.ClientOptions{SocketDir: sockets})
	for name, want := range map[string]string{"trusting": "ran", "careful": "denied"} {
		out, err := client.Generate(t.Context(), request(name, "apps/a"))
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%s: %s, %v", name, out, err)
		}
	}
}

func TestAPluginThatFailsIsReported(t *testing.T) {
	sockets := socketDir(t)
	for name, script := range map[string]string{
		"exits": "echo the chart is missing >&2; exit 3", "hangs": "sleep 1000", "floods": "while :; do echo 0123456789; done",
		"garbage": "echo 'a: [b'", "noisy": "yes error | head -c 1000000 >&2; exit 1", "fine": "cat *.yaml",
	} {
		startSidecar(t, sockets, name, "spec: {generate: {command: [sh, -c, \""+script+"\"]}}\n",
			"ARGOCD_EXEC_TIMEOUT=2s", "ARGOCD_EXEC_FATAL_TIMEOUT=1s", "ARGOCD_GRPC_MAX_SIZE_MB=1")
	}
	client := newClient(t, plugin.ClientOptions{SocketDir: sockets})
	for name, c := range map[string]struct {
		is   error
		says string
	}{
		"exits":   {plugin.ErrFailed, `plugin "exits": the plugin has failed: the generate command failed: sh -c echo the chart is missing >&2; exit 3: exit status 3: the chart is missing`},
		"hangs":   {plugin.ErrTimeout, "it took longer than it may: 2s"},
		"floods":  {plugin.ErrFailed, "it wrote more than it may: 1048576 bytes"},
		"garbage": {plugin.ErrFailed, "neither YAML nor JSON"},
		"noisy":   {plugin.ErrFailed, "exit status 1: … "},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := client.Generate(t.Context(), request(name, "apps/a"))
			if !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v", err)
			}
			if err != nil && len(err.Error()) > 20<<10 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
		})
	}
	if _, err := client.Generate(t.Context(), request("fine", "apps/a")); err != nil {
		t.Errorf("the others go on: %v", err)
	}
}

func TestAnAnswerThatIsTooLargeIsRefused(t *testing.T) {
	sockets := socketDir(t)
	startSidecar(t, sockets, "tool", "spec: {generate: {command: [sh, -c, 'printf \"a: \"; head -c 100000 /dev/zero | tr \"\\\\0\" x']}}\n")
	_, err := newClient(t, plugin.ClientOptions{SocketDir: sockets, MaxMessage: 10_000}).Generate(t.Context(), request("tool", "apps/a"))
	if !errors.Is(err, plugin.ErrFailed) || !strings.Contains(err.Error(), "larger than max") {
		t.Errorf("error %v", err)
	}
}

func TestARepositoryThatIsTooLargeIsNotSent(t *testing.T) {
	sockets := socketDir(t)
	startSidecar(t, sockets, "tool", wholeFolder)
	req := request("tool", "apps/a")
	req.Files.(fstest.MapFS)["big"] = &fstest.MapFile{Data: make([]byte, 1<<20)}
	limited := plugin.ClientOptions{SocketDir: sockets, Limit: archive.Limit{Bytes: 1 << 19}}
	_, err := newClient(t, limited).Generate(t.Context(), req)
	if !errors.Is(err, archive.ErrTooLarge) || !strings.Contains(err.Error(), "reposerver.plugin.tar.exclusions") {
		t.Errorf("error %v", err)
	}
	limited.Exclude = []string{"big"}
	if _, err := newClient(t, limited).Generate(t.Context(), req); err != nil {
		t.Errorf("without the large file: %v", err)
	}
}

func TestTheClientDoesNotWaitForever(t *testing.T) {
	sockets := socketDir(t)
	startSidecar(t, sockets, "hangs", "spec: {generate: {command: [sleep, '1000']}}\n")
	_, err := newClient(t, plugin.ClientOptions{SocketDir: sockets, Timeout: 500 * time.Millisecond}).Generate(t.Context(), request("hangs", "apps/a"))
	if !errors.Is(err, plugin.ErrTimeout) {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	nobody := errors.New("nobody waits")
	time.AfterFunc(100*time.Millisecond, func() { cancel(nobody) })
	if _, err := newClient(t, plugin.ClientOptions{SocketDir: sockets}).Generate(ctx, request("hangs", "apps/a")); !errors.Is(err, nobody) {
		t.Errorf("error %v", err)
	}
}

func TestASidecarThatDiesIsReportedAndUsedAgainWhenItIsBack(t *testing.T) {
	sockets, signs := socketDir(t), t.TempDir()
	started := filepath.Join(signs, "started")
	config := "spec: {generate: {command: [sh, -c, 'if [ -n \"$DIE\" ]; then touch " + started + "; sleep 1000; fi; cat *.yaml']}}\n"
	s := startSidecar(t, sockets, "tool", config)
	client := newClient(t, plugin.ClientOptions{SocketDir: sockets})
	if _, err := client.Generate(t.Context(), request("tool", "apps/a")); err != nil {
		t.Fatal(err)
	}
	req := request("tool", "apps/a")
	req.Env = []string{"DIE=1"}
	failed := make(chan error, 1)
	go func() {
		_, err := client.Generate(t.Context(), req)
		failed <- err
	}()
	awaitSocket(t, started)
	s.end(t, syscall.SIGKILL)
	if err := <-failed; !errors.Is(err, plugin.ErrUnavailable) || !strings.Contains(err.Error(), "is its container running?") {
		t.Errorf("in the middle: error %v", err)
	}
	if _, err := client.Generate(t.Context(), request("tool", "apps/a")); !errors.Is(err, plugin.ErrUnavailable) {
		t.Errorf("with nobody at the socket: error %v", err)
	}
	before, err := os.Lstat(s.socket)
	if err != nil {
		t.Fatal(err)
	}
	startSidecar(t, sockets, "tool", config)
	for { // the old socket is there until the new one is
		if now, err := os.Lstat(s.socket); err == nil && !now.ModTime().Equal(before.ModTime()) {
			break
		}
		select {
		case <-t.Context().Done():
			t.Fatal("no new socket")
		case <-time.After(5 * time.Millisecond):
		}
	}
	if _, err := client.Generate(t.Context(), request("tool", "apps/a")); err != nil {
		t.Errorf("after its return: %v", err)
	}
}

func TestWhatIsNoPluginAtASocketIsReported(t *testing.T) {
	sockets := socketDir(t)
	listener, err := net.Listen("unix", filepath.Join(sockets, "odd.sock"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			fmt.Fprint(conn, "HTTP/1.1 400 Bad Request\r\n\r\n")
			conn.Close()
		}
	}()
	if _, err := newClient(t, plugin.ClientOptions{SocketDir: sockets, Timeout: 5 * time.Second}).Generate(t.Context(), request("odd", "apps/a")); !errors.Is(err, plugin.ErrUnavailable) {
		t.Errorf("error %v", err)
	}
}

func TestAPluginGetsTheCredentialsItAsksFor(t *testing.T) {
	sockets := socketDir(t)
	ask := "spec:\n  generate: {command: [sh, -c, 'if [ -n \"$GIT_ASKPASS\" ]; then echo \"got: $($GIT_ASKPASS \"Username for x\") $($GIT_ASKPASS \"Password for x\")\"; else echo \"got: nothing\"; fi']}\n"
	startSidecar(t, sockets, "trusted", ask+"  provideGitCreds: true\n")
	startSidecar(t, sockets, "other", ask)
	lender := askpass.NewServer(filepath.Join(sockets, "ask-pass"))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- lender.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	awaitSocket(t, filepath.Join(sockets, "ask-pass"))
	client := newClient(t, plugin.ClientOptions{SocketDir: sockets, AskPass: lender})
	for name, want := range map[string]string{"trusted": `{"got":"deploy hunter2"}`, "other": `{"got":"nothing"}`} {
		req := request(name, "apps/a")
		req.Credentials = &askpass.Credentials{Username: "deploy", Password: "hunter2"}
		if out, err := client.Generate(t.Context(), req); err != nil || string(out) != want {
			t.Errorf("%s: %s, %v", name, out, err)
		}
	}
	if out, err := client.Generate(t.Context(), request("trusted", "apps/a")); err != nil || string(out) != `{"got":"nothing"}` {
		t.Errorf("without credentials: %s, %v", out, err)
	}
}

func TestPluginsOfTheConfigMapStandInForSidecars(t *testing.T) {
	sockets := socketDir(t)
	startSidecar(t, sockets, "both", "spec: {generate: {command: [echo, 'by: sidecar']}}\n")
	echo := func(name, text string) v1alpha1.ConfigManagementPlugin {
		return v1alpha1.ConfigManagementPlugin{Name: name, Generate: v1alpha1.Command{Command: []string{"echo", text}}}
	}
	runner, err := legacy.New(legacy.Options{
		Plugins: func() []v1alpha1.ConfigManagementPlugin {
			return []v1alpha1.ConfigManagementPlugin{echo("both", "by: legacy"), echo("old", "by: legacy")}
		},
		Dir: filepath.Join(t.TempDir(), "plugins"), Environ: []string{"PATH=" + os.Getenv("PATH")}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	client := newClient(t, plugin.ClientOptions{SocketDir: sockets, Legacy: runner})
	for name, want := range map[string]string{"both": `{"by":"sidecar"}`, "old": "by: legacy\n"} {
		if out, err := client.Generate(t.Context(), request(name, "apps/a")); err != nil || string(out) != want {
			t.Errorf("%s: %q, %v", name, out, err)
		}
	}
	_, err = client.Generate(t.Context(), request("absent", "apps/a"))
	if !errors.Is(err, plugin.ErrNoPlugin) || !strings.Contains(err.Error(), "there are both, old") {
		t.Errorf("error %v", err)
	}
}
