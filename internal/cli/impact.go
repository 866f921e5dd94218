package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/overlay"
)

// impactConfiguration are the flags of `fairlead impact`.
type impactConfiguration struct {
	offlineConfig
	files    []string
	local    string
	diff     bool
	exitCode bool
	output   string
}

func newImpact(lookup func(string) (string, bool)) *cobra.Command {
	c := &impactConfiguration{}
	cmd := &cobra.Command{
		Use:   "impact BASE..HEAD",
		Short: "List the Applications that render differently in two commits, without a cluster",
		Long: `Impact lists the Applications whose rendered result differs between two commits
of the repository of the current folder, and with --diff how. It looks at the
Applications of the files given with -f; without -f at those whose manifests the
repository has, and at what it has in the overlay layout.

Only what the change concerns is rendered twice. Values of Secrets are never
shown, only that they differ. The exit status is 0, with --exit-code 2 when
anything differs, and 1 after an error.`,
		Example: `  # what would merging this branch change?
  fairlead impact main..HEAD

  # the same with every difference, as a check of a pull request
  fairlead impact origin/main..HEAD --diff --exit-code`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return c.run(cmd, args[0], lookup) },
	}
	flags := cmd.Flags()
	flags.StringSliceVarP(&c.files, "filename", "f", nil, "files and folders with Applications to look at")
	flags.StringVar(&c.local, "local", ".", "folder of the repository")
	flags.BoolVar(&c.diff, "diff", false, "show the differences, object by object")
	flags.BoolVar(&c.exitCode, "exit-code", false, "exit with status 2 when anything differs")
	flags.StringVarP(&c.output, "output", "o", "text", "text or json")
	c.addFlags(flags)
	return cmd
}

// impact is what a change does.
type impact struct {
	Base         string              `json:"base"`
	Head         string              `json:"head"`
	Applications []applicationImpact `json:"applications"`
	Examined     int                 `json:"examined"`
	Rendered     uint64              `json:"rendered"`
}

// applicationImpact is what it does to one Application.
type applicationImpact struct {
	Name    string       `json:"name"`
	Added   []string     `json:"added,omitempty"`
	Changed []string     `json:"changed,omitempty"`
	Removed []string     `json:"removed,omitempty"`
	Error   string       `json:"error,omitempty"`
	Diffs   []objectDiff `json:"diffs,omitempty"`
}

func (c *impactConfiguration) run(cmd *cobra.Command, commits string, lookup func(string) (string, bool)) error {
	base, head, ok := strings.Cut(commits, "..")
	if !ok || base == "" || strings.HasPrefix(head, ".") {
		return fmt.Errorf("%q names no two commits; give them as BASE..HEAD, such as main..HEAD", commits)
	}
	if c.output != "text" && c.output != "json" {
		return fmt.Errorf("-o is %q; choose text or json", c.output)
	}
	ctx := cmd.Context()
	o, err := c.openOffline(ctx, c.local, lookup, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer o.Close()
	before, err := o.at(ctx, base)
	if err != nil {
		return err
	}
	after, err := o.at(ctx, cmp.Or(head, "HEAD"))
	if err != nil {
		return err
	}
	pairs, err := c.pairs(before, after)
	if err != nil {
		return err
	}
	found := impact{Base: before.revision, Head: after.revision, Applications: []applicationImpact{}, Examined: len(pairs)}
	failed := false
	for _, name := range slices.Sorted(maps.Keys(pairs)) {
		one, err := c.compare(ctx, o, before, after, pairs[name])
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			one.Error, failed = err.Error(), true
		}
		if one.Name = name; one.differs() {
			found.Applications = append(found.Applications, *one)
		}
	}
	found.Rendered = o.parts.memo.Stats().Renders
	if err := found.write(cmd.OutOrStdout(), c.output); err != nil {
		return err
	}
	switch {
	case failed:
		return errors.New("not every Application could be rendered; the list says why")
	case c.exitCode && len(found.Applications) > 0:
		return exitStatus(2)
	}
	return nil
}

func (a *applicationImpact) differs() bool {
	return a.Error != "" || len(a.Added)+len(a.Changed)+len(a.Removed) > 0
}

// pair is one Application before and after; nil where it does not exist.
type pair struct{ before, after *v1alpha1.Application }

// pairs finds what to look at, by name.
func (c *impactConfiguration) pairs(before, after *files) (map[string]*pair, error) {
	found := map[string]*pair{}
	put := func(name string, set func(*pair)) {
		if found[name] == nil {
			found[name] = &pair{}
		}
		set(found[name])
	}
	if len(c.files) > 0 {
		apps, err := readApplications(c.files)
		if err != nil {
			return nil, fmt.Errorf("reading Applications: %w", err)
		}
		for _, app := range apps {
			put(app.Name, func(p *pair) { p.before, p.after = app, app })
		}
		return found, nil
	}
	for _, side := range []struct {
		at  *files
		set func(*pair, *v1alpha1.Application)
	}{
		{before, func(p *pair, app *v1alpha1.Application) { p.before = app }},
		{after, func(p *pair, app *v1alpha1.Application) { p.after = app }},
	} {
		apps, err := applicationsIn(side.at.FS, ".", false)
		if err != nil {
			return nil, fmt.Errorf("looking for Applications at %.7s: %w", side.at.revision, err)
		}
		covered := map[string]bool{}
		for _, app := range apps {
			put(app.Name, func(p *pair) { side.set(p, app) })
			for _, src := range app.Spec.GetSources() {
				covered[overlayKey(&src)] = true
			}
		}
		overlays, err := overlay.Find(side.at.FS, overlay.DefaultLayout())
		if err != nil {
			return nil, err
		}
		for _, one := range overlays {
			app := overlayApplication(one)
			if !covered[overlayKey(app.Spec.Source)] {
				put(app.Name, func(p *pair) { side.set(p, app) })
			}
		}
	}
	return found, nil
}

// overlayKey names the overlay that a source is about; empty for others.
func overlayKey(src *v1alpha1.ApplicationSource) string {
	if src.Plugin == nil || src.Plugin.Name != overlay.PluginName {
		return ""
	}
	cluster := ""
	for _, p := range src.Plugin.Parameters {
		if p.Name == "cluster" && p.String_ != nil {
			cluster = *p.String_
		}
	}
	return strings.Trim(src.Path, "/") + "\x00" + cluster
}

// compare renders both sides of an Application.
func (c *impactConfiguration) compare(ctx context.Context, o *offline, before, after *files, p *pair) (*applicationImpact, error) {
	out := &applicationImpact{}
	old, err := o.renderedAt(ctx, before, p.before)
	if err != nil {
		return out, fmt.Errorf("at %.7s: %w", before.revision, err)
	}
	now, err := o.renderedAt(ctx, after, p.after)
	if err != nil {
		return out, fmt.Errorf("at %.7s: %w", after.revision, err)
	}
	if old.Digest == now.Digest {
		return out, nil
	}
	olds, news := byName(old), byName(now)
	for _, name := range slices.Sorted(maps.Keys(olds)) {
		if _, ok := news[name]; !ok {
			out.Removed = append(out.Removed, name)
			out.diff(c.diff, name, olds[name], render.Object{})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(news)) {
		was, ok := olds[name]
		switch {
		case !ok:
			out.Added = append(out.Added, name)
			out.diff(c.diff, name, render.Object{}, news[name])
		case was.Hash != news[name].Hash:
			out.Changed = append(out.Changed, name)
			out.diff(c.diff, name, was, news[name])
		}
	}
	return out, nil
}

// renderedAt renders an Application with the files of one side.
func (o *offline) renderedAt(ctx context.Context, at *files, app *v1alpha1.Application) (*render.Result, error) {
	if app == nil {
		return &render.Result{}, nil
	}
	req, err := o.request(app)
	if err != nil {
		return nil, err
	}
	response, err := o.service(at).Render(ctx, req)
	if err != nil {
		return nil, err
	}
	return response.Result, nil
}

func byName(r *render.Result) map[string]render.Object {
	objects := make(map[string]render.Object, len(r.Objects))
	for _, o := range r.Objects {
		objects[nameOf(o)] = o
	}
	return objects
}

// write prints the impact.
func (i *impact) write(out io.Writer, format string) error {
	if format == "json" {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(i)
	}
	var b strings.Builder
	for _, app := range i.Applications {
		if app.Error != "" {
			fmt.Fprintf(&b, "%s: error: %s\n", app.Name, app.Error)
			continue
		}
		fmt.Fprintf(&b, "%s: %d added, %d changed, %d removed\n", app.Name, len(app.Added), len(app.Changed), len(app.Removed))
		for _, d := range app.Diffs {
			b.WriteString(d.Diff)
		}
	}
	fmt.Fprintf(&b, "%d of %d applications differ between %.7s and %.7s; %d renders\n",
		len(i.Applications), i.Examined, i.Base, i.Head, i.Rendered)
	_, err := io.WriteString(out, b.String())
	return err
}
