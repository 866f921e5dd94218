package tenancy

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// Limits are what one automated sync may do without approval, as annotations of a project or an Application state it.
type Limits struct {
	from              string
	prune, change     *limit
	protected         []protectedKind
	fault             error
	maxPrune, maxEdit string // as they are written
}

// limit is a number of objects, or a percentage of them.
type limit struct {
	number  float64
	percent bool
}

// protectedKind is a kind, of any group when any is set.
type protectedKind struct {
	group, kind string
	any         bool
}

// LimitsOf reads the annotations of what from names.
func LimitsOf(from string, annotations map[string]string) Limits {
	l := Limits{from: from, maxPrune: annotations[v1alpha1.AnnotationMaxPrune], maxEdit: annotations[v1alpha1.AnnotationMaxChange]}
	var errPrune, errChange, errKinds error
	l.prune, errPrune = parseLimit(v1alpha1.AnnotationMaxPrune, annotations)
	l.change, errChange = parseLimit(v1alpha1.AnnotationMaxChange, annotations)
	l.protected, errKinds = parseKinds(annotations[v1alpha1.AnnotationProtectKinds])
	if err := errors.Join(errPrune, errChange, errKinds); err != nil {
		l.fault = fmt.Errorf("no automated sync starts because of an error in the annotations of %s: %w", from, err)
	}
	return l
}

// Limits are those of the project and of the global projects that it inherits from.
func (p *Project) Limits() []Limits { return p.limits }

// Fault says what of the limits cannot be read; nothing may be done by them then.
func (l Limits) Fault() error { return l.fault }

func parseLimit(annotation string, annotations map[string]string) (*limit, error) {
	text, ok := annotations[annotation]
	if !ok {
		return nil, nil
	}
	digits, percent := strings.CutSuffix(strings.TrimSpace(text), "%")
	number, err := strconv.ParseFloat(digits, 64)
	whole := number == float64(int(number))
	if err != nil || !(number >= 0) || percent && number > 100 || !percent && !whole {
		return nil, fmt.Errorf("%s is %q; it has to be a number of objects such as 5, or a percentage such as 10%%", annotation, text)
	}
	return &limit{number: number, percent: percent}, nil
}

func parseKinds(text string) (kinds []protectedKind, err error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	for entry := range strings.SplitSeq(text, ",") {
		group, kind, qualified := strings.Cut(strings.TrimSpace(entry), "/")
		if !qualified {
			group, kind = "", group
		}
		if kind == "" || strings.ContainsAny(kind, "/ ") {
			return nil, fmt.Errorf("%s has the entry %q; each has to be a kind such as Namespace or apps/StatefulSet", v1alpha1.AnnotationProtectKinds, entry)
		}
		kinds = append(kinds, protectedKind{group: group, kind: kind, any: !qualified})
	}
	return kinds, nil
}

// exceededBy says whether a number of objects, of so many that there are, is too large.
func (l *limit) exceededBy(objects, of int) bool {
	switch {
	case l == nil || objects == 0:
		return false
	case l.percent:
		return float64(objects)*100 > l.number*float64(of)
	default:
		return float64(objects) > l.number
	}
}

// Exceeded gives the reasons for which changes to an Application of so many objects go beyond the limits.
func (l Limits) Exceeded(changes []Change, objects int) (reasons []string) {
	pruned, edited := 0, 0
	var protected []string
	for _, c := range changes {
		switch c.Action {
		case Prune:
			pruned++
		case Edit, Replace:
			edited++
		}
		if (c.Action == Prune || c.Action == Replace) && slices.ContainsFunc(l.protected, c.isOf) {
			protected = append(protected, fmt.Sprintf("%s %s %s", c.Action, c.Kind, c.name()))
		}
	}
	if l.prune.exceededBy(pruned, objects) {
		reasons = append(reasons, fmt.Sprintf("it would prune %d of %d objects, and %s of %s is %s", pruned, objects, v1alpha1.AnnotationMaxPrune, l.from, l.maxPrune))
	}
	if l.change.exceededBy(edited, objects) {
		reasons = append(reasons, fmt.Sprintf("it would change %d of %d objects, and %s of %s is %s", edited, objects, v1alpha1.AnnotationMaxChange, l.from, l.maxEdit))
	}
	if len(protected) > 0 {
		reasons = append(reasons, fmt.Sprintf("it would %s, which %s of %s protects", enumerate(protected), v1alpha1.AnnotationProtectKinds, l.from))
	}
	return reasons
}

// enumerate names the first few of a list, and counts the rest.
func enumerate(list []string) string {
	const shown = 3
	if more := len(list) - shown; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(list[:shown], ", "), more)
	}
	return strings.Join(list, ", ")
}

func (c Change) isOf(k protectedKind) bool {
	return strings.EqualFold(c.Kind, k.kind) && (k.any || strings.EqualFold(c.Group, k.group))
}
