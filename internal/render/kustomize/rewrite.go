package kustomize

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"sigs.k8s.io/kustomize/api/types"

	"github.com/fairlead-cd/fairlead/internal/render"
)

// rewriter rewrites one kustomization, so that all its paths are local and lead to something that is there.
type rewriter struct {
	*preparer
	mount *mount
	// dir of the kustomization and its file.
	dir, file string
	// namespace that charts get which state none.
	namespace string
}

// at is how the rewritten kustomization names a virtual path: the way up to the root and down from there. It begins with
// "../", which Kustomize takes for nothing but a local path, and has the whole path in it for messages.
func (r rewriter) at(virtual string) string {
	return strings.Repeat("../", strings.Count(r.mount.virtual(r.dir), "/")) + virtual[1:]
}

// errorf names the kustomization and its field.
func (r rewriter) errorf(field string, err error) error {
	return fmt.Errorf("%s: %s: %w", r.mount.display(r.file), field, err)
}

func (r rewriter) kustomization(k *types.Kustomization) error {
	if len(k.OpenAPI) > 0 {
		r.ownSchema = true
	}
	if len(k.Configurations) > 0 {
		r.ownLabels = true
	}
	if err := r.folders(k); err != nil {
		return err
	}
	if err := r.inflate(k); err != nil {
		return err
	}
	if err := r.crds(k.Crds); err != nil {
		return err
	}
	if err := r.files("configurations", k.Configurations); err != nil {
		return err
	}
	if name, ok := k.OpenAPI["path"]; ok {
		rewritten, err := r.one("openapi.path", name)
		if err != nil {
			return err
		}
		k.OpenAPI["path"] = rewritten
	}
	if err := r.patches(k); err != nil {
		return err
	}
	for i := range k.Replacements {
		if err := r.optional("replacements", &k.Replacements[i].Path); err != nil {
			return err
		}
	}
	for i := range k.ConfigMapGenerator {
		r.generates("ConfigMap", k.ConfigMapGenerator[i].GeneratorArgs)
		if err := r.sources("configMapGenerator", &k.ConfigMapGenerator[i].KvPairSources); err != nil {
			return err
		}
	}
	for i := range k.SecretGenerator {
		r.generates("Secret", k.SecretGenerator[i].GeneratorArgs)
		if err := r.sources("secretGenerator", &k.SecretGenerator[i].KvPairSources); err != nil {
			return err
		}
	}
	r.spareWarning(k)
	return r.plugins(k)
}

// generates notes where a generated object comes from.
func (r rewriter) generates(kind string, args types.GeneratorArgs) {
	if args.Behavior == "" || args.Behavior == types.BehaviorCreate.String() {
		r.fs.trace.remember(place{file: r.mount.source(r.file), kind: kind, name: args.Name})
	}
}

// spareWarning writes commonLabels in the way that Kustomize recommends. It does the same, unless configurations say
// where labels go, and Kustomize prints no warning to standard error.
//
//nolint:staticcheck // deprecated fields are what people have in their kustomizations
func (r rewriter) spareWarning(k *types.Kustomization) {
	if len(k.CommonLabels) > 0 && !r.ownLabels {
		k.Labels = append(k.Labels, types.Label{Pairs: k.CommonLabels, IncludeSelectors: true})
		k.CommonLabels = nil
	}
}

//nolint:staticcheck // deprecated fields are what people have in their kustomizations
func (r rewriter) patches(k *types.Kustomization) error {
	for i := range k.Patches {
		if err := r.patch("patches", &k.Patches[i].Path, k.Patches[i].Patch); err != nil {
			return err
		}
	}
	for i := range k.PatchesJson6902 {
		if err := r.patch("patchesJson6902", &k.PatchesJson6902[i].Path, k.PatchesJson6902[i].Patch); err != nil {
			return err
		}
	}
	for i, entry := range k.PatchesStrategicMerge {
		file, inline := string(entry), ""
		if isInline(file) {
			file, inline = "", file
		}
		if err := r.patch("patchesStrategicMerge", &file, inline); err != nil {
			return err
		}
		if inline == "" {
			k.PatchesStrategicMerge[i] = types.PatchStrategicMerge(file)
		}
	}
	return nil
}

// patch rewrites the file of a patch, which is YAML whatever its name, and checks one that stands in the kustomization.
func (r rewriter) patch(field string, file *string, inline string) error {
	if err := render.CheckFileAliases("a patch", []byte(inline)); err != nil {
		return r.errorf(field, err)
	}
	if err := r.optional(field, file); err != nil || *file == "" {
		return err
	}
	r.fs.patches[path.Join(r.mount.virtual(r.dir), *file)] = true
	return nil
}

// isInline tells YAML or JSON that stands in a kustomization itself from a path. Both begin in a way, or have a line
// break, that no path that is taken here has.
func isInline(entry string) bool {
	return strings.ContainsAny(entry, "\n") || strings.HasPrefix(strings.TrimSpace(entry), "{")
}

// sources rewrites the files of a generator.
func (r rewriter) sources(field string, s *types.KvPairSources) error {
	for i, entry := range s.FileSources {
		key, name, keyed := strings.Cut(entry, "=")
		if !keyed || isHTTP(entry) {
			key, name = "", entry
		}
		rewritten, err := r.one(field+".files", name)
		if err != nil {
			return err
		}
		switch {
		case key != "" || keyed && key == "" && !isHTTP(entry):
			rewritten = key + "=" + rewritten
		case path.Base(rewritten) != path.Base(name):
			base, _, _ := strings.Cut(path.Base(name), "?")
			rewritten = base + "=" + rewritten
		}
		s.FileSources[i] = rewritten
	}
	if err := r.files(field+".envs", s.EnvSources); err != nil {
		return err
	}
	return r.optional(field+".env", &s.EnvSource)
}

// crds rewrites a list of files none of which may be empty; Kustomize would panic.
func (r rewriter) crds(entries []string) error {
	if err := r.files("crds", entries); err != nil {
		return err
	}
	for _, entry := range entries {
		virtual := path.Join(r.mount.virtual(r.dir), entry)
		content, err := r.fs.ReadFile(virtual)
		if err != nil {
			return r.errorf("crds", err)
		}
		if len(content) == 0 {
			return r.errorf("crds", fmt.Errorf("%s: the file is empty", r.fs.display(virtual)))
		}
	}
	return nil
}

func (r rewriter) files(field string, entries []string) error {
	for i, entry := range entries {
		rewritten, err := r.one(field, entry)
		if err != nil {
			return err
		}
		entries[i] = rewritten
	}
	return nil
}

// optional rewrites a field that may be empty.
func (r rewriter) optional(field string, entry *string) error {
	if *entry == "" {
		return nil
	}
	rewritten, err := r.one(field, *entry)
	if err != nil {
		return err
	}
	*entry = rewritten
	return nil
}

// one rewrites the path or URL of a file.
func (r rewriter) one(field, entry string) (string, error) {
	if isHTTP(entry) {
		virtual, err := r.download(entry)
		if err != nil {
			return "", r.errorf(field, err)
		}
		return r.at(virtual), nil
	}
	name, info, err := r.locate(entry)
	if err != nil {
		return "", r.errorf(field, err)
	}
	if info.IsDir() {
		return "", r.errorf(field, fmt.Errorf("%s is a folder, and a file is wanted", entry))
	}
	if err := r.restrict(entry, name); err != nil {
		return "", r.errorf(field, err)
	}
	if !isKustomization(path.Base(name)) {
		return r.at(r.mount.virtual(path.Join(r.dir, entry))), nil // a link keeps its own name, which may become a key
	}
	// Who uses a kustomization file as data gets it as it is, not as it is rewritten.
	content, err := r.fs.raw(r.mount, name)
	if err != nil {
		return "", r.errorf(field, err)
	}
	virtual := r.number(r.mount, r.dir, path.Base(name), r.mount.display(name), content)
	return r.at(virtual), nil
}

var errNotFound = errors.New("there is no such file or folder; check the path")

// locate finds what a local path leads to: its name without symbolic links.
func (r rewriter) locate(entry string) (string, fs.FileInfo, error) {
	switch {
	case entry == "":
		return "", nil, errors.New("an entry is empty")
	case path.IsAbs(entry):
		return "", nil, fmt.Errorf("%s: absolute paths are not allowed; give it relative to the kustomization", entry)
	case strings.ContainsAny(entry, "\x00\n\r"):
		return "", nil, fmt.Errorf("%q is not a path", entry)
	case strings.Contains(entry, "://"):
		return "", nil, fmt.Errorf("%s: URLs of this kind are not supported here", withoutUser(entry))
	}
	joined := path.Join(r.dir, entry)
	if !fs.ValidPath(joined) {
		return "", nil, fmt.Errorf("%s leads out of the repository", entry)
	}
	name, info, err := follow(r.mount.fsys, joined)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil, fmt.Errorf("%s: %w", entry, errNotFound)
	case err != nil:
		return "", nil, fmt.Errorf("%s: %w", entry, err)
	}
	return name, info, nil
}

// restrict keeps files below their kustomization, unless the operator says otherwise; in remote repositories always.
func (r rewriter) restrict(entry, name string) error {
	if r.options.restrictions == types.LoadRestrictionsNone && !r.mount.remote() || within(r.dir, name) {
		return nil
	}
	return fmt.Errorf("%w: security; file '%s' is not in or below '%s'; move it there, refer to its folder as a base, or have "+
		"the operator set --load-restrictor LoadRestrictionsNone in kustomize.buildOptions",
		render.ErrInvalidManifest, entry, r.mount.display(r.dir))
}
