package kustomize

import (
	"path"
	"strings"

	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// Annotations that Kustomize writes for who asks for buildMetadata.
const (
	originAnnotation    = "config.kubernetes.io/origin"
	transformAnnotation = "alpha.config.kubernetes.io/transformations"
)

// restoreOrigins brings the annotations of buildMetadata, which name virtual paths where something lies elsewhere, into
// the form that they have when Kustomize fetches it itself.
func (p *preparer) restoreOrigins(content map[string]any, root *mount, dir string) {
	metadata, _ := content["metadata"].(map[string]any)
	annotations, _ := metadata["annotations"].(map[string]any)
	if text, ok := annotations[originAnnotation].(string); ok && isVirtual(text) {
		var origin resource.Origin
		if yaml.Unmarshal([]byte(text), &origin) == nil {
			p.restoreOrigin(&origin, root, dir)
			if restored, err := origin.String(); err == nil {
				annotations[originAnnotation] = restored
			}
		}
	}
	if text, ok := annotations[transformAnnotation].(string); ok && isVirtual(text) {
		var all resource.Transformations
		if yaml.Unmarshal([]byte(text), &all) == nil {
			for _, origin := range all {
				p.restoreOrigin(origin, root, dir)
			}
			if restored, err := all.String(); err == nil {
				annotations[transformAnnotation] = restored
			}
		}
	}
}

func isVirtual(text string) bool {
	return strings.Contains(text, "@") || strings.Contains(text, ".fairlead-")
}

func (p *preparer) restoreOrigin(o *resource.Origin, root *mount, dir string) {
	for _, field := range []*string{&o.Path, &o.ConfiguredIn} {
		if *field == "" {
			continue
		}
		virtual := path.Join(root.virtual(dir), *field)
		if shown, ok := p.fs.shown[virtual]; ok {
			*field = shown
			continue
		}
		m, name, err := p.fs.split(virtual)
		if err != nil {
			continue
		}
		if !m.remote() {
			*field = relative(dir, name)
			continue
		}
		*field, o.Repo, o.Ref = name, withoutUser(m.url), m.revision
	}
}
