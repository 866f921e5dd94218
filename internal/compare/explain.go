package compare

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/value"
)

// Field is a field in which a live object differs from what a sync would make
// of it, and who wrote the live value.
type Field struct {
	// Path is the field, as in .spec.template.spec.containers[name="api"].image.
	Path string
	// Writer is the manager that wrote it last according to metadata.managedFields;
	// the zero Writer when none has.
	Writer Writer
	// Rule is the rule that would leave the field out of comparisons.
	Rule Rule
}

// Writer is a field manager that wrote to an object (KEP-555).
type Writer struct {
	// Manager is its name, such as kubectl-edit.
	Manager string
	// Operation is Apply or Update.
	Operation string
	// Subresource is through which it wrote; "" for the object itself.
	Subresource string
	// Time is when it last changed something of what it owns.
	Time time.Time
}

// Explain tells for each differing field of a result who wrote what is live.
// A field that was taken away has no owner any more; it is put down to the
// foreign manager that wrote to the object last, if it did so after the last
// apply.
func (c *Comparer) Explain(live *unstructured.Unstructured, r Result) ([]Field, error) {
	var fields []Field
	entries, err := entriesOf(live)
	if err != nil {
		return nil, fmt.Errorf("reading the managed fields of %s: %w", describe(live), err)
	}
	gvk := live.GroupVersionKind()
	for path := range r.paths {
		f := Field{Path: path.String(), Rule: ruleFor(path)}
		f.Rule.Group, f.Rule.Kind = gvk.Group, gvk.Kind
		f.Writer = c.writerOf(entries, path)
		fields = append(fields, f)
	}
	return fields, nil
}

type managerEntry struct {
	Writer
	fields *fieldpath.Set
}

func entriesOf(live *unstructured.Unstructured) ([]managerEntry, error) {
	var out []managerEntry
	for _, entry := range live.GetManagedFields() {
		set, err := fieldsOf(entry)
		if err != nil {
			return nil, err
		}
		w := Writer{Manager: entry.Manager, Operation: string(entry.Operation), Subresource: entry.Subresource}
		if entry.Time != nil {
			w.Time = entry.Time.UTC()
		}
		out = append(out, managerEntry{Writer: w, fields: set})
	}
	return out, nil
}

// writerOf returns the manager that owns a field; of several the one that wrote last.
func (c *Comparer) writerOf(entries []managerEntry, path fieldpath.Path) Writer {
	var owner, last, own Writer
	owned := false
	for _, e := range entries {
		switch {
		case e.Manager == c.manager && e.Operation == string(metav1.ManagedFieldsOperationApply):
			own = e.Writer
			if covers(e.fields, path) && !owned {
				owner = e.Writer
			}
		case covers(e.fields, path):
			if !owned || e.Time.After(owner.Time) {
				owner, owned = e.Writer, true
			}
		case e.Subresource == "" && e.Time.After(last.Time):
			last = e.Writer
		}
	}
	if owner.Manager == "" && !last.Time.Before(own.Time) {
		return last
	}
	return owner
}

// covers says whether a manager's fields include a path, something above it that
// is owned as a whole, or something below it.
func covers(fields *fieldpath.Set, path fieldpath.Path) bool {
	if fields.Has(path) {
		return true
	}
	for i := 1; i < len(path); i++ {
		if fields.Leaves().Has(path[:i]) {
			return true
		}
	}
	below := fields
	for _, element := range path {
		next, ok := below.Children.Get(element)
		if !ok {
			return false
		}
		below = next
	}
	return !below.Empty()
}

var plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// ruleFor returns the rule that leaves out one field: a JSON pointer where the
// way leads through maps alone, and a jq path that finds items by their keys
// where it does not.
func ruleFor(path fieldpath.Path) Rule {
	pointer, expression, plain := &strings.Builder{}, &strings.Builder{}, true
	for _, element := range path {
		switch {
		case element.FieldName != nil:
			name := *element.FieldName
			pointer.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name))
			if plainName.MatchString(name) {
				expression.WriteString("." + name)
			} else {
				expression.WriteString("." + "[" + strconv.Quote(name) + "]")
			}
		case element.Key != nil:
			plain = false
			expression.WriteString("[] | select(" + selectorOf(*element.Key) + ") | ")
		case element.Value != nil:
			plain = false
			expression.WriteString("[] | select(. == " + value.ToString(*element.Value) + ")")
		case element.Index != nil:
			pointer.WriteString("/" + strconv.Itoa(*element.Index))
			expression.WriteString("[" + strconv.Itoa(*element.Index) + "]")
		}
	}
	if plain {
		return Rule{JSONPointers: []string{pointer.String()}}
	}
	return Rule{JQPathExpressions: []string{strings.TrimSuffix(expression.String(), " | ")}}
}

func selectorOf(key value.FieldList) string {
	tests := make([]string, len(key))
	for i, field := range key {
		name := "." + field.Name
		if !plainName.MatchString(field.Name) {
			name = ".[" + strconv.Quote(field.Name) + "]"
		}
		tests[i] = name + " == " + value.ToString(field.Value)
	}
	return strings.Join(tests, " and ")
}

// WithoutWebhooks returns the result of a dry run but for what admission
// webhooks would change on the way: what counts are the fields that the manager
// applies, or stops to apply.
func (c *Comparer) WithoutWebhooks(r Result, live, predicted *unstructured.Unstructured) (Result, error) {
	will, err := c.appliedBy(predicted)
	if err != nil {
		return Result{}, err
	}
	did, err := c.appliedBy(live)
	if err != nil {
		return Result{}, err
	}
	only := func(set, owned *fieldpath.Set) *fieldpath.Set {
		out := fieldpath.NewSet()
		for _, path := range leaves(set) {
			if covers(owned, path) {
				out.Insert(path)
			}
		}
		return out
	}
	r.Added, r.Changed, r.Removed = only(r.Added, will), only(r.Changed, will), only(r.Removed, did)
	return r, nil
}

func (c *Comparer) appliedBy(obj *unstructured.Unstructured) (*fieldpath.Set, error) {
	entries, err := entriesOf(obj)
	if err != nil {
		return nil, fmt.Errorf("reading the managed fields of %s: %w", describe(obj), err)
	}
	out := fieldpath.NewSet()
	for _, e := range entries {
		if e.Manager == c.manager {
			out = out.Union(e.fields)
		}
	}
	return out, nil
}
