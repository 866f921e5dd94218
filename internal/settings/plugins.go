package settings

import (
	"errors"
	"fmt"
	"slices"

	"sigs.k8s.io/yaml"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// plugins reads the list of plugins that run without a sidecar.
func plugins(text string) ([]v1alpha1.ConfigManagementPlugin, error) {
	var list []v1alpha1.ConfigManagementPlugin
	if err := yaml.Unmarshal([]byte(text), &list); err != nil {
		return nil, fmt.Errorf("the value is not a YAML list of plugins: %w", err)
	}
	var problems []error
	var names []string
	for i, p := range list {
		if p.Name == "" {
			problems = append(problems, fmt.Errorf("the plugin at %d has no name", i+1))
			continue
		}
		if slices.Contains(names, p.Name) {
			problems = append(problems, fmt.Errorf("there are two plugins named %q", p.Name))
		}
		names = append(names, p.Name)
		if len(p.Generate.Command) == 0 {
			problems = append(problems, fmt.Errorf("plugin %q has no generate.command", p.Name))
		}
		if p.Init != nil && len(p.Init.Command) == 0 && len(p.Init.Args) > 0 {
			problems = append(problems, fmt.Errorf("plugin %q has init.args and no init.command", p.Name))
		}
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	return list, nil
}
