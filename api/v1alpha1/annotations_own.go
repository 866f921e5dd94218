package v1alpha1

// Annotations that Argo CD does not have. Those about limits stand on an Application or on its project, the others on
// an Application.
const (
	// AnnotationMaxPrune is how many objects one automated sync may delete without approval: a number, or a percentage
	// of the objects of the Application.
	AnnotationMaxPrune = "fairlead.dev/max-prune"
	// AnnotationMaxChange is the same for objects that exist and would be changed.
	AnnotationMaxChange = "fairlead.dev/max-change"
	// AnnotationProtectKinds lists, separated by commas, kinds such as Namespace or apps/StatefulSet whose objects an
	// automated sync neither deletes nor replaces without approval.
	AnnotationProtectKinds = "fairlead.dev/protect-kinds"
	// AnnotationApprove holds the digest of the changes that somebody approved. It is removed when they are made.
	AnnotationApprove = "fairlead.dev/approve"
	// AnnotationApproveBy is who did.
	AnnotationApproveBy = "fairlead.dev/approve-by"
)
