package tenancy

import "fmt"

// Refusal says that a project does not allow something.
type Refusal struct {
	// Project is the name of the project.
	Project string
	// Field is the field of its specification that decided, such as "sourceRepos".
	Field string
	// Entry is the entry of the field that decided; "" when no entry allowed it.
	Entry string

	what, reason, remedy string
}

// Error gives the whole sentence.
func (r *Refusal) Error() string {
	return fmt.Sprintf("%s: %s; %s", r.what, r.reason, r.remedy)
}

// refuse makes the refusal for an entry that forbids, or for the lack of one that allows.
func (p *Project) refuse(field, entry, what, remedy string) error {
	r := &Refusal{Project: p.name, Field: field, Entry: entry, what: what, remedy: remedy}
	if entry == "" {
		r.reason = fmt.Sprintf("no entry of spec.%s allows it", field)
	} else {
		r.reason = fmt.Sprintf("the entry %s of spec.%s forbids it", entry, field)
	}
	return r
}
