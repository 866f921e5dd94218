package helm

import (
	"fmt"
	"path"
	"strings"

	helmchart "helm.sh/helm/v4/pkg/chart"
	"helm.sh/helm/v4/pkg/chart/common"
	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
)

// templateFile is a template with what it is executed for.
type templateFile struct {
	text   string
	scope  map[string]any // that of its chart
	folder string         // .Template.BasePath
}

// gather collects the templates of a chart and of its dependencies by their full names, and gives the scope of the chart.
// above is the scope of the chart that it is a dependency of, or that of the whole for the root.
func gather(c *chartv2.Chart, above common.Values, to map[string]templateFile) (map[string]any, error) {
	chart, err := helmchart.NewAccessor(c)
	if err != nil {
		return nil, fmt.Errorf("reading the chart: %w", err)
	}
	about := chart.MetadataAsMap()
	about["IsRoot"] = chart.IsRoot()
	below := map[string]any{}
	scope := map[string]any{
		"Chart": about, "Files": newChartFiles(chart.Files()), "Release": above["Release"],
		"Capabilities": above["Capabilities"], "Values": common.Values{}, "Subcharts": below,
	}
	if chart.IsRoot() {
		scope["Values"] = above["Values"]
	} else if values, err := above.Table("Values." + chart.Name()); err == nil {
		scope["Values"] = values
	}
	for _, d := range c.Dependencies() {
		if below[d.Name()], err = gather(d, scope, to); err != nil {
			return nil, err
		}
	}
	folder := chart.ChartFullPath()
	for _, t := range chart.Templates() {
		if t == nil || chart.IsLibraryChart() && !strings.HasPrefix(path.Base(t.Name), "_") {
			continue
		}
		to[path.Join(folder, t.Name)] = templateFile{text: string(t.Data), scope: scope, folder: path.Join(folder, "templates")}
	}
	return scope, nil
}
