package render

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

func FuzzSplitYAML(f *testing.F) {
	for _, s := range []string{"---\na: b\n---\n", "--- a\n...\n%YAML 1.1\n---\nx", "a\r\n---\r\nb", "----\n", "\xff\xfea\x00", "---"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		lines := bytes.Count(content, []byte("\n")) + 1
		last := 0
		for _, d := range splitYAML(content) {
			if d.line <= last || d.says < d.line || d.says > lines {
				t.Errorf("document at line %d, content at %d, after %d of %d", d.line, d.says, last, lines)
			}
			if blankLines(d.text) < 0 {
				t.Errorf("blank document at line %d", d.line)
			}
			last = d.line
		}
		decodeText(content)
	})
}

func FuzzParseManifests(f *testing.F) {
	for _, s := range []string{
		"apiVersion: v1\nkind: Pod\nmetadata: {name: x}\n", "a: &a [*a]", "kind: List\nitems: [{}]", "[[[[", "? a", "<<: *x", "{\"a\": 1e999}",
		"a: &x {b: c}\nd: {<<: *x, <<: *x}", "!!binary x", "kind: !!int a", "items: null", "\"\\uD800\"",
	} {
		f.Add(s, false)
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, content string, asJSON bool) {
		file := "x.yaml"
		if asJSON {
			file = "x.json"
		}
		objects, _, err := ParseManifests(file, []byte(content))
		if err != nil && !errors.Is(err, ErrInvalidManifest) {
			t.Errorf("error without a reason: %v", err)
		}
		if err == nil {
			result := Result{Objects: objects}
			if _, err := seal(&result, "namespace-a"); err != nil {
				t.Errorf("what was read cannot be written: %v", err)
			}
			for _, o := range result.Objects {
				if o.GetKind() == "" || o.GetAPIVersion() == "" || o.GetName() == "" && o.GetGenerateName() == "" {
					t.Errorf("incomplete object %v", o.Object)
				}
			}
		}
	})
}

func FuzzSourcePath(f *testing.F) {
	for _, s := range []string{"a", "./a/", "../x", "/a", "a/../..", "", ".", "a//b", "a/\x00"} {
		f.Add(s)
	}
	fsys := fstest.MapFS{"a/b/c.yaml": {Data: []byte("x")}}
	f.Fuzz(func(t *testing.T, name string) {
		clean, err := findPath(fsys, name)
		if err == nil && clean != "." && clean != "a" && clean != "a/b" {
			t.Errorf("findPath(%q) = %q", name, clean)
		}
		if err != nil && strings.HasPrefix(name, "/") != strings.Contains(err.Error(), "app path is absolute") {
			t.Errorf("findPath(%q) fails with %v", name, err)
		}
		_, _ = explicitType(&v1alpha1.ApplicationSource{Path: name})
	})
}
