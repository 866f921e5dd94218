package render_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render"
)

// claiming is an External with a plugin that takes one folder.
type claiming struct {
	render.NoExternal
	folder string
	err    error
}

func (c claiming) Discover(_ context.Context, dir string) (string, error) {
	if dir == c.folder {
		return "tool", c.err
	}
	return "", c.err
}

func TestTheTypeOfASource(t *testing.T) {
	types := []v1alpha1.ApplicationSourceType{
		v1alpha1.ApplicationSourceTypeDirectory, v1alpha1.ApplicationSourceTypeHelm,
		v1alpha1.ApplicationSourceTypeKustomize, v1alpha1.ApplicationSourceTypePlugin,
	}
	d := render.Dispatcher{}
	for _, kind := range types {
		d[kind] = render.RendererFunc(func(context.Context, render.Inputs, render.Request) (render.Result, error) {
			return render.Result{}, nil
		})
	}
	const chart, kustomization, both, plain = "chart", "kustomization", "both", "plain"
	fsys := files(map[string]string{
		"chart/Chart.yaml": "", "kustomization/kustomization.yml": "", "both/Chart.yaml": "", "both/Kustomization": "",
		"plain/a.yaml": "", "Chart.yaml": "",
	})
	for name, c := range map[string]struct {
		source   v1alpha1.ApplicationSource
		plugin   string
		disabled []v1alpha1.ApplicationSourceType
		want     v1alpha1.ApplicationSourceType
	}{
		"a chart":                              {source: v1alpha1.ApplicationSource{Path: chart}, want: "Helm"},
		"a kustomization":                      {source: v1alpha1.ApplicationSource{Path: kustomization}, want: "Kustomize"},
		"a kustomization beside a chart":       {source: v1alpha1.ApplicationSource{Path: both}, want: "Kustomize"},
		"neither":                              {source: v1alpha1.ApplicationSource{Path: plain}, want: "Directory"},
		"a chart of a repository":              {source: v1alpha1.ApplicationSource{Chart: "web"}, want: "Helm"},
		"what a plugin takes":                  {source: v1alpha1.ApplicationSource{Path: plain}, plugin: plain, want: "Plugin"},
		"a chart that a plugin takes":          {source: v1alpha1.ApplicationSource{Path: chart}, plugin: chart, want: "Plugin"},
		"a repository's chart, for a plugin":   {source: v1alpha1.ApplicationSource{Chart: "web"}, plugin: ".", want: "Plugin"},
		"another folder than the plugin's":     {source: v1alpha1.ApplicationSource{Path: chart}, plugin: plain, want: "Helm"},
		"a stated type before a plugin's rule": {source: v1alpha1.ApplicationSource{Path: chart, Helm: &v1alpha1.ApplicationSourceHelm{}}, plugin: chart, want: "Helm"},
		"a stated directory before all":        {source: v1alpha1.ApplicationSource{Path: chart, Directory: &v1alpha1.ApplicationSourceDirectory{}}, plugin: chart, want: "Directory"},
		"a chart without Helm":                 {source: v1alpha1.ApplicationSource{Path: chart}, disabled: types[1:2], want: "Directory"},
		"a stated chart without Helm":          {source: v1alpha1.ApplicationSource{Path: chart, Helm: &v1alpha1.ApplicationSourceHelm{}}, disabled: types[1:2], want: "Directory"},
		"a repository's chart without Helm":    {source: v1alpha1.ApplicationSource{Chart: "web"}, disabled: types[1:2], want: "Directory"},
		"both without Kustomize":               {source: v1alpha1.ApplicationSource{Path: both}, disabled: types[2:3], want: "Helm"},
		"a plugin's folder without Helm":       {source: v1alpha1.ApplicationSource{Path: chart}, plugin: chart, disabled: types[1:2], want: "Plugin"},
		"a directory without Jsonnet":          {source: v1alpha1.ApplicationSource{Path: plain}, disabled: types[:1], want: "Directory"},
	} {
		t.Run(name, func(t *testing.T) {
			in := render.Inputs{Files: fsys, External: claiming{folder: c.plugin}}
			result, err := d.Render(t.Context(), in, render.Request{Source: c.source, Settings: render.Settings{DisabledTypes: c.disabled}})
			if err != nil || result.SourceType != c.want {
				t.Errorf("rendered as %s, %v; want %s", result.SourceType, err, c.want)
			}
		})
	}
	t.Run("a plugin that cannot tell is an error", func(t *testing.T) {
		broken := errors.New("the plugin is ill")
		in := render.Inputs{Files: fsys, External: claiming{err: broken}}
		_, err := d.Render(t.Context(), in, render.Request{Source: v1alpha1.ApplicationSource{Path: chart}})
		if !errors.Is(err, broken) {
			t.Errorf("Render = %v, want the plugin's error", err)
		}
	})
}

func TestJsonnetThatIsSwitchedOffIsLeftOut(t *testing.T) {
	memo := newMemo(render.Options{})
	result, err := memo.Render(t.Context(), render.Inputs{Files: files(map[string]string{"a.yaml": configMap("a"), "b.jsonnet": "{}"})}, render.Request{
		Settings: render.Settings{DisabledTypes: []v1alpha1.ApplicationSourceType{v1alpha1.ApplicationSourceTypeDirectory}},
	}, render.CallOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := summarize(result); got != "ConfigMap a a.yaml:1" {
		t.Errorf("objects %s", got)
	}
	if len(result.Warnings) != 1 || result.Warnings[0].File != "b.jsonnet" || !strings.Contains(result.Warnings[0].Message, "jsonnet.enable") {
		t.Errorf("warnings %+v", result.Warnings)
	}
}
