package overlay

import (
	"bytes"
	"cmp"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	"sigs.k8s.io/yaml"

	"github.com/fairlead-cd/fairlead/internal/render"
)

const (
	lockFile    = "Chart.lock"
	ignoreFile  = ".helmignore"
	defaultFile = "values.yaml"
)

// merged is the chart of an overlay.
type merged struct {
	files []render.File
	// home is the folder that the chart's file:// dependencies are relative to, and that objects come from but those of
	// files that only the cluster has.
	home, clusterDir string
	fromCluster      map[string]bool
}

// folderOf is the folder in which a file of the chart lies.
func (m merged) folderOf(file string) string {
	if m.fromCluster[file] {
		return m.clusterDir
	}
	return m.home
}

// merge puts the chart of the namespace and what the cluster adds to it together. Where both have a file, the cluster's
// counts; Chart.yaml and values.yaml are merged.
func merge(l Layout, o Overlay, common, cluster side) (merged, error) {
	_, hasCommon := common.file(chartFile)
	_, hasCluster := cluster.file(chartFile)
	m := merged{home: common.dir, clusterDir: cluster.dir, fromCluster: map[string]bool{}}
	switch {
	case !hasCommon && !hasCluster:
		return m, invalid("there is no %s, neither in %s nor in %s", chartFile, common.dir, cluster.dir)
	case !hasCommon:
		m.home = cluster.dir
	}
	byName := map[string]render.File{}
	for _, f := range common.files {
		byName[f.Name] = f
	}
	_, values := l.valueFiles(o)
	for _, f := range cluster.files {
		before, both := byName[f.Name]
		switch {
		case slices.Contains(values, f.Name) || isNote(f.Name):
			continue
		case both && f.Name == chartFile:
			if err := m.mergeChart(common, cluster, byName); err != nil {
				return m, err
			}
			continue
		case both && f.Name == lockFile:
			continue
		case both && f.Name == defaultFile:
			content, err := mergeDefaults(cluster.dir, before.Content, f.Content)
			if err != nil {
				return m, err
			}
			f.Content = content
		case both && f.Name == ignoreFile:
			f.Content = slices.Concat(before.Content, []byte("\n"), f.Content)
		}
		byName[f.Name] = f
		m.fromCluster[f.Name] = true
	}
	m.files = slices.SortedFunc(maps.Values(byName), func(a, b render.File) int { return cmp.Compare(a.Name, b.Name) })
	return m, nil
}

// mergeDefaults merges the default values of both folders.
func mergeDefaults(dir string, common, cluster []byte) ([]byte, error) {
	var all [2]map[string]any
	for i, text := range [][]byte{common, cluster} {
		if err := render.CheckAliases(path.Join(dir, defaultFile), text); err != nil {
			return nil, err
		}
		if err := yaml.Unmarshal(text, &all[i]); err != nil {
			return nil, invalid("%s cannot be merged with the one of the namespace, because one of them is not valid YAML",
				path.Join(dir, defaultFile))
		}
	}
	return yaml.Marshal(mergeMaps(all[0], all[1]))
}

func mergeMaps(under, over map[string]any) map[string]any {
	out := maps.Clone(under)
	if out == nil {
		out = map[string]any{}
	}
	for key, value := range over {
		inner, isMap := value.(map[string]any)
		if below, both := out[key].(map[string]any); both && isMap {
			value = mergeMaps(below, inner)
		}
		out[key] = value
	}
	return out
}

// mergeChart adds the dependencies of the cluster's Chart.yaml to those of the namespace. One with a name, or an alias,
// that the namespace has too takes its place. Versions that the lock file of a folder states are kept.
func (m *merged) mergeChart(common, cluster side, files map[string]render.File) error {
	chart, err := common.chart()
	if err != nil {
		return err
	}
	additional, err := cluster.chart()
	if err != nil {
		return err
	}
	added := dependencies(additional)
	if len(added) == 0 {
		return nil
	}
	all := pinned(dependencies(chart), common)
	for _, d := range pinned(added, cluster) {
		if local, ok := strings.CutPrefix(text(d, "repository"), "file://"); ok {
			d["repository"] = "file://" + relative(m.home, path.Join(cluster.dir, local))
		}
		at := slices.IndexFunc(all, func(one map[string]any) bool { return called(one) == called(d) })
		if at < 0 {
			all = append(all, d)
		} else {
			all[at] = d
		}
	}
	chart["dependencies"] = all
	content, err := yaml.Marshal(chart)
	if err != nil {
		return err
	}
	f := files[chartFile]
	f.Content = content
	files[chartFile] = f
	delete(files, lockFile) // it is about fewer dependencies; its versions are in Chart.yaml now
	return nil
}

// chart reads the folder's Chart.yaml.
func (s side) chart() (map[string]any, error) {
	content, _ := s.file(chartFile)
	name := path.Join(s.dir, chartFile)
	if err := render.CheckAliases(name, content); err != nil {
		return nil, err
	}
	chart := map[string]any{}
	if err := yaml.Unmarshal(bytes.TrimPrefix(content, []byte("\xef\xbb\xbf")), &chart); err != nil {
		return nil, invalid("%s is not valid YAML: %v", name, err)
	}
	return chart, nil
}

func dependencies(chart map[string]any) []map[string]any {
	list, _ := chart["dependencies"].([]any)
	var out []map[string]any
	for _, item := range list {
		if d, ok := item.(map[string]any); ok {
			out = append(out, maps.Clone(d))
		}
	}
	return out
}

// pinned gives dependencies the versions that the folder's lock file states, where they are within the stated ranges.
func pinned(all []map[string]any, s side) []map[string]any {
	content, ok := s.file(lockFile)
	if !ok || render.CheckAliases(lockFile, content) != nil {
		return all
	}
	lock := map[string]any{}
	if err := yaml.Unmarshal(content, &lock); err != nil {
		return all
	}
	for _, d := range all {
		constraint, err := semver.NewConstraint(text(d, "version"))
		if err != nil {
			continue
		}
		for _, locked := range dependencies(lock) {
			version, err := semver.NewVersion(text(locked, "version"))
			if err == nil && text(locked, "name") == text(d, "name") && text(locked, "repository") == text(d, "repository") &&
				constraint.Check(version) {
				d["version"] = text(locked, "version")
				break
			}
		}
	}
	return all
}

func text(m map[string]any, key string) string {
	s, _ := m[key].(string)
	return s
}

// called is what a dependency's values stand under.
func called(d map[string]any) string { return cmp.Or(text(d, "alias"), text(d, "name")) }

// relative is a path as seen from a folder.
func relative(from, to string) string {
	if from == "." {
		return to
	}
	return strings.Repeat("../", strings.Count(from, "/")+1) + to
}
