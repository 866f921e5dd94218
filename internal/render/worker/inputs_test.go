package worker_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/worker"
)

var errUnreachable = errors.New("the server is unreachable")

// outside answers each question in one way.
type outside struct{ render.NoExternal }

func (outside) Variable(_ context.Context, name string) (string, error) {
	return "value of " + name, nil
}

func (outside) HasAPI(_ context.Context, version string) (bool, error) {
	return version == "apps/v1", nil
}

func (outside) APIVersions(context.Context) ([]string, error) { return []string{"apps/v1", "v1"}, nil }

func (outside) Chart(_ context.Context, ref render.ChartRef) (render.Chart, error) {
	if ref.Name == "missing" {
		return render.Chart{}, errUnreachable
	}
	return render.Chart{Version: "1.2.3", Digest: "d1", Archive: func(context.Context) ([]byte, error) {
		return []byte("archive of " + ref.String()), nil
	}}, nil
}

func (outside) Repository(_ context.Context, url, revision string) (fs.FS, error) {
	return fstest.MapFS{"where": {Data: []byte(url + " at " + revision)}}, nil
}

func (outside) Download(_ context.Context, url string) ([]byte, error) {
	return []byte("from " + url), nil
}

func (outside) DataKey(_ context.Context, key render.EncryptedDataKey) ([]byte, error) {
	return append([]byte(key.Type+":"), key.Ciphertext...), nil
}

func (outside) Keyring(context.Context) (string, error) { return "ring", nil }

func (outside) Generate(_ context.Context, call render.PluginCall) ([]byte, error) {
	return fmt.Appendf(nil, "%s %s %v %s", call.Name, call.Path, call.Env, call.Parameters), nil
}

func (outside) Discover(_ context.Context, dir string) (string, error) {
	return "the one of " + dir, nil
}

// ask asks for everything, in the worker, and says what is not as it should be.
func ask(ctx context.Context, in render.Inputs) error {
	var problems []error
	expect := func(what string, got any, err error, want any) {
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			problems = append(problems, fmt.Errorf("%s: %v (%w), want %v", what, got, err, want))
		}
	}
	e := in.External
	v, err := e.Variable(ctx, "X")
	expect("variable", v, err, "value of X")
	has, err := e.HasAPI(ctx, "apps/v1")
	expect("API", has, err, true)
	has, err = e.HasAPI(ctx, "apps/v2")
	expect("another API", has, err, false)
	versions, err := e.APIVersions(ctx)
	expect("APIs", versions, err, "[apps/v1 v1]")
	chart, err := e.Chart(ctx, render.ChartRef{Repository: "https://example.com", Name: "web", Version: "1.*"})
	expect("chart", chart.Version+" "+chart.Digest, err, "1.2.3 d1")
	archive, err := chart.Archive(ctx)
	expect("archive", string(archive), err, "archive of chart web 1.* of https://example.com")
	other, err := e.Repository(ctx, "https://example.com/a.git", "main")
	if err != nil {
		return err
	}
	where, err := fs.ReadFile(other, "where")
	expect("other repository", string(where), err, "https://example.com/a.git at main")
	b, err := e.Download(ctx, "https://example.com/v")
	expect("download", string(b), err, "from https://example.com/v")
	b, err = e.DataKey(ctx, render.EncryptedDataKey{Type: "age", Key: []byte("{}"), Ciphertext: []byte("c")})
	expect("data key", string(b), err, "age:c")
	ring, err := e.Keyring(ctx)
	expect("keyring", ring, err, "ring")
	name, err := e.Discover(ctx, "app")
	expect("discovered plugin", name, err, "the one of app")
	b, err = e.Generate(ctx, render.PluginCall{Name: "p", Path: "app", Env: []string{"A=1"}, Parameters: []byte("[]")})
	expect("plugin", string(b), err, "p app [A=1] []")
	ref, err := fs.ReadFile(in.Refs["values"], "v.yaml")
	expect("sibling source", string(ref), err, "sibling")
	problems = append(problems, askFiles(in.Files)...)
	_, err = e.Chart(ctx, render.ChartRef{Name: "missing"})
	if len(problems) > 0 {
		return errors.Join(problems...)
	}
	return fmt.Errorf("everything is right but the last chart: %w", err)
}

func askFiles(files fs.FS) (problems []error) {
	expect := func(what string, got any, err error, want any) {
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			problems = append(problems, fmt.Errorf("%s: %v (%w), want %v", what, got, err, want))
		}
	}
	info, err := fs.Stat(files, "app/link.yaml")
	if err == nil {
		expect("file", fmt.Sprintf("%s %d %v %v", info.Name(), info.Size(), info.Mode(), info.Sys()), err, "link.yaml 6 -rw-r--r-- id1")
	} else {
		problems = append(problems, err)
	}
	info, err = fs.Lstat(files, "app/link.yaml")
	if err == nil {
		expect("link", info.Mode()&fs.ModeSymlink != 0, err, true)
	}
	target, err := fs.ReadLink(files, "app/link.yaml")
	expect("target", target, err, "v.yaml")
	tree, err := render.ReadTree(files, "app", render.DefaultTreeLimit)
	names := ""
	for _, f := range tree {
		names += f.Name + "=" + string(f.Content) + " "
	}
	expect("tree", names, err, "link.yaml=values sub/x=y v.yaml=values ")
	if err := fstest.TestFS(files, "app/v.yaml", "app/sub/x"); err != nil {
		problems = append(problems, err)
	}
	if _, err := fs.Stat(files, "none"); !errors.Is(err, fs.ErrNotExist) {
		problems = append(problems, fmt.Errorf("a missing file: %w", err))
	}
	return problems
}

func TestAWorkerReachesEverythingOfItsInputs(t *testing.T) {
	p := newPool(t, worker.Options{})
	in := render.Inputs{
		Files: fstest.MapFS{
			"app/v.yaml": {Data: []byte("values"), Mode: 0o644, Sys: "id1"}, "app/sub/x": {Data: []byte("y"), Mode: 0o644},
			"app/link.yaml": {Data: []byte("v.yaml"), Mode: fs.ModeSymlink | 0o777},
		},
		Refs:     map[string]fs.FS{"values": fstest.MapFS{"v.yaml": {Data: []byte("sibling")}}},
		External: outside{},
	}
	_, err := p.Render(t.Context(), in, app("ask"))
	if want := "everything is right but the last chart: the server is unreachable"; err == nil || err.Error() != want {
		t.Errorf("error %v", err)
	}
	if !errors.Is(err, errUnreachable) {
		t.Error("the parent's own error is not recognised after it has come back")
	}
}
