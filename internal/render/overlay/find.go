package overlay

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// chartFile makes a folder a chart.
const chartFile = "Chart.yaml"

// Find lists the overlays of a layout that begins at the root, ordered by cluster and namespace: every folder
// clusters/<cluster>/<ns> that is a chart or belongs to one in namespaces/<ns>. A namespace that no cluster has a folder
// for is not listed, because nothing says where it belongs.
func Find(fsys fs.FS, l Layout) ([]Overlay, error) {
	clusters, err := folders(fsys, l.ClustersDir)
	if err != nil {
		return nil, err
	}
	var found []Overlay
	for _, cluster := range clusters {
		namespaces, err := folders(fsys, path.Join(l.ClustersDir, cluster))
		if err != nil {
			return nil, err
		}
		for _, namespace := range namespaces {
			o := Overlay{Cluster: cluster, Namespace: namespace, Base: "."}
			is := isFile(fsys, path.Join(l.namespaceDir(o), chartFile)) || isFile(fsys, path.Join(l.clusterDir(o), chartFile))
			if is {
				found = append(found, o)
			}
		}
	}
	return found, nil
}

// folders are the names of the folders in a folder; none when that does not exist.
func folders(fsys fs.FS, dir string) ([]string, error) {
	entries, err := fs.ReadDir(fsys, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("looking for overlays: %w", err)
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

func isFile(fsys fs.FS, name string) bool {
	info, err := fs.Stat(fsys, name)
	return err == nil && !info.IsDir()
}
