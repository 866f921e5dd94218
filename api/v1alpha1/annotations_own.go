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

// Annotations that order the automated syncs of Applications.
const (
	// AnnotationWaveGroup names a group of Applications of one namespace that are synced stage after stage.
	AnnotationWaveGroup = "fairlead.dev/wave-group"
	// AnnotationStage is the stage of an Application in its group, a whole number; lower ones come first.
	AnnotationStage = "fairlead.dev/stage"
	// AnnotationStageSoak is how long the stages before have to be healthy before the Application is synced, or how
	// long the Application has to be before the stages after it are.
	AnnotationStageSoak = "fairlead.dev/stage-soak"
	// AnnotationDependsOn lists what has to be there before the Application is synced: Applications as name or
	// namespace/name, definitions as crd:NAME, objects as object:GROUP/KIND/NAMESPACE/NAME[:CONDITION=VALUE].
	AnnotationDependsOn = "fairlead.dev/depends-on"
)

// Annotations that hold an Application at a revision, in place of its target revision. The last is the controller's.
const (
	// AnnotationPin is the revision, or the id of an entry of the history; of several sources the revisions are
	// separated by commas.
	AnnotationPin = "fairlead.dev/pin"
	// AnnotationPinBy is who set it.
	AnnotationPinBy = "fairlead.dev/pin-by"
	// AnnotationPinReason is why.
	AnnotationPinReason = "fairlead.dev/pin-reason"
	// AnnotationPinKeepsOut is what the target revision stood for when the pin was set. The pin ends when it stands for
	// something else.
	AnnotationPinKeepsOut = "fairlead.dev/pin-keeps-out"
)
