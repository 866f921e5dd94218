package plugin

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render"
)

// standing are the variables of the build environment that every plugin gets and a result depends on. Those of the
// revision come to it by another way, see the package comment.
func standing() []string {
	return []string{
		"ARGOCD_APP_NAME", "ARGOCD_APP_NAMESPACE", "ARGOCD_APP_PROJECT_NAME", "ARGOCD_APP_SOURCE_PATH",
		"ARGOCD_APP_SOURCE_REPO_URL", "KUBE_VERSION", "KUBE_API_VERSIONS",
	}
}

// userPrefix goes before the names of the variables that an Application states, so that it can set no others.
const userPrefix = "ARGOCD_ENV_"

// environment is what the commands of a plugin get, NAME=value: the build environment, the Application's variables, and
// its parameters.
func environment(build *render.BuildEnvironment, p *v1alpha1.ApplicationSourcePlugin) ([]string, error) {
	var env []string
	for _, name := range standing() {
		value, err := build.Lookup(name)
		if err != nil {
			return nil, err
		}
		env = append(env, name+"="+value)
	}
	if p == nil {
		return env, nil
	}
	for _, entry := range p.Env {
		if entry == nil || entry.Name == "" {
			continue
		}
		value, err := build.Expand(entry.Value)
		if err != nil {
			return nil, fmt.Errorf("the value of the plugin's variable %s: %w", entry.Name, err)
		}
		env = append(env, userPrefix+entry.Name+"="+value)
	}
	parameters, err := json.Marshal(p.Parameters)
	if err != nil {
		return nil, fmt.Errorf("encoding the plugin's parameters: %w", err)
	}
	env = append(env, "ARGOCD_APP_PARAMETERS="+string(parameters))
	for _, parameter := range p.Parameters {
		env = append(env, parameterVariables(parameter)...)
	}
	return env, nil
}

// parameterVariables are the variables of one parameter.
func parameterVariables(p v1alpha1.ApplicationSourcePluginParameter) []string {
	var env []string
	name := "PARAM_" + variableName(p.Name)
	if p.String_ != nil {
		env = append(env, name+"="+*p.String_)
	}
	if p.OptionalMap != nil {
		for _, key := range slices.Sorted(maps.Keys(p.Map)) {
			env = append(env, name+"_"+variableName(key)+"="+p.Map[key])
		}
	}
	if p.OptionalArray != nil {
		for i, element := range p.Array {
			env = append(env, name+"_"+strconv.Itoa(i)+"="+element)
		}
	}
	return env
}

// variableName makes the name of a variable of any text.
func variableName(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' {
			return r
		}
		return '_'
	}, strings.ToUpper(text))
}
