package helm

import (
	"bytes"
	"fmt"
	"strings"

	"helm.sh/helm/v4/pkg/chart/v2/loader"

	"github.com/fairlead-cd/fairlead/internal/render"
)

// ValueFile is a text of values: YAML or JSON.
type ValueFile struct {
	// Name for errors.
	Name string
	// Content of the file.
	Content []byte
}

// MergeValues merges value files as `helm -f a -f b` does: later ones win, maps are merged, everything else is replaced,
// and null removes what the chart has as default.
func MergeValues(files ...ValueFile) (map[string]any, error) {
	merged := map[string]any{}
	for _, f := range files {
		if err := render.CheckAliases(f.Name, f.Content); err != nil {
			return nil, err
		}
		values, err := loader.LoadValues(bytes.NewReader(f.Content))
		if err != nil {
			// The YAML library's message about a key that cannot be one goes on with the value.
			problem, _, _ := strings.Cut(err.Error(), ", value: ")
			return nil, fmt.Errorf("%w: failed to parse %s: %s", render.ErrInvalidSource, f.Name, problem)
		}
		merged = loader.MergeMaps(merged, values)
	}
	return merged, nil
}
