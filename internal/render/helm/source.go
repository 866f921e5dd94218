package helm

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/strvals"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render"
)

// source is one rendering of a source.
type source struct {
	renderer Renderer
	ctx      context.Context
	in       render.Inputs
	dir      string
	settings v1alpha1.ApplicationSourceHelm
	env      *render.BuildEnvironment
	schemes  []string
}

// values are what is laid over the chart's own values, in Argo CD's order: value files, inline values, parameters.
func (s *source) values() (map[string]any, error) {
	files, err := s.valueFiles()
	if err != nil {
		return nil, err
	}
	if inline := s.settings.ValuesYAML(); inline != nil {
		name := "helm.values"
		if s.settings.ValuesObject != nil {
			name = "helm.valuesObject"
		}
		files = append(files, ValueFile{Name: name, Content: inline})
	}
	values, err := MergeValues(files...)
	if err != nil {
		return nil, err
	}
	if err := s.setParameters(values); err != nil {
		return nil, err
	}
	return values, s.setFiles(values)
}

// setParameters is --set for all parameters, and then --set-string for those with forceString.
func (s *source) setParameters(values map[string]any) error {
	for _, forced := range []bool{false, true} {
		for _, p := range s.settings.Parameters {
			if p.ForceString != forced {
				continue
			}
			value, err := s.env.Expand(p.Value)
			if err != nil {
				return fmt.Errorf("helm.parameters: %s: %w", p.Name, err)
			}
			set := strvals.ParseInto
			if forced {
				set = strvals.ParseIntoString
			}
			if err := set(p.Name+"="+escapeCommas(value), values); err != nil {
				return fmt.Errorf("%w: helm.parameters: %s cannot be set", render.ErrInvalidSource, p.Name)
			}
		}
	}
	return nil
}

// escapeCommas keeps a value in one piece: a comma would begin the next value, except in a list in braces.
func escapeCommas(value string) string {
	if strings.HasPrefix(value, "{") || !strings.Contains(value, ",") {
		return value
	}
	var b strings.Builder
	escaped := false
	for _, c := range value {
		if c == ',' && !escaped {
			b.WriteByte('\\')
		}
		escaped = c == '\\' && !escaped
		b.WriteRune(c)
	}
	return b.String()
}

// setFiles is --set-file for all file parameters.
func (s *source) setFiles(values map[string]any) error {
	for _, p := range s.settings.FileParameters {
		found, err := s.locate(p.Path)
		if err != nil {
			return fmt.Errorf("helm.fileParameters: %s: %w", p.Name, err)
		}
		content, err := s.read(found)
		if err != nil {
			return fmt.Errorf("helm.fileParameters: %s: %w", p.Name, err)
		}
		read := func([]rune) (any, error) { return string(content), nil }
		if err := strvals.ParseIntoFile(p.Name+"=file", values, read); err != nil {
			return fmt.Errorf("%w: helm.fileParameters: %s cannot be set", render.ErrInvalidSource, p.Name)
		}
	}
	return nil
}

// schemeAllowed reports whether value files may come from URLs of a scheme.
func (s *source) schemeAllowed(scheme string) bool {
	if s.schemes == nil {
		return scheme == "https" || scheme == "http"
	}
	return slices.Contains(s.schemes, scheme)
}
