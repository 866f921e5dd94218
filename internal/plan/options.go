package plan

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Options say how one object is written, by the sync options of its
// Application and of itself. The zero value is the usual way: server-side
// apply with strict validation, after a dry run, fields of client-side apply
// taken over.
type Options struct {
	// Replace writes the whole object (create or update) instead of applying it.
	Replace bool
	// Force deletes an object that cannot be changed in place and makes it anew.
	Force bool
	// SkipValidation drops fields that the schema does not know instead of
	// refusing them (Validate=false).
	SkipValidation bool
	// SkipDryRunOnMissingResource lets the first dry run pass over objects whose
	// kind the cluster does not know.
	SkipDryRunOnMissingResource bool
	// KeepClientSide leaves the fields of client-side apply with their managers
	// (ClientSideApplyMigration=false).
	KeepClientSide bool
	// PruneLast puts a prune into a wave after everything else.
	PruneLast bool
	// MigrateFrom is one more manager whose fields are taken over.
	MigrateFrom string
	// Propagation is the deletion propagation of a prune, and of the deletion
	// that Force makes; foreground when empty.
	Propagation metav1.DeletionPropagation
}
