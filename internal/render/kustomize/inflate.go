package kustomize

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/kio"
	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/helm"
)

// errHelmOff is Kustomize's own word, and where the flag is set.
var errHelmOff = errors.New("must specify --enable-helm; the operator sets it in kustomize.buildOptions of argocd-cm")

// inflate renders the charts of a kustomization. What they give becomes a component of its own: Kustomize reads
// components after generators and before transformers, where its own inflator would stand.
func (r rewriter) inflate(k *types.Kustomization) error {
	charts := k.HelmCharts
	var globals types.HelmGlobals
	if k.HelmGlobals != nil {
		globals = *k.HelmGlobals
	}
	k.HelmCharts, k.HelmGlobals = nil, nil
	for _, c := range slices.Backward(charts) { // each is put before the others
		if err := r.inflateOne(k, globals, c); err != nil {
			return r.errorf("helmCharts", err)
		}
	}
	return nil
}

func (r rewriter) inflateOne(k *types.Kustomization, globals types.HelmGlobals, c types.HelmChart) error {
	if !r.options.helm {
		return fmt.Errorf("%w: chart %s: %w", render.ErrInvalidSource, c.Name, errHelmOff)
	}
	manifests, where, err := r.template(globals, c)
	if err != nil {
		return fmt.Errorf("chart %s: %w", c.Name, err)
	}
	var out strings.Builder
	for _, m := range manifests {
		text, err := r.generated(m, where)
		if err != nil {
			return fmt.Errorf("chart %s: %s: %w", c.Name, m.File, err)
		}
		out.WriteString(text)
	}
	r.numbered++
	dir := r.mount.virtual(path.Join(r.dir, fmt.Sprintf(".fairlead-%d-%s", r.numbered, safeName(c.Name))))
	shown := "chart " + c.Name
	r.fs.folders[dir] = true
	r.fs.shown[dir] = shown
	component := "apiVersion: " + types.ComponentVersion + "\nkind: " + types.ComponentKind + "\nresources: [./chart.yaml]\n"
	for name, content := range map[string]string{"chart.yaml": out.String(), konfig.DefaultKustomizationFileName(): component} {
		r.fs.ours[path.Join(dir, name)] = []byte(content)
		r.fs.shown[path.Join(dir, name)] = shown
	}
	if out.Len() == 0 {
		return nil
	}
	k.Components = slices.Insert(k.Components, 0, r.at(dir))
	return nil
}

// generated marks the objects of a manifest as a chart's, as Kustomize's inflator does, and with their place.
func (r rewriter) generated(m helm.Manifest, where func(file string) string) (string, error) {
	nodes, err := kio.FromBytes([]byte(m.Content))
	if err != nil {
		return "", fmt.Errorf("%w: %w", render.ErrInvalidManifest, err)
	}
	var out strings.Builder
	for _, n := range nodes {
		if n.IsNilOrEmpty() {
			continue
		}
		if err := n.PipeE(yaml.SetAnnotation(konfig.HelmGeneratedAnnotation, "true")); err != nil {
			return "", fmt.Errorf("%w: %w", render.ErrInvalidManifest, err)
		}
		text, err := n.String()
		if err != nil {
			return "", err
		}
		out.WriteString("---\n")
		out.Write(r.fs.trace.markOne(where(m.File), []byte(text)))
		if !strings.HasSuffix(text, "\n") {
			out.WriteByte('\n')
		}
	}
	return out.String(), nil
}

// template renders a chart as Kustomize has helm do it. where gives the file of the repository that a manifest is from.
func (r rewriter) template(globals types.HelmGlobals, c types.HelmChart) ([]helm.Manifest, func(string) string, error) {
	if c.Name == "" {
		return nil, nil, errors.New("the name of the chart is missing")
	}
	if c.Namespace == "" {
		c.Namespace = r.namespace
	}
	if c.Namespace == "" {
		c.Namespace = "default"
	}
	chart, dir, err := r.chart(globals, c)
	if err != nil {
		return nil, nil, err
	}
	where := func(string) string { return r.mount.source(r.file) }
	if dir != "" {
		where = func(file string) string { return r.mount.source(path.Join(dir, file)) }
	}
	values, err := r.values(c, dir)
	if err != nil {
		return nil, nil, err
	}
	name, err := releaseName(c)
	if err != nil {
		return nil, nil, err
	}
	release := helm.Release{
		Name: name, Namespace: c.Namespace, KubeVersion: c.KubeVersion, APIVersions: c.ApiVersions,
		IncludeCRDs: c.IncludeCRDs, SkipTests: c.SkipTests, SkipHooks: c.SkipHooks,
	}
	if release.KubeVersion == "" {
		release.KubeVersion = r.options.kubeVersion
	}
	if len(release.APIVersions) == 0 {
		if release.APIVersions, err = r.charts.apiVersions(r.ctx, r.external); err != nil {
			return nil, nil, err
		}
	}
	in := r.fs.in
	in.Files = r.mount.fsys
	manifests, err := r.charts.engine.Template(r.ctx, in, chart, values, release)
	return manifests, where, err
}

// chart finds a chart: in the folder of charts of the kustomization, or else in its repository. dir is the folder of a
// chart that lies in the repository.
func (r rewriter) chart(globals types.HelmGlobals, c types.HelmChart) (chart helm.Chart, dir string, err error) {
	home := globals.ChartHome
	if home == "" {
		home = types.HelmDefaultHome
	}
	if c.Version != "" && c.Repo != "" {
		home = path.Join(home, c.Name+"-"+c.Version)
	}
	entry := path.Join(home, c.Name)
	name, info, err := r.locate(entry)
	switch {
	case err == nil && info.IsDir():
		if err := r.restrict(entry, name); err != nil {
			return helm.Chart{}, "", err
		}
		chart, err := r.charts.engine.Folder(r.mount.fsys, name)
		return chart, name, err
	case err != nil && !errors.Is(err, errNotFound):
		return helm.Chart{}, "", err
	case c.Repo == "":
		return helm.Chart{}, "", fmt.Errorf("%w: no repo specified for pull, no chart found at '%s'",
			render.ErrInvalidSource, r.mount.display(path.Join(r.dir, entry)))
	}
	in := r.fs.in
	in.Files = r.mount.fsys
	chart, err = r.charts.engine.Fetch(r.ctx, in, chartRef(c))
	return chart, "", err
}

func chartRef(c types.HelmChart) render.ChartRef {
	ref := render.ChartRef{Repository: strings.TrimSuffix(c.Repo, "/"), Name: c.Name, Version: c.Version}
	if ref.Version == "" && c.Devel {
		ref.Version = ">0.0.0-0"
	}
	return ref
}

// exists reports whether a file of a chart in the repository is there.
func (r rewriter) exists(name string) bool {
	_, err := fs.Stat(r.mount.fsys, name)
	return err == nil
}
