package helm_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/helm"
)

// market is a set of repositories that notes what it is asked.
type market struct {
	cluster
	charts  map[string][]byte // by repository/name
	fetched int
}

func (m *market) Chart(_ context.Context, ref render.ChartRef) (render.Chart, error) {
	m.note(fmt.Sprintf("%s/%s:%s", ref.Repository, ref.Name, ref.Version))
	archive := m.charts[ref.Repository+"/"+ref.Name]
	if archive == nil {
		return render.Chart{}, errors.New("not found")
	}
	return render.Chart{Version: "1.0.0", Digest: fmt.Sprintf("%x", len(archive)), Archive: func(context.Context) ([]byte, error) {
		m.fetched++
		return bytes.Clone(archive), nil
	}}, nil
}

// chartYAML is a Chart.yaml with dependencies.
func chartYAML(name, version string, dependencies ...string) string {
	text := "apiVersion: v2\nname: " + name + "\nversion: " + version + "\n"
	if len(dependencies) > 0 {
		text += "dependencies:\n- " + strings.Join(dependencies, "\n- ") + "\n"
	}
	return text
}

// packed is a chart archive with one ConfigMap that shows its values.
func packed(t *testing.T, name, version string, dependencies ...string) []byte {
	t.Helper()
	return pack(t, tree(map[string]string{
		"Chart.yaml":       chartYAML(name, version, dependencies...),
		"values.yaml":      "from: " + name + "\n",
		"templates/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Chart.Name }}}\ndata: {from: {{ .Values.from }}}\n",
	}), name)
}

// files lists the files of manifests.
func fileNames(manifests []helm.Manifest) string {
	var names []string
	for _, m := range manifests {
		names = append(names, m.File)
	}
	return strings.Join(names, " ")
}

func TestDependenciesAreFound(t *testing.T) {
	shop := "{name: shop, version: ^1.0.0, repository: 'https://charts.example.com'}"
	charts := map[string][]byte{
		"https://charts.example.com/shop":   packed(t, "shop", "1.0.0"),
		"@team/shop":                        packed(t, "shop", "1.0.0"),
		"oci://registry.example.com/a/shop": packed(t, "shop", "1.2.3-rc.1"),
		"https://charts.example.com/big":    packed(t, "big", "1.0.0", shop, "{name: gone, version: 1.0.0, repository: 'file://../gone'}"),
	}
	for name, test := range map[string]struct {
		files map[string]string
		want  string
		asked string
	}{
		"in a repository": {
			files: map[string]string{"c/Chart.yaml": chartYAML("c", "1.0.0", shop)},
			want:  "charts/shop/templates/a.yaml", asked: "https://charts.example.com/shop:^1.0.0",
		},
		"in a registry": {
			files: map[string]string{"c/Chart.yaml": chartYAML("c", "1.0.0", "{name: shop, version: 1.2.3-rc.1, repository: 'oci://registry.example.com/a'}")},
			want:  "charts/shop/templates/a.yaml", asked: "oci://registry.example.com/a/shop:1.2.3-rc.1",
		},
		"in a repository with a name": {
			files: map[string]string{"c/Chart.yaml": chartYAML("c", "1.0.0", "{name: shop, version: 1.x, repository: '@team'}")},
			want:  "charts/shop/templates/a.yaml", asked: "@team/shop:1.x",
		},
		"in a repository with an alias": {
			files: map[string]string{"c/Chart.yaml": chartYAML("c", "1.0.0", "{name: shop, version: 1.x, repository: 'alias:team'}")},
			want:  "charts/shop/templates/a.yaml", asked: "@team/shop:1.x",
		},
		"under several aliases": {
			files: map[string]string{"c/Chart.yaml": chartYAML("c", "1.0.0", strings.Replace(shop, "{", "{alias: one, ", 1), strings.Replace(shop, "{", "{alias: two, ", 1))},
			want:  "charts/one/templates/a.yaml charts/two/templates/a.yaml", asked: "https://charts.example.com/shop:^1.0.0",
		},
		"as the lock file says": {
			files: map[string]string{
				"c/Chart.yaml": chartYAML("c", "1.0.0", shop),
				"c/Chart.lock": lock(`{"name":"shop","version":"^1.0.0","repository":"https://charts.example.com"}`, `{"name":"shop","version":"1.0.0","repository":"https://charts.example.com"}`),
			},
			want: "charts/shop/templates/a.yaml", asked: "https://charts.example.com/shop:1.0.0",
		},
		"as the lock file says, in a repository with a name": {
			files: map[string]string{
				"c/Chart.yaml": chartYAML("c", "1.0.0", "{name: shop, version: 1.x, repository: '@team'}"),
				"c/Chart.lock": lock(`{"name":"shop","version":"1.x","repository":"https://internal.example.com"}`, `{"name":"shop","version":"1.0.0","repository":"https://internal.example.com"}`),
			},
			want: "charts/shop/templates/a.yaml", asked: "@team/shop:1.0.0",
		},
		"that depend on others": {
			files: map[string]string{"c/Chart.yaml": chartYAML("c", "1.0.0", "{name: big, version: 1.0.0, repository: 'https://charts.example.com'}")},
			want:  "charts/big/charts/shop/templates/a.yaml charts/big/templates/a.yaml",
			asked: "https://charts.example.com/big:1.0.0 https://charts.example.com/shop:^1.0.0",
		},
		"in folders, which have their own": {
			files: map[string]string{
				"c/Chart.yaml":       chartYAML("c", "1.0.0", "{name: d, version: '>=0', repository: 'file://../libs/d'}"),
				"libs/d/Chart.yaml":  chartYAML("d", "0.1.0", "{name: e, version: '*', repository: 'file://../e/'}", shop),
				"libs/d/.helmignore": "ignored.yaml\n", "libs/d/templates/ignored.yaml": "{{ fail \"x\" }}",
				"libs/d/templates/d.yaml": configMap("d"), "libs/e/Chart.yaml": chartYAML("e", "3.0.0"), "libs/e/templates/e.yaml": configMap("e"),
			},
			want:  "charts/d/charts/e/templates/e.yaml charts/d/charts/shop/templates/a.yaml charts/d/templates/d.yaml",
			asked: "https://charts.example.com/shop:^1.0.0",
		},
		"vendored, whatever the repository": {
			files: map[string]string{
				"c/Chart.yaml": chartYAML("c", "1.0.0", shop), "c/Chart.lock": "digest: sha256:stale\n",
				"c/charts/shop-1.0.0.tgz": string(charts["https://charts.example.com/shop"]), "c/charts/_ignored/x": "", "c/charts/.keep": "",
			},
			want: "charts/shop/templates/a.yaml",
		},
		"vendored, in another version": { // helm template renders it all the same
			files: map[string]string{"c/Chart.yaml": chartYAML("c", "1.0.0", shop), "c/charts/shop/Chart.yaml": chartYAML("shop", "9.0.0"), "c/charts/shop/templates/a.yaml": configMap("a")},
			want:  "charts/shop/templates/a.yaml",
		},
		"vendored, though nobody states it": {
			files: map[string]string{"c/Chart.yaml": chartYAML("c", "1.0.0"), "c/charts/extra/Chart.yaml": chartYAML("extra", "9.0.0"), "c/charts/extra/templates/a.yaml": configMap("a")},
			want:  "charts/extra/templates/a.yaml",
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := &market{charts: charts}
			in := render.Inputs{Files: tree(test.files), External: m}
			engine := helm.New(helm.Options{})
			for range 2 { // the second time out of memory
				chart, err := engine.Folder(in.Files, "c")
				if err != nil {
					t.Fatal(err)
				}
				m.asked = nil
				manifests, err := engine.Template(t.Context(), in, chart, nil, helm.Release{Name: "demo"})
				if err != nil {
					t.Fatal(err)
				}
				if got := fileNames(manifests); got != test.want {
					t.Errorf("got %s, want %s", got, test.want)
				}
				if got := strings.Join(m.asked, " "); got != test.asked {
					t.Errorf("asked for %s, want %s", got, test.asked)
				}
			}
			if asked := len(strings.Fields(test.asked)); m.fetched != asked {
				t.Errorf("fetched %d archives for %d charts", m.fetched, asked)
			}
		})
	}
}

// lock is a lock file: its digest stands for both lists of dependencies.
func lock(stated, locked string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "[[%s],[%s]]", stated, locked))
	return fmt.Sprintf("dependencies:\n- %s\ndigest: sha256:%x\ngenerated: \"2026-01-02T03:04:05Z\"\n", locked, sum)
}

func TestDependenciesThatCannotBeHadAreExplained(t *testing.T) {
	shop := "{name: shop, version: ^1.0.0, repository: 'https://charts.example.com'}"
	for name, test := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"a repository that has none": {
			files: map[string]string{"c/Chart.yaml": chartYAML("c", "1.0.0", "{name: none, version: 1.0.0, repository: 'https://charts.example.com'}")},
			want:  []string{"chart c", "dependency none", "chart none 1.0.0 of https://charts.example.com", "not found"},
		},
		"a stale lock file": {
			files: map[string]string{"c/Chart.yaml": chartYAML("c", "1.0.0", shop), "c/Chart.lock": lock("{}", `{"name":"shop","version":"1.0.0","repository":"https://charts.example.com"}`)},
			want:  []string{"Chart.lock", "out of sync", "helm dependency update"},
		},
		"a stale lock file of an old chart": {
			files: map[string]string{"c/Chart.yaml": "name: c\nversion: 1.0.0\n", "c/requirements.yaml": "dependencies:\n- " + shop + "\n", "c/requirements.lock": "digest: sha256:00\n"},
			want:  []string{"requirements.lock", "requirements.yaml", "out of sync"},
		},
		"no repository": {
			files: map[string]string{"c/Chart.yaml": chartYAML("c", "1.0.0", "{name: shop, version: ^1.0.0}")},
			want:  []string{"dependency shop", "names no repository"},
		},
		"an unknown kind of repository": {
			files: map[string]string{"c/Chart.yaml": chartYAML("c", "1.0.0", "{name: shop, version: ^1.0.0, repository: 'ftp://example.com'}")},
			want:  []string{"dependency shop", `repository "ftp://example.com"`},
		},
		"no version": {
			files: map[string]string{"c/Chart.yaml": chartYAML("c", "1.0.0", "{name: shop, version: what, repository: 'https://charts.example.com'}")},
			want:  []string{"dependency shop", `version "what"`},
		},
		"another version than wanted": {
			files: map[string]string{"c/Chart.yaml": chartYAML("c", "1.0.0", "{name: d, version: 2.x, repository: 'file://../d'}"), "d/Chart.yaml": chartYAML("d", "1.0.0")},
			want:  []string{"dependency d", "version 1.0.0", "wants 2.x"},
		},
		"another name than wanted": {
			files: map[string]string{"c/Chart.yaml": chartYAML("c", "1.0.0", "{name: d, version: 1.x, repository: 'file://../d'}"), "d/Chart.yaml": chartYAML("e", "1.0.0")},
			want:  []string{"dependency d", "named e"},
		},
		"a folder that is missing": {
			files: map[string]string{"c/Chart.yaml": chartYAML("c", "1.0.0", "{name: d, version: 1.x, repository: 'file://../d'}")},
			want:  []string{"dependency d", "file://../d"},
		},
		"a folder outside of the repository": {
			files: map[string]string{"c/Chart.yaml": chartYAML("c", "1.0.0", "{name: d, version: 1.x, repository: 'file://../../etc'}")},
			want:  []string{"dependency d", "leads out of the repository"},
		},
		"a folder of the machine": {
			files: map[string]string{"c/Chart.yaml": chartYAML("c", "1.0.0", "{name: d, version: 1.x, repository: 'file:///etc'}")},
			want:  []string{"dependency d", "absolute"},
		},
		"charts in a circle": {
			files: map[string]string{
				"c/Chart.yaml": chartYAML("c", "1.0.0", "{name: d, version: 1.x, repository: 'file://../d'}"),
				"d/Chart.yaml": chartYAML("d", "1.0.0", "{name: e, version: 1.x, repository: 'file://../e'}"),
				"e/Chart.yaml": chartYAML("e", "1.0.0", "{name: d, version: 1.x, repository: 'file://../d'}"),
			},
			want: []string{"do they refer to each other"},
		},
		"an archive that is none": {
			files: map[string]string{"c/Chart.yaml": chartYAML("c", "1.0.0"), "c/charts/x.tgz": "text"},
			want:  []string{"charts/x.tgz", "not a chart archive"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := template(t.Context(), render.Inputs{Files: tree(test.files), External: &market{}}, "c", nil, helm.Release{})
			if err == nil {
				t.Fatal("there is no error")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is missing in %q", want, err)
				}
			}
		})
	}
}

// The lock files are those that helm itself writes.
func TestLockFilesOfHelmAreUnderstood(t *testing.T) {
	dir := prepared(t)
	for _, name := range []string{"umbrella", "libraryuser", "legacy"} {
		t.Run(name, func(t *testing.T) {
			charts, err := fs.Glob(os.DirFS(dir), name+"/charts/*.tgz")
			if err != nil || len(charts) == 0 {
				t.Fatal(charts, err)
			}
			for _, c := range charts { // so that the lock file is needed
				if err := os.Remove(dir + "/" + c); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := template(t.Context(), render.Inputs{Files: os.DirFS(dir)}, name, nil, helm.Release{}); err != nil {
				t.Error(err)
			}
			file := dir + "/" + name + "/Chart.yaml"
			if name == "legacy" {
				file = dir + "/" + name + "/requirements.yaml"
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			changed := bytes.Replace(text, []byte("repository: file://../"), []byte("repository: file://./../"), 1)
			if err := os.WriteFile(file, changed, 0o600); err != nil {
				t.Fatal(err)
			}
			_, err = template(t.Context(), render.Inputs{Files: os.DirFS(dir)}, name, nil, helm.Release{})
			if err == nil || !strings.Contains(err.Error(), "out of sync") {
				t.Errorf("a changed dependency gave %v", err)
			}
		})
	}
}

func TestChartsOfRepositoriesAreRendered(t *testing.T) {
	m := &market{charts: map[string][]byte{"https://charts.example.com/shop": packed(t, "shop", "1.0.0")}}
	engine := helm.New(helm.Options{})
	in := render.Inputs{External: m}
	chart, err := engine.Fetch(t.Context(), in, render.ChartRef{Repository: "https://charts.example.com", Name: "shop", Version: "1"})
	if err != nil {
		t.Fatal(err)
	}
	if chart.Name() != "shop" || chart.Version() != "1.0.0" {
		t.Errorf("got %s %s", chart.Name(), chart.Version())
	}
	manifests, err := engine.Template(t.Context(), in, chart, map[string]any{"from": "me"}, helm.Release{Name: "demo"})
	if err != nil || len(manifests) != 1 || !strings.Contains(manifests[0].Content, "from: me") {
		t.Errorf("got %v, %v", manifests, err)
	}
	if _, err := engine.Fetch(t.Context(), render.Inputs{}, render.ChartRef{Name: "shop"}); !errors.Is(err, render.ErrNoExternal) {
		t.Errorf("without repositories: %v", err)
	}
}

func TestRenderingsDoNotDisturbEachOther(t *testing.T) {
	files := tree(map[string]string{
		"c/Chart.yaml":       chartYAML("c", "1.0.0", "{name: shop, alias: other, version: 1.x, repository: 'https://charts.example.com', condition: other.on, import-values: [{child: map, parent: taken}]}"),
		"c/templates/c.yaml": configMap("c") + "data: {taken: {{ .Values.taken | toJson | quote }}}\n",
	})
	shop := pack(t, tree(map[string]string{
		"Chart.yaml":       "apiVersion: v2\nname: shop\nversion: 1.0.0\nannotations: {a: b}\n",
		"values.yaml":      "map: {a: 1}\nlist: [1, 2]\n",
		"templates/a.yaml": configMap("a") + `data: {was: {{ .Values.map.a | quote }}{{ $_ := set .Values.map "a" 2 }}{{ $_ := set .Chart "Name" "changed" }}}` + "\n",
	}), "shop")
	engine := helm.New(helm.Options{})
	in := render.Inputs{Files: files, External: &market{charts: map[string][]byte{"https://charts.example.com/shop": shop}}}
	chart, err := engine.Folder(files, "c")
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]any{"other": map[string]any{"on": true}}
	var first string
	for i := range 4 {
		if i == 2 {
			off := map[string]any{"other": map[string]any{"on": false}}
			if manifests, err := engine.Template(t.Context(), in, chart, off, helm.Release{Name: "demo"}); err != nil || len(manifests) != 1 {
				t.Fatal(manifests, err)
			}
		}
		manifests, err := engine.Template(t.Context(), in, chart, values, helm.Release{Name: "demo"})
		if err != nil {
			t.Fatal(err)
		}
		got := fmt.Sprint(manifests)
		if first == "" {
			first = got
		}
		if got != first || !strings.Contains(got, `was: "1"`) || !strings.Contains(got, `{\"a\":1}`) {
			t.Errorf("rendering %d gives\n%s", i, got)
		}
	}
	if fmt.Sprint(values) != "map[other:map[on:true]]" {
		t.Errorf("the values became %v", values)
	}
}
