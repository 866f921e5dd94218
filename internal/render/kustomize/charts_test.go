package kustomize_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead-cd/fairlead/internal/render"
)

// chartRepository is an External with one chart.
type chartRepository struct {
	render.NoExternal
	archive []byte
	asked   []render.ChartRef
}

func (c *chartRepository) Chart(_ context.Context, ref render.ChartRef) (render.Chart, error) {
	c.asked = append(c.asked, ref)
	sum := sha256.Sum256(c.archive)
	return render.Chart{
		Version: "1.2.3", Digest: hex.EncodeToString(sum[:]),
		Archive: func(context.Context) ([]byte, error) { return c.archive, nil },
	}, nil
}

func (c *chartRepository) APIVersions(context.Context) ([]string, error) {
	return []string{"example.com/v1/Monitor"}, nil
}

func (c *chartRepository) HasAPI(_ context.Context, version string) (bool, error) {
	return version == "example.com/v1/Monitor", nil
}

// pack makes a chart's archive of a folder.
func pack(t testing.TB, dir fs.FS, name string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := tar.NewWriter(z)
	err := fs.WalkDir(dir, ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(dir, file)
		if err != nil {
			return err
		}
		if err := w.WriteHeader(&tar.Header{Name: name + "/" + file, Mode: 0o644, Size: int64(len(content))}); err != nil {
			return err
		}
		_, err = w.Write(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestAChartOfARepositoryGivesWhatTheSameChartInTheFolderGives(t *testing.T) {
	chart := os.DirFS("testdata/compare/helm-charts/base/charts/web")
	for name, fields := range map[string]string{
		"its own values":      "",
		"inline values":       "valuesInline: {replicas: 3, extra: {b: null, c: 3}}",
		"inline values below": "valuesInline: {replicas: 3, extra: {d: 3}}, valuesMerge: merge",
		"only inline values":  "valuesInline: {replicas: 3}, valuesMerge: replace",
	} {
		t.Run(name, func(t *testing.T) {
			entry := func(more string) map[string]string {
				return map[string]string{"app/kustomization.yaml": "helmCharts: [{name: web, releaseName: r, includeCRDs: true" + more + ", " + fields + "}]\n"}
			}
			inFolder := entry("")
			err := fs.WalkDir(chart, ".", func(file string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				content, err := fs.ReadFile(chart, file)
				inFolder["app/charts/web/"+file] = string(content)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			e := &chartRepository{archive: pack(t, chart, "web")}
			req := request("app", nil)
			req.Settings.KustomizeBuildOptions = "--enable-helm"
			want, err := renderer().Render(t.Context(), render.Inputs{Files: mapFS(inFolder), External: e}, req)
			if err != nil {
				t.Fatal(err)
			}
			if len(e.asked) > 0 {
				t.Errorf("asked for %v", e.asked)
			}
			got, err := renderer().Render(t.Context(), render.Inputs{
				Files: mapFS(entry(", repo: 'https://charts.example.com/', version: 1.2.3")), External: e,
			}, req)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(contents(want.Objects), contents(got.Objects)); diff != "" || len(got.Objects) != 5 {
				t.Errorf("%d objects; -folder +repository:\n%s", len(got.Objects), diff)
			}
			ref := render.ChartRef{Repository: "https://charts.example.com", Name: "web", Version: "1.2.3"}
			if len(e.asked) == 0 || e.asked[0] != ref {
				t.Errorf("asked for %v", e.asked)
			}
		})
	}
}

func TestChartsThatCannotBeInflatedAreExplained(t *testing.T) {
	for name, c := range map[string]struct{ entry, options, want string }{
		"switched off":              {"{name: web}", "", "must specify --enable-helm; the operator sets it in kustomize.buildOptions"},
		"no repository":             {"{name: web}", "--enable-helm", "no repo specified for pull, no chart found at 'app/charts/web'"},
		"no name":                   {"{repo: 'https://charts.example.com'}", "--enable-helm", "the name of the chart is missing"},
		"an unknown merge":          {"{name: here, valuesMerge: some}", "--enable-helm", "valuesMerge must be one of merge, override, replace"},
		"an option as a name":       {"{name: here, releaseName: --post-renderer}", "--enable-helm", "releaseName must not start with '-'"},
		"a chart outside":           {"{name: ../../beside}", "--enable-helm", "security; file '../beside' is not in or below 'app'"},
		"values that are not there": {"{name: here, valuesFile: none.yaml}", "--enable-helm", "none.yaml: there is no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			req := request("app", nil)
			req.Settings.KustomizeBuildOptions = c.options
			_, err := renderer().Render(t.Context(), render.Inputs{Files: mapFS(map[string]string{
				"app/kustomization.yaml":     "helmCharts: [" + c.entry + "]\n",
				"app/charts/here/Chart.yaml": "apiVersion: v2\nname: here\nversion: 1.0.0\n",
				"beside/Chart.yaml":          "apiVersion: v2\nname: beside\nversion: 1.0.0\n",
			})}, req)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want something with %q", err, c.want)
			}
		})
	}
}
