package compare

import (
	"encoding/json"
	"errors"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

var errOtherVersion = errors.New("field set of another API version")

// clientSideManagers are the field managers under which kubectl and Argo CD
// apply on the client's side. What they applied counts as owned by the own
// manager, because the first server-side apply takes it over; only so is a
// field seen that was removed from Git since the last client-side apply.
var clientSideManagers = []string{"kubectl-client-side-apply", "argocd-controller"}

// ClientSideManagers returns the names of the field managers among those of a
// live object that applied it on the client's side and whose fields a
// server-side apply under fieldManager has to take over.
func ClientSideManagers(live *unstructured.Unstructured) []string {
	var names []string
	for _, entry := range live.GetManagedFields() {
		if isClientSideApply(entry) && !slices.Contains(names, entry.Manager) {
			names = append(names, entry.Manager)
		}
	}
	return names
}

func isClientSideApply(entry metav1.ManagedFieldsEntry) bool {
	return entry.Operation == metav1.ManagedFieldsOperationUpdate && entry.Subresource == "" &&
		slices.Contains(clientSideManagers, entry.Manager)
}

// ownership is who owns which fields of a live object, in the form that the merge needs.
type ownership struct {
	managers fieldpath.ManagedFields
	// takenOver are the fields that were applied on the client's side.
	takenOver *fieldpath.Set
}

// ownershipOf reads metadata.managedFields. Sets of subresources are left out: nothing there is applied.
//
// A client-side apply owns all that it wrote, defaults of the API server included. What it was told to write stands in
// the annotation that it leaves, so only that counts as applied; without the annotation nothing does.
func ownershipOf(live *unstructured.Unstructured, own string, merger merger) (ownership, error) {
	out := ownership{managers: fieldpath.ManagedFields{}, takenOver: fieldpath.NewSet()}
	var lastApplied *fieldpath.Set
	for _, entry := range live.GetManagedFields() {
		if entry.Subresource != "" || entry.FieldsV1 == nil {
			continue
		}
		set := fieldpath.NewSet()
		if err := set.FromJSON(entry.FieldsV1.GetRawReader()); err != nil {
			return out, err
		}
		applied := entry.Operation == metav1.ManagedFieldsOperationApply
		name := own
		switch {
		case isClientSideApply(entry):
			if lastApplied == nil {
				lastApplied = lastAppliedFields(live, merger)
			}
			set = set.Intersection(lastApplied)
			out.takenOver = out.takenOver.Union(set)
		case !applied || entry.Manager != own:
			name = managerIdentity(entry)
		}
		version := fieldpath.APIVersion(entry.APIVersion)
		if present, ok := out.managers[name]; ok {
			if present.APIVersion() != version {
				continue
			}
			set = set.Union(present.Set())
		}
		out.managers[name] = fieldpath.NewVersionedSet(set, version, applied || name == own)
	}
	return out, nil
}

// lastAppliedFields returns the fields that the last client-side apply was given.
func lastAppliedFields(live *unstructured.Unstructured, merger merger) *fieldpath.Set {
	applied := &unstructured.Unstructured{}
	if err := json.Unmarshal([]byte(live.GetAnnotations()[corev1.LastAppliedConfigAnnotation]), &applied.Object); err != nil || applied.Object == nil {
		return fieldpath.NewSet()
	}
	applied.SetGroupVersionKind(live.GroupVersionKind())
	value, err := merger.typed(canonical(applied))
	if err != nil {
		return fieldpath.NewSet()
	}
	set, err := value.ToFieldSet()
	if err != nil {
		return fieldpath.NewSet()
	}
	return set
}

// managerIdentity tells managers apart as the API server does: the same name
// may apply and update, and at several versions.
func managerIdentity(entry metav1.ManagedFieldsEntry) string {
	identity, err := json.Marshal([]string{entry.Manager, string(entry.Operation), entry.APIVersion})
	if err != nil { // strings always encode
		return entry.Manager
	}
	return string(identity)
}
