package kustomize

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"sigs.k8s.io/kustomize/api/types"

	"github.com/fairlead-cd/fairlead/internal/render"
)

// anything is an External that has whatever is asked for.
type anything struct {
	render.NoExternal
	files fs.FS
}

func (a anything) Repository(context.Context, string, string) (fs.FS, error) { return a.files, nil }

func (anything) Download(context.Context, string) ([]byte, error) {
	return []byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: downloaded}\n"), nil
}

// FuzzURL checks that whatever is taken for a repository can be given to git: nothing that it would take for an option,
// and no folder outside.
func FuzzURL(f *testing.F) {
	for _, seed := range []string{
		"https://github.com/org/repo//path?ref=v1", "github.com/org/repo", "git@github.com:org/repo.git/path",
		"ssh://git@example.com:22/org/repo?version=x&timeout=5", "git::https://example.com/org/repo", "https://u:p@example.com/a/_git/b/c",
		"http://example.com/x.git/../../y", "user@host:a/b", "file:///a", "../base", "base@v1/a/b", "-u@x:y/z", "https://h//../..",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, entry string) {
		u, ok, err := parseGit(entry)
		if !ok || err != nil {
			if kind := kindOf(entry); kind < remoteFile || kind > remoteEither {
				t.Errorf("kind %d", kind)
			}
			return
		}
		if strings.HasPrefix(u.repository, "-") || strings.HasPrefix(u.revision, "-") || u.repository == "" {
			t.Errorf("%q gives %q at %q", entry, u.repository, u.revision)
		}
		if u.folder == ".." || strings.HasPrefix(u.folder, "../") || path.IsAbs(u.folder) {
			t.Errorf("%q gives folder %q", entry, u.folder)
		}
	})
}

var onlyUp = regexp.MustCompile(`^(\.\./)+@\d+(/|$)`)

// FuzzKustomization checks that a rewritten kustomization names nothing but virtual paths, and that building it neither
// panics nor hangs.
func FuzzKustomization(f *testing.F) {
	for _, seed := range []string{
		"resources: [a.yaml, ../base, 'https://example.com/org/repo?ref=x', 'http://h/x.yaml']\n",
		"components: [github.com/org/repo//base]\nbases: ['git@h:o/r']\n",
		"patches: [{path: a.yaml}, {patch: '[]', target: {kind: X}}]\npatchesStrategicMerge: [a.yaml, \"x\\ny\"]\n",
		"configMapGenerator: [{name: a, files: [k=a.yaml, 'http://h/x?y=z'], envs: [a.yaml], env: a.yaml, literals: [a=b]}]\n",
		"generators: [\"apiVersion: builtin\\nkind: ConfigMapGenerator\\nmetadata: {name: a}\\nfiles: [a.yaml]\\n\"]\n",
		"transformers: [../base]\nvalidators: ['https://h/o/r']\n",
		"replacements: [{path: a.yaml}]\ncrds: [a.yaml]\nconfigurations: [a.yaml]\nopenapi: {path: a.yaml}\n",
		"helmCharts: [{name: c, repo: 'http://h'}]\nvars: [{name: A, objref: {kind: X}}]\nreplicas: [{name: a, count: 2}]\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 4096 {
			return
		}
		files := fstest.MapFS{
			"app/kustomization.yaml":  {Data: []byte(text)},
			"app/a.yaml":              {Data: []byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")},
			"base/kustomization.yaml": {Data: []byte("resources: [b.yaml]\n")},
			"base/b.yaml":             {Data: []byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n")},
		}
		in := render.Inputs{Files: files, External: anything{files: files}}
		p := &preparer{
			ctx: t.Context(), fs: newFilesystem(t.Context(), in, nil), external: in.External,
			ready: map[string]bool{}, downloads: map[string]string{},
		}
		root := p.fs.add(mount{fsys: files})
		if err := p.folder(root, "app", nil); err != nil {
			return
		}
		var k types.Kustomization
		if err := k.Unmarshal(p.fs.ours["/@0/app/kustomization.yaml"]); err != nil {
			t.Fatalf("rewritten kustomization: %v", err)
		}
		for _, entry := range paths(&k) {
			if !onlyUp.MatchString(entry) {
				t.Errorf("%q is left in the rewritten kustomization", entry)
			}
		}
		if _, err := p.build(root.virtual("app")); err != nil && !errors.Is(err, render.ErrInvalidManifest) {
			t.Errorf("building: %v", err)
		}
	})
}

// paths are all entries of a kustomization that Kustomize would look up.
//
//nolint:staticcheck // deprecated fields are what people have in their kustomizations
func paths(k *types.Kustomization) []string {
	var all []string
	for _, list := range [][]string{k.Resources, k.Components, k.Crds, k.Configurations, k.Generators, k.Transformers, k.Validators, k.Bases} {
		all = append(all, list...)
	}
	add := func(entry string) {
		if entry != "" {
			all = append(all, entry)
		}
	}
	sources := func(s types.KvPairSources) {
		for _, entry := range s.FileSources {
			_, name, ok := strings.Cut(entry, "=")
			if !ok {
				name = entry
			}
			all = append(all, name)
		}
		all = append(all, s.EnvSources...)
		add(s.EnvSource)
	}
	for _, p := range append(k.Patches, k.PatchesJson6902...) {
		add(p.Path)
	}
	for _, p := range k.PatchesStrategicMerge {
		if !isInline(string(p)) {
			add(string(p))
		}
	}
	for _, r := range k.Replacements {
		add(r.Path)
	}
	for _, g := range k.ConfigMapGenerator {
		sources(g.KvPairSources)
	}
	for _, g := range k.SecretGenerator {
		sources(g.KvPairSources)
	}
	add(k.OpenAPI["path"])
	return all
}
