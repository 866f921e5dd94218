package compare

import (
	"encoding/json"
	"errors"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

var errOtherVersion = errors.New("field set of another API version")

// clientSideManagers are the field managers under which kubectl and Argo CD
// apply on the client's side. What they own counts as owned by the own
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

// decodeManagers reads metadata.managedFields into the form that the merge
// needs. Sets of subresources are left out: nothing there is applied.
func decodeManagers(live *unstructured.Unstructured, own string) (fieldpath.ManagedFields, error) {
	managers := fieldpath.ManagedFields{}
	for _, entry := range live.GetManagedFields() {
		if entry.Subresource != "" || entry.FieldsV1 == nil {
			continue
		}
		set := fieldpath.NewSet()
		if err := set.FromJSON(entry.FieldsV1.GetRawReader()); err != nil {
			return nil, err
		}
		applied := entry.Operation == metav1.ManagedFieldsOperationApply
		name := own
		if !isClientSideApply(entry) && (!applied || entry.Manager != own) {
			name = managerIdentity(entry)
		}
		version := fieldpath.APIVersion(entry.APIVersion)
		if present, ok := managers[name]; ok {
			if present.APIVersion() != version {
				continue
			}
			set = set.Union(present.Set())
		}
		managers[name] = fieldpath.NewVersionedSet(set, version, applied || name == own)
	}
	return managers, nil
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
