package render

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
)

// BuildEnvironment is the build environment of a source: the variables that Argo CD gives to Helm parameters, Jsonnet,
// Kustomize and plugins. Only the variables that are used are asked for, so that a result depends on no others.
type BuildEnvironment struct {
	ctx context.Context
	in  Inputs
	req Request
}

// Environment is the build environment of a request.
func Environment(ctx context.Context, in Inputs, req Request) *BuildEnvironment {
	return &BuildEnvironment{ctx: ctx, in: in, req: req}
}

// environmentNames are all variables, in the order of [BuildEnvironment.All].
func environmentNames() []string {
	return append([]string{
		"ARGOCD_APP_NAME", "ARGOCD_APP_NAMESPACE", "ARGOCD_APP_PROJECT_NAME", "ARGOCD_APP_SOURCE_PATH",
		"ARGOCD_APP_SOURCE_REPO_URL", "KUBE_VERSION", "KUBE_API_VERSIONS",
	}, Variables...)
}

// Has reports whether there is a variable of that name. It asks for nothing.
func (e *BuildEnvironment) Has(name string) bool {
	return slices.Contains(environmentNames(), name)
}

// Lookup gives the value of a variable; one that does not exist is empty.
func (e *BuildEnvironment) Lookup(name string) (string, error) {
	switch name {
	case "ARGOCD_APP_NAME":
		return e.req.AppName, nil
	case "ARGOCD_APP_NAMESPACE":
		return e.req.Namespace, nil
	case "ARGOCD_APP_PROJECT_NAME":
		return e.req.Project, nil
	case "ARGOCD_APP_SOURCE_PATH":
		if e.req.Source.Chart != "" {
			return "", nil
		}
		return e.req.Source.Path, nil
	case "ARGOCD_APP_SOURCE_REPO_URL":
		return e.req.Source.RepoURL, nil
	case "KUBE_VERSION":
		return e.req.KubeVersion, nil
	case "KUBE_API_VERSIONS":
		versions, err := e.in.external().APIVersions(e.ctx)
		if err != nil {
			return "", fmt.Errorf("build environment: asking for %s: %w", name, err)
		}
		return strings.Join(versions, ","), nil
	}
	if !slices.Contains(Variables, name) {
		return "", nil
	}
	value, err := e.in.external().Variable(e.ctx, name)
	if err != nil {
		return "", fmt.Errorf("build environment: asking for %s: %w", name, err)
	}
	return value, nil
}

// Expand replaces $NAME and ${NAME} by the values of variables. Those that do not exist become empty, and $$ a dollar
// sign.
func (e *BuildEnvironment) Expand(text string) (string, error) {
	if strings.IndexByte(text, '$') < 0 {
		return text, nil
	}
	var failure error
	expanded := os.Expand(text, func(name string) string {
		if name == "$" {
			return "$"
		}
		value, err := e.Lookup(name)
		if err != nil && failure == nil {
			failure = err
		}
		return value
	})
	return expanded, failure
}

// All gives every variable as NAME=value. What asks for it depends on every one of them.
func (e *BuildEnvironment) All() ([]string, error) {
	var all []string
	for _, name := range environmentNames() {
		value, err := e.Lookup(name)
		if err != nil {
			return nil, err
		}
		all = append(all, name+"="+value)
	}
	return all, nil
}
