package overlay

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/helm"
)

// Renderer renders overlays. It is a render.Claimer.
type Renderer struct {
	// Engine renders the charts.
	Engine *helm.Engine
	// Decrypt gives the plain content of an encrypted file of values, and any other content as it is; nil does so always.
	Decrypt func(ctx context.Context, in render.Inputs, name string, content []byte) ([]byte, error)
	// Limit bounds each of the two folders; the zero limit is render.DefaultTreeLimit.
	Limit render.TreeLimit
}

var _ render.Claimer = Renderer{}

// Claims reports whether the source is an overlay: it says so by the name of the plugin, or it says nothing and lies so
// that it can be nothing else.
func (r Renderer) Claims(in render.Inputs, req render.Request) (bool, error) {
	if req.Source.Chart != "" {
		return false, nil
	}
	if req.Source.Plugin != nil {
		return req.Source.Plugin.Name == PluginName, nil
	}
	s := settings{layout: DefaultLayout()}
	if _, ok := cutDir(path.Dir(path.Dir(req.Source.Path)), s.layout.ClustersDir); !ok {
		return false, nil
	}
	o, err := s.locate(req.Source.Path)
	if err != nil {
		return false, nil //nolint:nilerr // another path, so another kind of source
	}
	only, err := s.onlyValues(in.Files, o)
	if err != nil || !only {
		return false, err
	}
	return isFile(in.Files, path.Join(s.layout.namespaceDir(o), chartFile)), nil
}

// onlyValues reports whether the cluster's folder has files of values, and nothing that would make something else of it.
func (s settings) onlyValues(fsys fs.FS, o Overlay) (bool, error) {
	entries, err := fs.ReadDir(fsys, s.layout.clusterDir(o))
	if err != nil {
		return false, fmt.Errorf("finding the type of the source: %w", err)
	}
	_, values := s.layout.valueFiles(o)
	found := false
	for _, e := range entries {
		switch name := e.Name(); {
		case slices.Contains(values, name):
			found = true
		case !e.IsDir() && isNote(name):
		default:
			return false, nil
		}
	}
	return found, nil
}

// isNote tells files that belong to nothing that is rendered.
func isNote(name string) bool {
	return strings.HasPrefix(name, ".argocd-source") || name == ".gitkeep" || name == ".sops.yaml" || name == "OWNERS" ||
		name == "CODEOWNERS" || strings.EqualFold(path.Ext(name), ".md")
}

// Render implements render.Renderer. The source's path must be a valid path of the files.
func (r Renderer) Render(ctx context.Context, in render.Inputs, req render.Request) (render.Result, error) {
	s, err := parse(req.Source.Plugin)
	if err != nil {
		return render.Result{}, err
	}
	o, err := s.locate(req.Source.Path)
	if err != nil {
		return render.Result{}, err
	}
	common, err := r.side(in.Files, s.layout.namespaceDir(o))
	if err != nil {
		return render.Result{}, err
	}
	cluster, err := r.side(in.Files, s.layout.clusterDir(o))
	if err != nil {
		return render.Result{}, err
	}
	values, err := r.values(ctx, in, s.layout, o, common, cluster)
	if err != nil {
		return render.Result{}, err
	}
	merged, err := merge(s.layout, o, common, cluster)
	if err != nil {
		return render.Result{}, err
	}
	chart, err := r.Engine.Files(in.Files, merged.home, merged.files)
	if err != nil {
		return render.Result{}, err
	}
	manifests, err := r.Engine.Template(ctx, in, chart, values, s.release(o, req))
	if err != nil {
		return render.Result{}, fmt.Errorf("namespace %s in %s: %w", o.Namespace, o.Cluster, err)
	}
	result := render.Result{Warnings: s.doubts(in.Files, o)}
	for _, m := range manifests {
		objects, err := m.Objects(merged.folderOf(m.File))
		if err != nil {
			return render.Result{}, err
		}
		result.Objects = append(result.Objects, objects...)
	}
	return result, nil
}

// release is named after the folder of the namespace, so that the names of objects do not depend on what the
// applications are called; it goes to the namespace of the Application's destination.
func (s settings) release(o Overlay, req render.Request) helm.Release {
	release := helm.Release{
		Name: s.releaseName, Namespace: req.Namespace, KubeVersion: req.KubeVersion, IncludeCRDs: true,
	}
	if release.Name == "" {
		release.Name = o.Namespace
	}
	if release.Namespace == "" {
		release.Namespace = o.Namespace
	}
	return release
}

// doubts are about a cluster that the repository knows nothing of, which may be a slip of the pen.
func (s settings) doubts(fsys fs.FS, o Overlay) []render.Warning {
	dir := path.Join(o.Base, s.layout.ClustersDir, o.Cluster)
	if _, err := fs.Stat(fsys, dir); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return []render.Warning{{
		Reason: render.WarningIgnored, File: dir,
		Message: fmt.Sprintf("there is no folder %s, so only what is common to all clusters counts; is the cluster named %s?", dir, o.Cluster),
	}}
}

// side is one of the two folders.
type side struct {
	dir   string
	files []render.File
}

// side reads a folder whole; one that does not exist has no files.
func (r Renderer) side(fsys fs.FS, dir string) (side, error) {
	limit := r.Limit
	if limit == (render.TreeLimit{}) {
		limit = render.DefaultTreeLimit
	}
	info, err := fs.Stat(fsys, dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
		return side{dir: dir}, nil
	}
	if err != nil {
		return side{}, fmt.Errorf("reading the overlay: %w", err)
	}
	files, err := render.ReadTree(fsys, dir, limit)
	if err != nil {
		return side{}, fmt.Errorf("reading the overlay: %w", err)
	}
	return side{dir: dir, files: files}, nil
}

// file is a file of the folder by its name.
func (s side) file(name string) ([]byte, bool) {
	i := slices.IndexFunc(s.files, func(f render.File) bool { return f.Name == name })
	if i < 0 {
		return nil, false
	}
	return s.files[i].Content, true
}

// values merges the files of values in their order.
func (r Renderer) values(ctx context.Context, in render.Inputs, l Layout, o Overlay, common, cluster side) (map[string]any, error) {
	var files []helm.ValueFile
	commonNames, clusterNames := l.valueFiles(o)
	for _, of := range []struct {
		side  side
		names []string
	}{{common, commonNames}, {cluster, clusterNames}} {
		for _, name := range of.names {
			content, ok := of.side.file(name)
			if !ok {
				continue
			}
			full := path.Join(of.side.dir, name)
			if r.Decrypt != nil {
				var err error
				if content, err = r.Decrypt(ctx, in, full, content); err != nil {
					return nil, err
				}
			}
			files = append(files, helm.ValueFile{Name: full, Content: content})
		}
	}
	return helm.MergeValues(files...)
}
