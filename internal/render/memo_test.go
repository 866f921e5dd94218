package render_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/source"
	"github.com/fairlead-cd/fairlead/test/gitserver"
)

// history is a repository of which any commit can be read.
type history struct {
	repo    *gitserver.Repo
	mirrors *source.Mirrors
}

func newHistory(t testing.TB, content map[string]string) *history {
	t.Helper()
	server := gitserver.Start(t, gitserver.Options{})
	m, err := source.NewMirrors(source.Options{
		Dir: t.TempDir(), Env: []string{"PATH=" + os.Getenv("PATH")}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return &history{repo: server.Repository(t, "demo.git", content), mirrors: m}
}

// head reads the newest commit.
func (h *history) head(t testing.TB) *source.Snapshot {
	t.Helper()
	repo := source.Repository{URL: h.repo.FileURL()}
	commit, err := h.mirrors.Resolve(t.Context(), repo, "HEAD", 0)
	if err != nil {
		t.Fatal(err)
	}
	s, err := h.mirrors.Snapshot(t.Context(), repo, commit)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (h *history) commit(t testing.TB, files map[string]string) *source.Snapshot {
	t.Helper()
	h.repo.Commit(t, files, "Change")
	return h.head(t)
}

// newMemo makes a Memo that renders folders unless the options say otherwise.
func newMemo(o render.Options) *render.Memo {
	if o.Renderer == nil {
		o.Renderer = render.Dispatcher{v1alpha1.ApplicationSourceTypeDirectory: render.Directory{}}
	}
	return render.New(o)
}

func request(path string, d *v1alpha1.ApplicationSourceDirectory) render.Request {
	return render.Request{AppName: "demo", Namespace: "namespace-a", Source: v1alpha1.ApplicationSource{Path: path, Directory: d}}
}

// counted renders and reports what happened: rendered, same, verified.
func counted(t testing.TB, m *render.Memo, fsys fs.FS, req render.Request, o render.CallOptions) (string, *render.Result, error) {
	t.Helper()
	before := m.Stats()
	result, err := m.Render(t.Context(), render.Inputs{Files: fsys}, req, o)
	after := m.Stats()
	switch {
	case after.Renders > before.Renders:
		return "rendered", result, err
	case after.Same > before.Same:
		return "same", result, err
	case after.Verified > before.Verified:
		return "verified", result, err
	}
	return "nothing", result, err
}

func TestOnlyWhatTheReadSetSawIsRenderedAgain(t *testing.T) {
	h := newHistory(t, map[string]string{
		"app/a.yaml": configMap("a"), "app/sub/b.yaml": configMap("b"), "app/notes.md": "x", "other/c.yaml": configMap("c"),
		"shared/s.yaml": configMap("s"), "readme": "r",
	})
	h.repo.Must(t, gitserver.Change{Links: map[string]string{"app/link.yaml": "../shared/s.yaml"}})
	memo := newMemo(render.Options{})
	flat := request("app", nil)
	expect := func(what string, files map[string]string, want string) {
		t.Helper()
		s := h.commit(t, files)
		got, result, err := counted(t, memo, s, flat, render.CallOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
		fresh, err := newMemo(render.Options{}).Render(t.Context(), render.Inputs{Files: s}, flat, render.CallOptions{})
		if err != nil || fresh.Digest != result.Digest || summarize(fresh) != summarize(result) {
			t.Errorf("%s: memo gives\n%s\nand a fresh render\n%s, %v", what, summarize(result), summarize(fresh), err)
		}
		if got, _, _ := counted(t, memo, s, flat, render.CallOptions{}); got != "same" {
			t.Errorf("%s, asked again: %s", what, got)
		}
	}
	expect("first", map[string]string{"readme": "0"}, "rendered")
	expect("a file elsewhere", map[string]string{"other/c.yaml": configMap("c2")}, "verified")
	expect("the readme", map[string]string{"readme": "2"}, "verified")
	expect("a sub-folder that is not read", map[string]string{"app/sub/b.yaml": configMap("b2")}, "verified")
	expect("a file in the folder that is not read", map[string]string{"app/notes.md": "y"}, "verified")
	expect("a manifest", map[string]string{"app/a.yaml": configMap("a2")}, "rendered")
	expect("the target of a link", map[string]string{"shared/s.yaml": configMap("s2")}, "rendered")
	expect("a new manifest", map[string]string{"app/n.yaml": configMap("new")}, "rendered")
	expect("a manifest gone", map[string]string{"-app/n.yaml": ""}, "same") // what was before is kept still
	expect("a chart appears", map[string]string{"app/new.md": "n"}, "rendered")
	expect("back again", map[string]string{"-app/new.md": ""}, "same")
}

func TestNegativeResultsAreVerifiedToo(t *testing.T) {
	h := newHistory(t, map[string]string{"app/a.yaml": configMap("a")})
	probe := render.RendererFunc(func(_ context.Context, in render.Inputs, _ render.Request) (render.Result, error) {
		fsys := in.Files
		// What is missing: in a folder that was seen, in one that is not there, and one over a link.
		for _, name := range []string{"app/values.yaml", "charts/x/Chart.yaml", "link/values.yaml"} {
			if _, err := fs.Stat(fsys, name); !errors.Is(err, fs.ErrNotExist) {
				return render.Result{Warnings: []render.Warning{{Message: "found " + name}}}, err
			}
		}
		_, err := fs.ReadDir(fsys, "app")
		return render.Result{}, err
	})
	memo := newMemo(render.Options{Renderer: render.Dispatcher{
		v1alpha1.ApplicationSourceTypePlugin: probe,
	}, MaxPerRequest: 1})
	req := request("app", nil)
	req.Source.Plugin = &v1alpha1.ApplicationSourcePlugin{}
	expect := func(what, want, found string) {
		t.Helper()
		got, result, err := counted(t, memo, h.head(t), req, render.CallOptions{})
		if err != nil || got != want {
			t.Fatalf("%s: %s, %v, want %s", what, got, err, want)
		}
		if (found == "") != (len(result.Warnings) == 0) || found != "" && result.Warnings[0].Message != "found "+found {
			t.Errorf("%s: %v", what, result.Warnings)
		}
	}
	expect("first", "rendered", "")
	h.commit(t, map[string]string{"app/a.yaml": configMap("b")})
	expect("another file", "verified", "")
	h.repo.Must(t, gitserver.Change{Links: map[string]string{"link": "target"}, Files: map[string]string{"target/x": "1"}})
	expect("a link that leads nowhere interesting", "verified", "")
	h.commit(t, map[string]string{"target/values.yaml": "x"})
	expect("what was missing appears behind a link", "rendered", "link/values.yaml")
	h.commit(t, map[string]string{"-target": ""})
	expect("and goes", "rendered", "")
	h.commit(t, map[string]string{"charts/x/Chart.yaml": "x"})
	expect("what was missing appears in a new folder", "rendered", "charts/x/Chart.yaml")
	h.commit(t, map[string]string{"app/values.yaml": "x"})
	expect("what was missing appears in a folder that was seen", "rendered", "app/values.yaml")
}

// TestMemoAgreesWithAFreshRender walks through random changes and compares every answer from memory with a render.
func TestMemoAgreesWithAFreshRender(t *testing.T) {
	h := newHistory(t, map[string]string{"a/x.yaml": configMap("x")})
	steps := 60
	if testing.Short() {
		steps = 30
	}
	random := rand.New(rand.NewPCG(1, 2))
	memo := newMemo(render.Options{ErrorTTL: time.Hour})
	folders := []string{"a", "a/b", "c", "a/b/c", "."}
	names := []string{"x.yaml", "y.yaml", "z.md", "Chart.yaml", "l.yaml", "d"}
	pick := func(from []string) string { return from[random.IntN(len(from))] }
	path := func() string { return strings.TrimPrefix(pick(folders)+"/"+pick(names), "./") }
	requests := []render.Request{
		request("a", nil), request("a", &v1alpha1.ApplicationSourceDirectory{Recurse: true}), request("a/b", nil),
		request("c", &v1alpha1.ApplicationSourceDirectory{Exclude: "y*"}), request(".", nil), request("a/d", nil),
		request(".", &v1alpha1.ApplicationSourceDirectory{Recurse: true, Include: "a/*"}),
	}
	for step := range steps {
		change := gitserver.Change{Message: fmt.Sprint(step), Files: map[string]string{}, Links: map[string]string{}}
		switch random.IntN(5) {
		case 0:
			change.Remove = []string{path()}
		case 1:
			change.Links[path()] = pick([]string{"x.yaml", "../c", "b/y.yaml", "../../c/x.yaml", "nowhere", "b", ".."})
		case 2:
			change.Files[path()] = pick([]string{"replicas: 1", "apiVersion: v1\nkind: [", ""})
		default:
			change.Files[path()] = configMap(pick([]string{"x", "q", "z"}))
		}
		h.repo.Must(t, change)
		s := h.head(t)
		for i, req := range requests {
			got, gotErr := memo.Render(t.Context(), render.Inputs{Files: s}, req, render.CallOptions{})
			want, wantErr := newMemo(render.Options{}).Render(t.Context(), render.Inputs{Files: s}, req, render.CallOptions{})
			if fmt.Sprint(gotErr) != fmt.Sprint(wantErr) {
				t.Fatalf("step %d, request %d: memo says %v, a fresh render %v", step, i, gotErr, wantErr)
			}
			if wantErr == nil && (got.Digest != want.Digest || got.SourceType != want.SourceType || summarize(got) != summarize(want)) {
				t.Fatalf("step %d, request %d: memo gives\n%s\na fresh render\n%s", step, i, summarize(got), summarize(want))
			}
		}
	}
	t.Logf("%+v", memo.Stats())
}

func TestRequestsThatDifferDoNotShareResults(t *testing.T) {
	h := newHistory(t, map[string]string{"a/a.yaml": configMap("a")})
	memo := newMemo(render.Options{})
	s := h.head(t)
	base := request("a", nil)
	if got, _, err := counted(t, memo, s, base, render.CallOptions{}); got != "rendered" || err != nil {
		t.Fatal(got, err)
	}
	for name, change := range map[string]func(*render.Request){
		"application":     func(r *render.Request) { r.AppName = "x" },
		"namespace":       func(r *render.Request) { r.Namespace = "x" },
		"project":         func(r *render.Request) { r.Project = "x" },
		"version":         func(r *render.Request) { r.KubeVersion = "1.30" },
		"settings":        func(r *render.Request) { r.Settings.KustomizeBuildOptions = "--enable-helm" },
		"directory":       func(r *render.Request) { r.Source.Directory = &v1alpha1.ApplicationSourceDirectory{Recurse: true} },
		"repository":      func(r *render.Request) { r.Source.RepoURL = "x" },
		"app namespace":   func(r *render.Request) { r.AppNamespace = "x" },
		"target revision": nil,
	} {
		req, want := base, "rendered"
		if change == nil {
			req.Source.TargetRevision, want = "v1", "same"
		} else {
			change(&req)
		}
		if got, _, err := counted(t, memo, s, req, render.CallOptions{}); got != want || err != nil {
			t.Errorf("%s: %s, %v, want %s", name, got, err, want)
		}
	}
	if got, _, _ := counted(t, memo, s, base, render.CallOptions{NoCache: true}); got != "rendered" {
		t.Errorf("without cache: %s", got)
	}
}

func TestErrorsAreKeptForAShortWhile(t *testing.T) {
	h := newHistory(t, map[string]string{"a/a.yaml": "kind: X\n"})
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	memo := newMemo(render.Options{ErrorTTL: time.Minute, Now: func() time.Time { return now }})
	expect := func(want string, good bool) {
		t.Helper()
		got, _, err := counted(t, memo, h.head(t), request("a", nil), render.CallOptions{})
		if got != want || (err == nil) != good {
			t.Errorf("%s, %v, want %s", got, err, want)
		}
	}
	expect("rendered", false)
	expect("same", false)
	h.commit(t, map[string]string{"readme": "x"})
	expect("verified", false)
	now = now.Add(2 * time.Minute)
	expect("rendered", false)
	h.commit(t, map[string]string{"a/a.yaml": configMap("a")})
	expect("rendered", true)
	now = now.Add(time.Hour)
	expect("same", true)
}

func TestMemoryIsBounded(t *testing.T) {
	content := map[string]string{}
	for i := range 100 {
		content[fmt.Sprintf("app-%d/a.yaml", i)] = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: " +
			strings.Repeat("x", 1000) + "}\n"
	}
	h := newHistory(t, content)
	memo := newMemo(render.Options{MaxBytes: 100_000})
	s := h.head(t)
	for i := range 100 {
		if _, err := memo.Render(t.Context(), render.Inputs{Files: s}, request(fmt.Sprintf("app-%d", i), nil), render.CallOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	stats := memo.Stats()
	if stats.Bytes > 100_000 || stats.Results < 5 || stats.Results > 50 {
		t.Errorf("%+v", stats)
	}
	if got, _, _ := counted(t, memo, s, request("app-99", nil), render.CallOptions{}); got != "same" {
		t.Errorf("the last one: %s", got)
	}
	if got, _, _ := counted(t, memo, s, request("app-0", nil), render.CallOptions{}); got != "rendered" {
		t.Errorf("the first one: %s", got)
	}
	memo.Forget()
	if stats := memo.Stats(); stats.Bytes != 0 || stats.Results != 0 {
		t.Errorf("after Forget: %+v", stats)
	}
}

// slow is a renderer that waits to be let go.
type slow struct{ started, let chan struct{} }

func (s slow) Render(ctx context.Context, _ render.Inputs, _ render.Request) (render.Result, error) {
	s.started <- struct{}{}
	select {
	case <-s.let:
		return render.Result{}, nil
	case <-ctx.Done():
		return render.Result{}, context.Cause(ctx)
	}
}

func TestIdenticalRequestsShareARender(t *testing.T) {
	h := newHistory(t, map[string]string{"a/a.yaml": configMap("a")})
	r := slow{make(chan struct{}, 10), make(chan struct{})}
	memo := newMemo(render.Options{Renderer: r})
	s := h.head(t)
	var all sync.WaitGroup
	impatient, giveUp := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		_, err := memo.Render(impatient, render.Inputs{Files: s}, request("a", nil), render.CallOptions{})
		failed <- err
	}()
	<-r.started
	for range 20 {
		all.Go(func() {
			if _, err := memo.Render(t.Context(), render.Inputs{Files: s}, request("a", nil), render.CallOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
	until(t, func() bool { return memo.Stats().Joined == 20 })
	giveUp()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("the one that gave up: %v", err)
	}
	close(r.let)
	all.Wait()
	if got := memo.Stats().Renders; got != 1 {
		t.Errorf("%d renders", got)
	}
}

func TestARenderThatNobodyWaitsForEnds(t *testing.T) {
	h := newHistory(t, map[string]string{"a/a.yaml": configMap("a")})
	r := slow{make(chan struct{}, 10), make(chan struct{})}
	memo := newMemo(render.Options{Renderer: r})
	s := h.head(t)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-r.started
		cancel()
	}()
	if _, err := memo.Render(ctx, render.Inputs{Files: s}, request("a", nil), render.CallOptions{}); !errors.Is(err, context.Canceled) {
		t.Fatalf("Render = %v", err)
	}
	until(t, func() bool { return memo.Stats().Errors > 0 })
	close(r.let)
	if got, _, err := counted(t, memo, s, request("a", nil), render.CallOptions{}); got != "rendered" || err != nil {
		t.Errorf("afterwards: %s, %v", got, err)
	}
}

func TestFilesWithoutObjectIDsAreRenderedEachTime(t *testing.T) {
	memo := newMemo(render.Options{})
	fsys := files(map[string]string{"a/a.yaml": configMap("a")})
	for range 2 {
		if got, _, err := counted(t, memo, fsys, request("a", nil), render.CallOptions{}); got != "rendered" || err != nil {
			t.Errorf("%s, %v", got, err)
		}
	}
}

// until waits for a condition.
func until(t *testing.T, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatal("the test ends before the condition is met")
		}
	}
}
