package plugin_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/plugin"
)

// prints is a plugin that prints a text.
type prints struct {
	render.NoExternal
	text string
	call render.PluginCall
}

func (p *prints) Generate(_ context.Context, call render.PluginCall) ([]byte, error) {
	p.call = call
	return []byte(p.text), nil
}

func TestWhatAPluginPrintsIsReadAsManifests(t *testing.T) {
	cm := func(name string) string {
		return "{\n\t\"apiVersion\": \"v1\",\n\t\"kind\": \"ConfigMap\",\n\t\"metadata\": {\"name\": \"" + name + "\"}\n}\n"
	}
	for name, c := range map[string]struct {
		out  string
		want string
		says string
	}{
		"YAML documents":         {out: "apiVersion: v1\nkind: A\nmetadata: {name: a}\n---\n---\napiVersion: v1\nkind: B\nmetadata: {name: b}\n", want: "a b"},
		"JSON with tabs":         {out: cm("a"), want: "a"},
		"JSON one after another": {out: cm("a") + cm("b") + cm("c"), want: "a b c"},
		"JSON between marks":     {out: `{"apiVersion": "v1", "kind": "A", "metadata": {"name": "a"}}` + "\n---\n" + `{"apiVersion": "v1", "kind": "B", "metadata": {"name": "b"}}`, want: "a b"},
		"a list":                 {out: "apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: A, metadata: {name: a}}]\n", want: "a"},
		"nothing":                {out: "", want: ""},
		"a word":                 {out: "Done.\n", says: "output of plugin tool has something in it that is no manifest: it is a plain value"},
		"values":                 {out: "a: 1\n", says: "it has no apiVersion, kind and metadata"},
		"no YAML":                {out: "a: [b\n", says: "it is not valid YAML"},
		"an object without name": {out: "apiVersion: v1\nkind: A\nmetadata: {}\n", says: "has no metadata.name"},
	} {
		t.Run(name, func(t *testing.T) {
			p := &prints{text: c.out}
			req := render.Request{Source: v1alpha1.ApplicationSource{Path: "x", Plugin: &v1alpha1.ApplicationSourcePlugin{Name: "tool"}}}
			result, err := plugin.Renderer{}.Render(t.Context(), render.Inputs{External: p}, req)
			if c.says != "" {
				if !errors.Is(err, render.ErrInvalidManifest) || !strings.Contains(err.Error(), c.says) {
					t.Errorf("error %v, want one that says %q", err, c.says)
				}
				return
			}
			var names []string
			for _, o := range result.Objects {
				names = append(names, o.GetName())
			}
			if got := strings.Join(names, " "); err != nil || got != c.want {
				t.Errorf("objects %q, %v, want %q", got, err, c.want)
			}
			if p.call.Name != "tool" || p.call.Path != "x" || string(p.call.Parameters) != "null" {
				t.Errorf("call %+v", p.call)
			}
		})
	}
}

func TestASourceWithoutAPluginSectionIsForAnyPlugin(t *testing.T) {
	p := &prints{}
	if _, err := (plugin.Renderer{}).Render(t.Context(), render.Inputs{External: p}, render.Request{Source: v1alpha1.ApplicationSource{Path: "."}}); err != nil {
		t.Fatal(err)
	}
	if p.call.Name != "" || p.call.Path != "." {
		t.Errorf("call %+v", p.call)
	}
	if _, err := (plugin.Renderer{}).Render(t.Context(), render.Inputs{}, render.Request{}); !errors.Is(err, render.ErrNoExternal) {
		t.Errorf("without anything outside: error %v", err)
	}
}
