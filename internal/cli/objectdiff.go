package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pmezard/go-difflib/difflib"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/fairlead-cd/fairlead/internal/render"
)

// objectDiff is how one object differs.
type objectDiff struct {
	Object string `json:"object"`
	Diff   string `json:"diff"`
}

// diff adds how an object differs, if that is asked for. An object without
// content does not exist on that side.
func (a *applicationImpact) diff(wanted bool, name string, before, after render.Object) {
	if !wanted {
		return
	}
	old, now := contentOf(before), contentOf(after)
	maskSecret(old, now)
	from, to := name+" (before)", name+" (after)"
	if old == nil {
		from = "/dev/null"
	}
	if now == nil {
		to = "/dev/null"
	}
	text, err := difflib.GetUnifiedDiffString(difflib.UnifiedDiff{
		A: linesOf(old), B: linesOf(now), FromFile: from, ToFile: to, Context: 3,
	})
	if err != nil {
		text = fmt.Sprintf("--- %s\n+++ %s\n(the differences cannot be written: %v)\n", from, to, err)
	}
	a.Diffs = append(a.Diffs, objectDiff{Object: name, Diff: text})
}

// contentOf copies the content of an object; nil when there is none.
func contentOf(o render.Object) map[string]any {
	if o.Unstructured == nil {
		return nil
	}
	return (&unstructured.Unstructured{Object: o.Object}).DeepCopy().Object
}

// linesOf is the content as YAML, in lines that end with a line break.
func linesOf(content map[string]any) []string {
	if content == nil {
		return nil
	}
	encoded, err := yaml.Marshal(content)
	if err != nil {
		return []string{fmt.Sprintf("(the object cannot be written: %v)\n", err)}
	}
	return slices.Collect(strings.Lines(string(encoded)))
}

// maskSecret takes the values out of both sides of a Secret, and leaves whether
// they differ.
func maskSecret(old, now map[string]any) {
	if !isSecret(old) && !isSecret(now) {
		return
	}
	for _, field := range []string{"data", "stringData"} {
		before, after := values(old, field), values(now, field)
		for key, value := range before {
			other, both := after[key]
			switch {
			case !both:
				before[key] = "(a value)"
			case fmt.Sprint(other) == fmt.Sprint(value):
				before[key], after[key] = "(unchanged)", "(unchanged)"
			default:
				before[key], after[key] = "(the value before)", "(another value)"
			}
		}
		for key := range after {
			if _, both := before[key]; !both {
				after[key] = "(a value)"
			}
		}
	}
	for _, side := range []map[string]any{old, now} {
		if metadata := values(side, "metadata"); metadata != nil {
			if annotations := values(metadata, "annotations"); annotations != nil {
				if _, ok := annotations["kubectl.kubernetes.io/last-applied-configuration"]; ok {
					annotations["kubectl.kubernetes.io/last-applied-configuration"] = "(not shown)"
				}
			}
		}
	}
}

func isSecret(content map[string]any) bool {
	return content["kind"] == "Secret" && content["apiVersion"] == "v1"
}

// values is a field that is an object, or nil. Anything else in its place is
// taken out: it may be a secret too.
func values(content map[string]any, field string) map[string]any {
	if content == nil || content[field] == nil {
		return nil
	}
	fields, ok := content[field].(map[string]any)
	if !ok {
		content[field] = "(not an object)"
	}
	return fields
}
