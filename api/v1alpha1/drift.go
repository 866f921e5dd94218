package v1alpha1

import (
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// DriftCause says how an object came to differ from its desired state without a change of the source.
type DriftCause string

// The causes of drift.
const (
	// DriftChanged is for fields that somebody changed in the cluster.
	DriftChanged DriftCause = "Changed"
	// DriftDeleted is for an object that somebody deleted.
	DriftDeleted DriftCause = "Deleted"
	// DriftAdded is for an object that carries the mark of the Application and is not desired.
	DriftAdded DriftCause = "Added"
	// DriftNotKept is for fields that were applied and did not stay: a default, a webhook or a controller
	// keeps another value.
	DriftNotKept DriftCause = "NotKept"
)

// ResourceDrift tells how an object left its desired state without a change of the source, and who did it. Argo CD has
// nothing like it; the field is Fairlead's own and optional. It never holds values.
type ResourceDrift struct {
	// Cause is what happened.
	Cause DriftCause `json:"cause" protobuf:"bytes,1,opt,name=cause"`
	// Since is when it was noticed.
	Since metav1.Time `json:"since" protobuf:"bytes,2,opt,name=since"`
	// Fields are the differing fields, at most DriftFieldLimit of them.
	Fields []DriftedField `json:"fields,omitempty" protobuf:"bytes,3,rep,name=fields"`
	// More is how many fields differ beyond those.
	More int64 `json:"more,omitempty" protobuf:"bytes,4,opt,name=more"`
}

// DriftFieldLimit is how many fields a ResourceDrift lists.
const DriftFieldLimit = 10

// DriftedField is one field and who wrote its live value, as metadata.managedFields of the object tells.
type DriftedField struct {
	// Path is the field, as in .spec.template.spec.containers[name="api"].image.
	Path string `json:"path" protobuf:"bytes,1,opt,name=path"`
	// Manager is the field manager; empty when nobody owns the field.
	Manager string `json:"manager,omitempty" protobuf:"bytes,2,opt,name=manager"`
	// Operation is Apply or Update.
	Operation string `json:"operation,omitempty" protobuf:"bytes,3,opt,name=operation"`
	// Subresource is what it was written through, if not the object itself.
	Subresource string `json:"subresource,omitempty" protobuf:"bytes,4,opt,name=subresource"`
	// Time is when the manager last wrote.
	Time *metav1.Time `json:"time,omitempty" protobuf:"bytes,5,opt,name=time"`
	// Ignore is the rule, a JSON pointer or else a jq path, by which ignoreDifferences would leave the field out.
	Ignore string `json:"ignore,omitempty" protobuf:"bytes,6,opt,name=ignore"`
}

// Message names the field, its writer and the time: ".spec.replicas by kubectl-edit (Update) at 2006-01-02 15:04:05Z".
func (f DriftedField) Message() string {
	var b strings.Builder
	b.WriteString(f.Path)
	if f.Manager == "" {
		return b.String()
	}
	fmt.Fprintf(&b, " by %s (%s", f.Manager, f.Operation)
	if f.Subresource != "" {
		b.WriteString(" of " + f.Subresource)
	}
	b.WriteString(")")
	if f.Time != nil {
		b.WriteString(" at " + f.Time.UTC().Format("2006-01-02 15:04:05Z"))
	}
	return b.String()
}

// Message says in one sentence what happened, without the object's name.
func (d *ResourceDrift) Message() string {
	switch d.Cause {
	case DriftDeleted:
		return "was deleted in the cluster"
	case DriftAdded:
		return "appeared in the cluster with the mark of this application"
	}
	names := make([]string, len(d.Fields))
	for i, f := range d.Fields {
		names[i] = f.Message()
	}
	text := "was changed in the cluster"
	if d.Cause == DriftNotKept {
		text = "does not keep what was applied"
	}
	if len(names) > 0 {
		text += ": " + strings.Join(names, "; ")
	}
	if d.More > 0 {
		text += fmt.Sprintf("; and %d more", d.More)
	}
	return text
}
