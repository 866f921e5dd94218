package worker_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/renderers"
	"github.com/fairlead-cd/fairlead/internal/render/worker"
)

// TestMain makes this binary a worker when a pool starts it as one.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == worker.Subcommand {
		if err := worker.Main(os.Args[2:], render.RendererFunc(misbehave)); err != nil {
			fmt.Fprintln(os.Stderr, "fairlead:", err)
			os.Exit(1)
		}
		return
	}
	if len(os.Args) > 1 {
		if text, ok := nonsense()[os.Args[1]]; ok {
			talkNonsense(text)
			return
		}
	}
	os.Exit(m.Run())
}

// misbehave does what the application's name says, or renders.
func misbehave(ctx context.Context, in render.Inputs, req render.Request) (render.Result, error) {
	if req.AppName == "loop" || req.AppName == "wait" { // tell that it has begun
		_, _ = fs.Stat(in.Files, "app")
	}
	switch req.AppName {
	case "loop":
		for i := 0; ; i++ {
			if i < 0 {
				return render.Result{}, nil
			}
		}
	case "allocate":
		var all [][]byte
		for {
			piece := make([]byte, 1<<20)
			for i := range piece {
				piece[i] = byte(i)
			}
			all = append(all, piece)
			if len(all) > 1<<20 {
				return render.Result{Digest: string(all[0])}, nil
			}
		}
	case "one giant piece":
		piece := make([]byte, 8<<30)
		return render.Result{Digest: string(piece[len(piece)-1:])}, nil
	case "grow":
		piece := make([]byte, 100<<20)
		for i := range piece {
			piece[i] = byte(i)
		}
		return render.Result{Digest: fmt.Sprint(len(piece), piece[77])}, nil
	case "recurse":
		return render.Result{Digest: fmt.Sprint(recurse(1))}, nil
	case "output":
		o := map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "data": strings.Repeat("x", 1<<20)}
		return render.Result{Objects: []render.Object{{Unstructured: &unstructured.Unstructured{Object: o}}}}, nil
	case "panic":
		panic("a secret value")
	case "panic elsewhere":
		go func() { panic("a secret value") }()
		<-ctx.Done()
		return render.Result{}, ctx.Err()
	case "exit":
		os.Exit(3)
	case "kill itself":
		if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
			return render.Result{}, err
		}
	case "wait":
		<-ctx.Done()
		return render.Result{}, context.Cause(ctx)
	case "print":
		fmt.Fprintln(os.Stdout, "to standard output")
	case "read on":
		for i := 0; ; i++ {
			if _, err := fs.Stat(in.Files, fmt.Sprint(i)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return render.Result{}, err
			}
		}
	case "look around":
		return render.Result{Digest: strings.Join(surroundings(), "\n")}, nil
	case "ask":
		return render.Result{}, ask(ctx, in)
	}
	return renderers.New().Render(ctx, in, req)
}

func recurse(n int) int { return recurse(n+1) + recurse(n+2) } //nolint:staticcheck // endless, as it should be

func newPool(t testing.TB, o worker.Options) *worker.Pool {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	o.Command = []string{binary, worker.Subcommand}
	p, err := worker.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func app(name string) render.Request {
	return render.Request{AppName: name, Namespace: "default", Source: v1alpha1.ApplicationSource{Path: "app"}}
}

func five() fstest.MapFS {
	fsys := fstest.MapFS{}
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		fsys["app/"+name+".yaml"] = &fstest.MapFile{Sys: name, Data: []byte("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: " + name +
			"\n  labels: {app: web}\ndata:\n  count: \"1\"\n  text: some words\n")}
	}
	return fsys
}

func TestAWorkerRendersWhatTheRendererDoes(t *testing.T) {
	p := newPool(t, worker.Options{})
	in := render.Inputs{Files: five()}
	want, err := renderers.New().Render(t.Context(), in, app("web"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.Render(t.Context(), in, app("web"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("in process (-) and in a worker (+):\n%s", diff)
	}
	if s := p.Stats(); s.Starts != 1 || s.Workers != 1 || s.Requests != 1 {
		t.Errorf("stats %+v", s)
	}
}

func TestMisbehaviourEndsInAClearErrorAndHurtsNobody(t *testing.T) {
	p := newPool(t, worker.Options{
		Workers: 2, Timeout: 2 * time.Minute, MemoryLimit: 256 << 20, MaxOutput: 256 << 10, MaxReads: 500,
	})
	hurried := newPool(t, worker.Options{Timeout: time.Second})
	in := render.Inputs{Files: five()}
	for name, want := range map[string]struct {
		is   error
		text string
	}{
		"loop":            {worker.ErrLimit, "longer than 1s"},
		"allocate":        {worker.ErrLimit, "more than 256 MiB of memory"},
		"one giant piece": {worker.ErrLimit, "more than 256 MiB of memory"},
		"recurse":         {worker.ErrLimit, "recurses too deep"},
		"output":          {worker.ErrLimit, "more than 256 KiB"},
		"panic":           {worker.ErrCrashed, "panic in "},
		"panic elsewhere": {worker.ErrCrashed, "panic in "},
		"exit":            {worker.ErrCrashed, "exit status 3"},
		"read on":         {worker.ErrLimit, "500 files and folders"},
	} {
		t.Run(name, func(t *testing.T) {
			others := make(chan error, 1)
			go func() {
				_, err := p.Render(t.Context(), in, app("web"))
				others <- err
			}()
			pool := p
			if name == "loop" {
				pool = hurried
			}
			_, err := pool.Render(t.Context(), in, app(name))
			if !errors.Is(err, want.is) || !strings.Contains(err.Error(), want.text) {
				t.Errorf("error %v, want %q", err, want.text)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the error tells a value: %v", err)
			}
			if err := <-others; err != nil {
				t.Errorf("another request: %v", err)
			}
		})
	}
	if s := p.Stats(); s.Repeated != 0 {
		t.Errorf("a request was repeated that is to blame itself: %+v", s)
	}
}

func TestAWorkerThatIsKilledIsReplaced(t *testing.T) {
	p := newPool(t, worker.Options{Workers: 1})
	in := &stopping{MapFS: five(), reached: make(chan struct{}), goOn: make(chan struct{})}
	done := make(chan error, 1)
	go func() {
		r, err := p.Render(t.Context(), render.Inputs{Files: in}, app("web"))
		if err == nil && len(r.Objects) != 5 {
			err = fmt.Errorf("%d objects", len(r.Objects))
		}
		done <- err
	}()
	<-in.reached // it is in the middle of the request
	for _, pid := range p.PIDs() {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	close(in.goOn)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if s := p.Stats(); s.Repeated != 1 || s.Starts != 2 {
		t.Errorf("stats %+v", s)
	}
	for _, pid := range p.PIDs() { // now while it has nothing to do
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.Render(t.Context(), render.Inputs{Files: five()}, app("web")); err != nil {
		t.Error(err)
	}
}

// stopping are files whose first read waits.
type stopping struct {
	fstest.MapFS
	reached, goOn chan struct{}
}

func (s *stopping) Stat(name string) (fs.FileInfo, error) {
	select {
	case <-s.goOn:
	default:
		close(s.reached)
		<-s.goOn
	}
	return s.MapFS.Stat(name)
}

func TestACallerWhoGoesIsNotWaitedFor(t *testing.T) {
	for name, grace := range map[string]time.Duration{"wait": time.Minute, "loop": 100 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			p := newPool(t, worker.Options{Workers: 1, CancelGrace: grace})
			gone := errors.New("the caller has gone")
			ctx, cancel := context.WithCancelCause(t.Context())
			in := &stopping{MapFS: five(), reached: make(chan struct{}), goOn: make(chan struct{})}
			go func() {
				<-in.reached
				cancel(gone)
				close(in.goOn)
			}()
			if _, err := p.Render(ctx, render.Inputs{Files: in}, app(name)); !errors.Is(err, gone) {
				t.Errorf("error %v", err)
			}
			if _, err := p.Render(ctx, render.Inputs{Files: in}, app("web")); !errors.Is(err, gone) {
				t.Errorf("error %v", err)
			}
			if _, err := p.Render(t.Context(), render.Inputs{Files: five()}, app("web")); err != nil {
				t.Errorf("afterwards: %v", err)
			}
			if want := map[string]uint64{"wait": 1, "loop": 2}[name]; p.Stats().Starts != want {
				t.Errorf("%d workers were started, want %d", p.Stats().Starts, want)
			}
		})
	}
}

func TestManyRequestsShareFewWorkers(t *testing.T) {
	p := newPool(t, worker.Options{Workers: 2})
	errs := make(chan error)
	for range 200 {
		go func() {
			r, err := p.Render(t.Context(), render.Inputs{Files: five()}, app("web"))
			if err == nil && len(r.Objects) != 5 {
				err = fmt.Errorf("%d objects", len(r.Objects))
			}
			errs <- err
		}()
	}
	for range 200 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if s := p.Stats(); s.Starts > 2 || s.Requests != 200 || s.Busy != 0 || s.Waiting != 0 {
		t.Errorf("stats %+v", s)
	}
}

func TestStandardOutputDoesNotDisturb(t *testing.T) {
	p := newPool(t, worker.Options{})
	r, err := p.Render(t.Context(), render.Inputs{Files: five()}, app("print"))
	if err != nil || len(r.Objects) != 5 {
		t.Errorf("%d objects, error %v", len(r.Objects), err)
	}
}

func TestFilesOfARepositoryThatAimOutsideEndInAClearError(t *testing.T) {
	p := newPool(t, worker.Options{Timeout: 20 * time.Second})
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for i := range 9 {
		bomb += fmt.Sprintf("%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n", 'b'+i, 'b'+i, 'a'+i, 'a'+i, 'a'+i, 'a'+i, 'a'+i, 'a'+i, 'a'+i, 'a'+i, 'a'+i)
	}
	outside := t.TempDir()
	inside := t.TempDir()
	for name, text := range map[string]string{outside + "/secret.yaml": "kind: Secret", inside + "/a.yaml": "kind: ConfigMap"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(outside+"/secret.yaml", inside+"/link.yaml"); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(inside)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	dots := app("web")
	dots.Source.Path = "../../etc"
	links := app("web")
	links.Source.Path = "."
	for name, c := range map[string]struct {
		files fs.FS
		req   render.Request
		want  error
	}{
		"aliases that explode": {fstest.MapFS{"app/a.yaml": {Data: []byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bomb}\n" + bomb)}}, app("web"), render.ErrTooLarge},
		"a path that leaves":   {five(), dots, render.ErrInvalidSource},
		"a link that leaves":   {root.FS(), links, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := p.Render(t.Context(), render.Inputs{Files: c.files}, c.req)
			if err == nil || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("result %v, error %v", r, err)
			}
		})
	}
}
