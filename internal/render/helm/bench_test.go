package helm_test

import (
	"bytes"
	"context"
	"os"
	"testing"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/helm"
)

// shelf gives charts by name, as a repository would.
type shelf struct {
	render.NoExternal
	archives map[string][]byte
	digests  map[string]string
}

func (s *shelf) Chart(_ context.Context, ref render.ChartRef) (render.Chart, error) {
	return render.Chart{
		Version: "1.4.2", Digest: s.digests[ref.Name],
		Archive: func(context.Context) ([]byte, error) { return bytes.Clone(s.archives[ref.Name]), nil },
	}, nil
}

// benchmarkInputs are a small chart on a shared dependency.
func benchmarkInputs(b *testing.B) render.Inputs {
	b.Helper()
	return render.Inputs{
		Files: tree(map[string]string{
			"app/Chart.yaml": "apiVersion: v2\nname: app\nversion: 1.0.0\ndependencies:\n" +
				"- {name: web, version: ^1.0.0, repository: 'https://charts.example.com', alias: main}\n",
			"app/values.yaml": "main:\n  replicaCount: 3\n  ingress:\n    enabled: true\n  env:\n    A: b\n",
		}),
		External: &shelf{
			archives: map[string][]byte{"web": pack(b, os.DirFS("testdata/charts/web"), "web")},
			digests:  map[string]string{"web": "0123"},
		},
	}
}

// BenchmarkTemplate is one rendering of a small chart on a shared dependency that is known already.
func BenchmarkTemplate(b *testing.B) {
	in := benchmarkInputs(b)
	engine := helm.New(helm.Options{})
	b.ReportAllocs()
	for b.Loop() {
		chart, err := engine.Folder(in.Files, "app")
		if err != nil {
			b.Fatal(err)
		}
		if _, err := engine.Template(b.Context(), in, chart, nil, helm.Release{Name: "demo", Namespace: "a"}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRenderer is the same, with parsed objects as result.
func BenchmarkRenderer(b *testing.B) {
	in := benchmarkInputs(b)
	renderer := helm.Renderer{Engine: helm.New(helm.Options{})}
	req := render.Request{AppName: "demo", Namespace: "a", KubeVersion: "1.36.3", Source: v1alpha1.ApplicationSource{Path: "app"}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := renderer.Render(b.Context(), in, req); err != nil {
			b.Fatal(err)
		}
	}
}
