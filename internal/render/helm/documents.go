package helm

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	releasev1 "helm.sh/helm/v4/pkg/release/v1"
	releaseutil "helm.sh/helm/v4/pkg/release/v1/util"
	"sigs.k8s.io/yaml"

	"github.com/fairlead-cd/fairlead/internal/render"
)

// rendered is one document that a template gave.
type rendered struct {
	file   string
	text   string
	kind   string
	isTest bool
}

// sortDocuments cuts the output of templates into documents and orders them by kind as Helm installs them, hooks apart.
// Hooks of events that Helm does not know are left out, as Helm does.
func sortDocuments(files map[string]string) (plain, hooks []rendered, err error) {
	for _, name := range slices.Sorted(maps.Keys(files)) {
		for _, text := range splitDocuments(files[name]) {
			d := rendered{file: name, text: text}
			if kind, ok := quickKind(text); ok {
				d.kind = kind
				plain = append(plain, d)
				continue
			}
			if err := render.CheckAliases(name, []byte(text)); err != nil {
				return nil, nil, err
			}
			var head releaseutil.SimpleHead
			if err := yaml.Unmarshal([]byte(text), &head); err != nil {
				return nil, nil, fmt.Errorf("%w: YAML parse error on %s: %w", render.ErrInvalidManifest, name, err)
			}
			d.kind = head.Kind
			events, isHook := "", false
			if head.Metadata != nil {
				events, isHook = head.Metadata.Annotations[releasev1.HookAnnotation]
			}
			switch {
			case !isHook:
				plain = append(plain, d)
			case knownEvents(events, &d.isTest):
				hooks = append(hooks, d)
			}
		}
	}
	rank := installRanks()
	byKind := func(a, b rendered) int { return rank.compare(a.kind, b.kind) }
	slices.SortStableFunc(plain, byKind)
	slices.SortStableFunc(hooks, byKind)
	return plain, hooks, nil
}

// knownEvents reports whether Helm knows all events of a hook, and whether test is one.
func knownEvents(list string, isTest *bool) bool {
	for event := range strings.SplitSeq(list, ",") {
		switch releasev1.HookEvent(strings.ToLower(strings.TrimSpace(event))) {
		case releasev1.HookTest, "test-success":
			*isTest = true
		case releasev1.HookPreInstall, releasev1.HookPostInstall, releasev1.HookPreDelete, releasev1.HookPostDelete,
			releasev1.HookPreUpgrade, releasev1.HookPostUpgrade, releasev1.HookPreRollback, releasev1.HookPostRollback:
		default:
			return false
		}
	}
	return true
}

// splitDocuments cuts at lines that begin with three dashes, whatever follows them: Helm does so too.
func splitDocuments(text string) []string {
	text = strings.TrimLeftFunc(text, unicode.IsSpace)
	var documents []string
	add := func(d string) {
		if d = strings.TrimLeftFunc(d, unicode.IsSpace); d != "" {
			documents = append(documents, d)
		}
	}
	start := 0
	for at := 0; at < len(text); {
		if strings.HasPrefix(text[at:], "---") {
			add(text[start:at])
			start = at + 3
			for start < len(text) && (text[start] == ' ' || text[start] == '\t') {
				start++
			}
		}
		end := strings.IndexByte(text[at:], '\n')
		if end < 0 {
			break
		}
		at += end + 1
	}
	add(text[start:])
	return documents
}

// quickKind finds the kind of a document that is surely no hook, without parsing the whole of it: in a block mapping
// only keys and comments begin at the first column. It gives up when anything is unusual.
func quickKind(text string) (string, bool) {
	if strings.Contains(text, "helm.sh/hook") || strings.IndexByte(text, '\\') >= 0 {
		return "", false
	}
	kind := ""
	for line := range strings.Lines(text) {
		c := line[0]
		if c == ' ' || c == '#' || c == '\n' || c == '\r' || c == '-' {
			continue
		}
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return "", false
		}
		value, ok := strings.CutPrefix(line, "kind:")
		if !ok {
			continue
		}
		value = strings.TrimSpace(value)
		if kind != "" || !isPlainWord(value) {
			return "", false
		}
		kind = value
	}
	return kind, kind != ""
}

// isPlainWord reports whether a YAML scalar is nothing but letters and digits, and no null or boolean.
func isPlainWord(text string) bool {
	for i, c := range []byte(text) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	switch strings.ToLower(text) {
	case "", "null", "true", "false", "yes", "no", "on", "off", "y", "n":
		return false
	}
	return true
}

// ranks order kinds.
type ranks map[string]int

func installRanks() ranks {
	r := make(ranks, len(releaseutil.InstallOrder))
	for i, kind := range releaseutil.InstallOrder {
		r[kind] = i
	}
	return r
}

// compare orders known kinds before unknown ones, and those by name.
func (r ranks) compare(a, b string) int {
	first, aKnown := r[a]
	second, bKnown := r[b]
	switch {
	case aKnown && bKnown:
		return first - second
	case aKnown:
		return -1
	case bKnown:
		return 1
	}
	return strings.Compare(a, b)
}
