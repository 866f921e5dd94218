package helm

import (
	"context"
	"fmt"
	"path"
	"strings"

	"github.com/Masterminds/semver/v3"
	chartv2 "helm.sh/helm/v4/pkg/chart/v2"

	"github.com/fairlead-cd/fairlead/internal/render"
)

// resolver puts a chart together with its dependencies.
type resolver struct {
	engine *Engine
	from   render.External
	// schemas and listsAPIs are gathered on the way.
	schemas   map[*byte]*schema // by the first byte of their text, which copies of a chart share
	listsAPIs bool
	charts    int
}

// maxCharts bounds the charts of one rendering.
const maxCharts = 1000

// assemble makes a chart object with all its dependencies: those vendored in charts/, and what is missing there from
// where Chart.yaml says.
func (r *resolver) assemble(ctx context.Context, p *parsed, at home, depth int) (*chartv2.Chart, error) {
	if r.charts++; depth > maxChartDepth || r.charts > maxCharts {
		return nil, fmt.Errorf("%w: its dependencies are more than %d charts, or nested more than %d deep; do they refer to each other?",
			render.ErrTooLarge, maxCharts, maxChartDepth)
	}
	c := p.instance()
	r.listsAPIs = r.listsAPIs || p.listsAPIs
	if p.schema != nil {
		r.schemas[&p.schema.text[0]] = p.schema
	}
	present := map[string]bool{}
	for _, v := range p.vendored {
		// The place of a vendored folder is not known, so that its own file:// dependencies must be vendored as well.
		child, err := r.assemble(ctx, v, home{}, depth+1)
		if err != nil {
			return nil, fmt.Errorf("dependency %s: %w", v.metadata.Name, err)
		}
		present[child.Name()] = true
		c.AddDependency(child)
	}
	var missing []*chartv2.Dependency
	for _, d := range p.metadata.Dependencies {
		if d != nil && !present[d.Name] {
			missing = append(missing, d)
		}
	}
	if len(missing) == 0 {
		return c, nil
	}
	if err := checkLock(p); err != nil {
		return nil, err
	}
	added := map[string]bool{}
	for _, d := range missing {
		version, err := lockedVersion(p.lock, d)
		if err != nil {
			return nil, err
		}
		key := d.Name + "\x00" + d.Repository + "\x00" + version
		if added[key] {
			continue // once more under another alias
		}
		added[key] = true
		child, err := r.find(ctx, d, version, at, depth)
		if err != nil {
			return nil, fmt.Errorf("dependency %s: %w", d.Name, err)
		}
		if child != nil {
			c.AddDependency(child)
		}
	}
	return c, nil
}

// find gets a dependency that is not vendored. It is nil when nobody could find it, and Helm would go on without it.
func (r *resolver) find(ctx context.Context, d *chartv2.Dependency, version string, at home, depth int) (*chartv2.Chart, error) {
	repository := d.Repository
	switch {
	case repository == "":
		return nil, fmt.Errorf("%w: it is not in charts/, and Chart.yaml names no repository for it", render.ErrInvalidSource)
	case strings.HasPrefix(repository, "file://"):
		if at.fsys == nil && depth > 0 {
			return nil, nil
		}
		return r.local(ctx, d, at, depth)
	case strings.HasPrefix(repository, "alias:"):
		repository = "@" + strings.TrimPrefix(repository, "alias:")
	case strings.HasPrefix(repository, "@"), strings.HasPrefix(repository, "https://"),
		strings.HasPrefix(repository, "http://"), strings.HasPrefix(repository, "oci://"):
	default:
		return nil, fmt.Errorf("%w: repository %q is none of https://, http://, oci://, file:// and @name",
			render.ErrInvalidSource, repository)
	}
	p, err := r.engine.fetch(ctx, r.from, render.ChartRef{Repository: repository, Name: d.Name, Version: version})
	if err != nil {
		return nil, err
	}
	return r.checked(ctx, d, p, home{}, depth)
}

// local reads a file:// dependency.
func (r *resolver) local(ctx context.Context, d *chartv2.Dependency, at home, depth int) (*chartv2.Chart, error) {
	name := strings.TrimPrefix(d.Repository, "file://")
	if at.fsys == nil {
		return nil, fmt.Errorf("%w: %s cannot be reached from a packed chart; vendor it in charts/", render.ErrInvalidSource, d.Repository)
	}
	if path.IsAbs(name) {
		return nil, fmt.Errorf("%w: %s is absolute; give it relative to the chart", render.ErrInvalidSource, d.Repository)
	}
	dir := path.Join(at.dir, name)
	if dir == ".." || strings.HasPrefix(dir, "../") {
		return nil, fmt.Errorf("%w: %s leads out of the repository", render.ErrInvalidSource, d.Repository)
	}
	files, err := render.ReadTree(at.fsys, dir, r.engine.o.Chart)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.Repository, err)
	}
	key := filesKey(files)
	p, ok := r.engine.parsed.get(key)
	if !ok {
		if p, err = r.engine.parseFolder(files); err != nil {
			return nil, fmt.Errorf("%s: %w", d.Repository, err)
		}
		r.engine.parsed.put(key, p, p.bytes())
	}
	return r.checked(ctx, d, p, home{at.fsys, dir}, depth)
}

// checked assembles a dependency that was found, if it is the right one.
func (r *resolver) checked(ctx context.Context, d *chartv2.Dependency, p *parsed, at home, depth int) (*chartv2.Chart, error) {
	constraint, err := semver.NewConstraint(d.Version)
	if err != nil {
		return nil, fmt.Errorf("%w: version %q is no version and no range: %w", render.ErrInvalidSource, d.Version, err)
	}
	version, err := semver.NewVersion(p.metadata.Version)
	if err != nil {
		return nil, fmt.Errorf("%w: version %q of the chart found: %w", render.ErrInvalidSource, p.metadata.Version, err)
	}
	if p.metadata.Name != d.Name {
		return nil, fmt.Errorf("%w: the chart found is named %s", render.ErrInvalidSource, p.metadata.Name)
	}
	if !constraint.Check(version) {
		return nil, fmt.Errorf("%w: the chart found has version %s, but Chart.yaml wants %s",
			render.ErrInvalidSource, p.metadata.Version, d.Version)
	}
	return r.assemble(ctx, p, at, depth+1)
}
