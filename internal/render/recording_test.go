package render_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"testing"
	"time"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render"
)

// outside is an External whose answers a test sets.
type outside struct {
	render.NoExternal
	variables    map[string]string
	apis         map[string]bool
	charts       map[string]string // name to digest
	repositories map[string]fs.FS
	downloads    map[string]string
	keyring      string
	plugins      map[string]string
	asked        int
}

func (o *outside) Variable(_ context.Context, name string) (string, error) {
	return o.variables[name], nil
}

func (o *outside) HasAPI(_ context.Context, version string) (bool, error) {
	return o.apis[version], nil
}

func (o *outside) APIVersions(context.Context) ([]string, error) {
	return []string{fmt.Sprint(o.apis)}, nil
}

func (o *outside) Chart(_ context.Context, ref render.ChartRef) (render.Chart, error) {
	o.asked++
	digest, ok := o.charts[ref.Name]
	if !ok {
		return render.Chart{}, errors.New("there is no such chart")
	}
	return render.Chart{Version: ref.Version, Digest: digest}, nil
}

func (o *outside) Repository(_ context.Context, url, _ string) (fs.FS, error) {
	return o.repositories[url], nil
}

func (o *outside) Download(_ context.Context, url string) ([]byte, error) {
	return []byte(o.downloads[url]), nil
}

func (o *outside) DataKey(context.Context, render.EncryptedDataKey) ([]byte, error) {
	return []byte("key"), nil
}

func (o *outside) Discover(_ context.Context, dir string) (string, error) {
	return o.plugins[dir], nil
}

func (o *outside) Keyring(context.Context) (string, error) { return o.keyring, nil }

func (o *outside) Generate(context.Context, render.PluginCall) ([]byte, error) {
	return []byte(configMap("generated")), nil
}

// asking is a memo whose renderer does what a test says, and the last outcome.
type asking struct {
	t    *testing.T
	h    *history
	memo *render.Memo
	out  *outside
	refs map[string]fs.FS
	o    render.CallOptions
}

func newAsking(t *testing.T, h *history, look func(context.Context, render.Inputs) error) *asking {
	return &asking{t: t, h: h, out: &outside{
		variables: map[string]string{}, apis: map[string]bool{}, charts: map[string]string{"web": "1"},
		repositories: map[string]fs.FS{}, downloads: map[string]string{}, plugins: map[string]string{},
	}, memo: newMemo(render.Options{Renderer: render.RendererFunc(
		func(ctx context.Context, in render.Inputs, _ render.Request) (render.Result, error) {
			return render.Result{}, look(ctx, in)
		})})}
}

func (a *asking) expect(what, want string) {
	a.t.Helper()
	before := a.memo.Stats()
	_, err := a.memo.Render(a.t.Context(), render.Inputs{Files: a.h.head(a.t), Refs: a.refs, External: a.out}, request("app", nil), a.o)
	after := a.memo.Stats()
	got := "nothing"
	switch {
	case after.Renders > before.Renders:
		got = "rendered"
	case after.Same > before.Same:
		got = "same"
	case after.Verified > before.Verified:
		got = "verified"
	}
	if err != nil {
		got += " with an error"
	}
	if got != want {
		a.t.Errorf("%s: %s (%v), want %s", what, got, err, want)
	}
}

func TestAnswersFromOutsideAreVerified(t *testing.T) {
	h := newHistory(t, map[string]string{"app/a.yaml": configMap("a"), "README.md": "0"})
	other := newHistory(t, map[string]string{"base/a.yaml": configMap("a"), "README.md": "0"})
	for name, c := range map[string]struct {
		look      func(context.Context, render.Inputs) error
		unrelated func(*outside)
		change    func(*outside)
	}{
		"a variable": {
			look: func(ctx context.Context, in render.Inputs) error {
				_, err := in.External.Variable(ctx, "ARGOCD_APP_REVISION")
				return err
			},
			unrelated: func(o *outside) { o.variables["ARGOCD_APP_REVISION_SHORT"] = "2" },
			change:    func(o *outside) { o.variables["ARGOCD_APP_REVISION"] = "2" },
		},
		"an API": {
			look: func(ctx context.Context, in render.Inputs) error {
				_, err := in.External.HasAPI(ctx, "example.com/v1")
				return err
			},
			unrelated: func(o *outside) { o.apis["other.example.com/v1"] = true },
			change:    func(o *outside) { o.apis["example.com/v1"] = true },
		},
		"all APIs": {
			look: func(ctx context.Context, in render.Inputs) error {
				_, err := in.External.APIVersions(ctx)
				return err
			},
			unrelated: func(o *outside) { o.keyring = "2" },
			change:    func(o *outside) { o.apis["example.com/v1"] = true },
		},
		"a chart": {
			look: func(ctx context.Context, in render.Inputs) error {
				_, err := in.External.Chart(ctx, render.ChartRef{Name: "web", Version: "1.*"})
				return err
			},
			unrelated: func(o *outside) { o.charts["db"] = "1" },
			change:    func(o *outside) { o.charts["web"] = "2" },
		},
		"another repository": {
			look: func(ctx context.Context, in render.Inputs) error {
				fsys, err := in.External.Repository(ctx, "base", "main")
				if err != nil {
					return err
				}
				_, err = fs.ReadFile(fsys, "base/a.yaml")
				return err
			},
			unrelated: func(o *outside) { o.repositories["base"] = other.commit(t, map[string]string{"README.md": "1"}) },
			change: func(o *outside) {
				o.repositories["base"] = other.commit(t, map[string]string{"base/a.yaml": configMap("b")})
			},
		},
		"a download": {
			look: func(ctx context.Context, in render.Inputs) error {
				_, err := in.External.Download(ctx, "https://example.com/values.yaml")
				return err
			},
			unrelated: func(o *outside) { o.downloads["https://example.com/other.yaml"] = "x" },
			change:    func(o *outside) { o.downloads["https://example.com/values.yaml"] = "x" },
		},
		"the plugin of a folder": {
			look: func(ctx context.Context, in render.Inputs) error {
				_, err := in.External.Discover(ctx, "app")
				return err
			},
			unrelated: func(o *outside) { o.plugins["other"] = "tool" },
			change:    func(o *outside) { o.plugins["app"] = "tool" },
		},
		"the keys": {
			look: func(ctx context.Context, in render.Inputs) error {
				_, err := in.External.DataKey(ctx, render.EncryptedDataKey{})
				return err
			},
			unrelated: func(o *outside) { o.apis["example.com/v1"] = true },
			change:    func(o *outside) { o.keyring = "2" },
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAsking(t, h, c.look)
			a.out.repositories["base"] = other.head(t)
			a.expect("first", "rendered")
			a.expect("again", "same")
			c.unrelated(a.out)
			a.expect("after an unrelated change", "same")
			h.commit(t, map[string]string{"README.md": name})
			a.expect("after an unrelated commit", "verified")
			c.change(a.out)
			a.expect("after the answer changed", "rendered")
			h.commit(t, map[string]string{"README.md": "0 " + name})
			a.expect("after another commit", "verified")
		})
	}
}

func TestSiblingSourcesArePartOfTheReadSet(t *testing.T) {
	h := newHistory(t, map[string]string{"app/a.yaml": configMap("a")})
	values := newHistory(t, map[string]string{"web/values.yaml": "a: 1", "README.md": "0"})
	a := newAsking(t, h, func(_ context.Context, in render.Inputs) error {
		values, ok := in.Refs["values"]
		if !ok {
			return errors.New("there is no source of that name")
		}
		_, err := fs.ReadFile(values, "web/values.yaml")
		return err
	})
	a.refs = map[string]fs.FS{"values": values.head(t), "unused": h.head(t)}
	a.expect("first", "rendered")
	a.refs["values"] = values.commit(t, map[string]string{"README.md": "1"})
	a.expect("after a commit that does not concern it", "verified")
	a.expect("again", "same")
	a.refs["values"] = values.commit(t, map[string]string{"web/values.yaml": "a: 2"})
	a.expect("after a commit that does", "rendered")
	delete(a.refs, "values")
	a.expect("without it", "rendered with an error")
}

func TestAPluginDependsOnItsWholeFolder(t *testing.T) {
	h := newHistory(t, map[string]string{"app/a.yaml": configMap("a"), "app/sub/x": "1", "README.md": "0"})
	a := newAsking(t, h, func(ctx context.Context, in render.Inputs) error {
		_, err := in.External.Generate(ctx, render.PluginCall{Path: "app"})
		return err
	})
	a.expect("first", "rendered")
	h.commit(t, map[string]string{"README.md": "1"})
	a.expect("a file elsewhere", "verified")
	h.commit(t, map[string]string{"app/sub/x": "2"})
	a.expect("a file deep in the folder", "rendered")
}

func TestATreeIsOneRead(t *testing.T) {
	h := newHistory(t, map[string]string{"app/Chart.yaml": "name: a", "app/templates/a.yaml": "a", "README.md": "0"})
	var names []string
	a := newAsking(t, h, func(_ context.Context, in render.Inputs) error {
		files, err := render.ReadTree(in.Files, "app", render.DefaultTreeLimit)
		names = nil
		for _, f := range files {
			names = append(names, f.Name)
		}
		return err
	})
	a.expect("first", "rendered")
	if fmt.Sprint(names) != "[Chart.yaml templates/a.yaml]" {
		t.Errorf("the tree has %v", names)
	}
	h.commit(t, map[string]string{"README.md": "1"})
	a.expect("a file elsewhere", "verified")
	h.commit(t, map[string]string{"app/templates/b.yaml": "b"})
	a.expect("a new file in the tree", "rendered")
}

func TestATreeBeyondItsLimitIsRefused(t *testing.T) {
	fsys := files(map[string]string{"app/a": "12345", "app/b": "12345", "app/c/d": "1"})
	for name, limit := range map[string]render.TreeLimit{
		"files": {Files: 2, Bytes: 100},
		"bytes": {Files: 10, Bytes: 9},
	} {
		if _, err := render.ReadTree(fsys, "app", limit); !errors.Is(err, render.ErrTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDeclaredPathsAreAllThatIsLookedAt(t *testing.T) {
	h := newHistory(t, map[string]string{
		"app/a.yaml": configMap("a"), "shared/values-a.yaml": "1", "shared/values-b.yaml": "1", "README.md": "0",
	})
	a := newAsking(t, h, func(_ context.Context, in render.Inputs) error {
		_, err := fs.ReadFile(in.Files, "README.md")
		return err
	})
	a.o.Paths = []string{"app", "shared/values-*.yaml"}
	a.expect("first", "rendered")
	h.commit(t, map[string]string{"README.md": "1"})
	a.expect("a file that was read and is not declared", "verified")
	h.commit(t, map[string]string{"app/a.yaml": configMap("b"), "README.md": "2"})
	a.expect("a declared one", "rendered")
	h.commit(t, map[string]string{"shared/values-c.yaml": "1", "README.md": "3"})
	a.expect("one that the glob may mean", "rendered")
}

func TestErrorsAreKeptLongerWhenTheyRepeat(t *testing.T) {
	h := newHistory(t, map[string]string{"app/a.yaml": configMap("a")})
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	a := newAsking(t, h, nil)
	failing := true
	a.memo = newMemo(render.Options{ErrorTTL: time.Minute, Now: func() time.Time { return now }, Renderer: render.RendererFunc(
		func(ctx context.Context, in render.Inputs, _ render.Request) (render.Result, error) {
			if failing {
				_, err := in.External.Chart(ctx, render.ChartRef{Name: "missing"})
				return render.Result{}, err
			}
			return render.Result{SourceType: v1alpha1.ApplicationSourceTypeHelm}, nil
		})})
	a.expect("first", "rendered with an error")
	now = now.Add(50 * time.Second)
	a.expect("within the time", "same with an error")
	now = now.Add(20 * time.Second)
	a.expect("after it", "rendered with an error")
	now = now.Add(100 * time.Second)
	a.expect("within twice the time", "same with an error")
	a.o.RetryErrors = true
	failing = false
	a.expect("when told to try again", "rendered")
	a.o.RetryErrors = false
	now = now.Add(time.Hour)
	a.expect("afterwards", "same")
}
