package kustomize_test

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/helm"
	"github.com/fairlead-cd/fairlead/internal/render/kustomize"
)

// program is a program of another project, built once from the version that stands in a go.mod.
type program struct {
	env, module, dir string
	once             sync.Once
	path             string
	err              error
}

var (
	kustomizeProgram = &program{env: "KUSTOMIZE", dir: "../../../tools", module: "sigs.k8s.io/kustomize/kustomize/v5"}
	helmProgram      = &program{env: "HELM", dir: "../../..", module: "helm.sh/helm/v4/cmd/helm"}
	programs         string
)

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "kustomize-programs-")
	if err != nil {
		panic(err)
	}
	programs = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

func (p *program) get(t testing.TB) string {
	t.Helper()
	p.once.Do(func() {
		if p.path = os.Getenv(p.env); p.path != "" {
			return
		}
		p.path = filepath.Join(programs, p.env)
		cmd := exec.Command("go", "build", "-o", p.path, p.module)
		cmd.Dir = p.dir
		if out, err := cmd.CombinedOutput(); err != nil {
			p.err = err
			t.Log(string(out))
		}
	})
	if p.err != nil {
		t.Fatalf("building %s: %v", p.module, p.err)
	}
	return p.path
}

// build runs the real kustomize build.
func build(t testing.TB, dir string, flags ...string) ([]map[string]any, string, error) {
	t.Helper()
	cmd := exec.Command(kustomizeProgram.get(t), append([]string{"build", dir}, flags...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, stderr.String(), err
	}
	objects, _, err := render.ParseManifests("out.yaml", out)
	if err != nil {
		t.Fatalf("kustomize's output: %v", err)
	}
	return contents(objects), stderr.String(), nil
}

func contents(objects []render.Object) []map[string]any {
	var all []map[string]any
	for _, o := range objects {
		all = append(all, o.Object)
	}
	return all
}

// buildDir is the folder of a case that is built.
func buildDir(dir string) string {
	if _, err := os.Stat(filepath.Join(dir, "overlay")); err == nil {
		return "overlay"
	}
	return "."
}

func TestResultsAreThoseOfKustomizeBuild(t *testing.T) {
	cases, err := os.ReadDir("testdata/compare")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.Name(), func(t *testing.T) {
			t.Parallel()
			root := filepath.Join("testdata/compare", c.Name())
			path := buildDir(root)
			options := ""
			flags := []string{}
			if strings.HasPrefix(c.Name(), "helm-") {
				options = "--enable-helm"
				flags = append(flags, options, "--helm-command", helmProgram.get(t), "--helm-kube-version", "1.36.3")
			}
			want, message, err := build(t, filepath.Join(root, path), flags...)
			if err != nil {
				t.Fatalf("kustomize build: %v\n%s", err, message)
			}
			got, err := renderer().Render(t.Context(), render.Inputs{Files: os.DirFS(root)}, render.Request{
				AppName: "demo", KubeVersion: "1.36.3", Source: v1alpha1.ApplicationSource{Path: path},
				Settings: render.Settings{KustomizeBuildOptions: options},
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, contents(got.Objects)); diff != "" {
				t.Errorf("differs from kustomize build (-kustomize +ours):\n%s", diff)
			}
			for _, o := range got.Objects {
				if _, err := fs.Stat(os.DirFS(root), o.File); err != nil {
					t.Errorf("%s %s: file %q: %v", o.GetKind(), o.GetName(), o.File, err)
				}
				t.Logf("%s %s %s:%d", o.GetKind(), o.GetName(), o.File, o.Line)
			}
		})
	}
}

func renderer() kustomize.Renderer {
	return kustomize.Renderer{Charts: helm.New(helm.Options{})}
}
