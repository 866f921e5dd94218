package v1alpha1

// Annotations of Applications.
const (
	// AnnotationRefresh asks for a new comparison: "normal", or "hard" to disregard cached manifests.
	// The controller removes it when it has taken the request up.
	AnnotationRefresh = "argocd.argoproj.io/refresh"
	// AnnotationRefreshTimestamp tells one refresh request from the next. It is removed together with
	// AnnotationRefresh.
	AnnotationRefreshTimestamp = "argocd.argoproj.io/refresh-timestamp"
	// AnnotationHydrate asks for a new hydration: "normal", or "hard" to do it even when nothing changed.
	// The controller removes it when it has taken the request up.
	AnnotationHydrate = "argocd.argoproj.io/hydrate"
	// AnnotationHydrateTimestamp tells one hydration request from the next. It is removed together with
	// AnnotationHydrate.
	AnnotationHydrateTimestamp = "argocd.argoproj.io/hydrate-timestamp"
	// AnnotationSkipReconcile set to "true" makes the controller leave the Application alone.
	AnnotationSkipReconcile = "argocd.argoproj.io/skip-reconcile"
	// AnnotationManifestGeneratePaths lists, separated by semicolons, the paths that the manifests depend
	// on: relative to the source's path, or with a leading slash to the root of the repository.
	AnnotationManifestGeneratePaths = "argocd.argoproj.io/manifest-generate-paths"
	// AnnotationManagedByURL is the address of the installation that manages the Application.
	AnnotationManagedByURL = "argocd.argoproj.io/managed-by-url"
)

// Annotations of managed objects.
const (
	// AnnotationTrackingID names the Application that manages the object, and the object itself, as
	// application:group/kind:namespace/name.
	AnnotationTrackingID = "argocd.argoproj.io/tracking-id"
	// AnnotationInstallationID names the installation that manages the object, where several share a
	// cluster.
	AnnotationInstallationID = "argocd.argoproj.io/installation-id"
	// AnnotationSyncOptions lists, separated by commas, options for applying this object, such as
	// Prune=false.
	AnnotationSyncOptions = "argocd.argoproj.io/sync-options"
	// AnnotationSyncWave is the wave in which the object is applied, an integer. Default 0; lower waves
	// come first.
	AnnotationSyncWave = "argocd.argoproj.io/sync-wave"
	// AnnotationCompareOptions lists, separated by commas, options for comparing this object, such as
	// IgnoreExtraneous.
	AnnotationCompareOptions = "argocd.argoproj.io/compare-options"
	// AnnotationIgnoreDifferences holds rules in YAML about differences of this object that do not count.
	AnnotationIgnoreDifferences = "argocd.argoproj.io/ignore-differences"
	// AnnotationIgnoreResourceUpdates set to "true" or "false" overrides whether rules about updates that
	// do not matter are used for an object that nobody manages.
	AnnotationIgnoreResourceUpdates = "argocd.argoproj.io/ignore-resource-updates"
	// AnnotationIgnoreHealthCheck set to "true" keeps the object out of the health of its Application.
	AnnotationIgnoreHealthCheck = "argocd.argoproj.io/ignore-healthcheck"
	// AnnotationHook makes the object a hook. It lists hook types, separated by commas.
	AnnotationHook = "argocd.argoproj.io/hook"
	// AnnotationHookDeletePolicy lists, separated by commas, when the hook is deleted.
	AnnotationHookDeletePolicy = "argocd.argoproj.io/hook-delete-policy"
	// AnnotationDeletionApproved on an Application holds the time, in RFC 3339, at which a person agreed to
	// the deletion of objects that ask for a confirmation. It counts for what was started before that time.
	AnnotationDeletionApproved = "argocd.argoproj.io/deletion-approved"
	// AnnotationClientSideApplyMigrationManager names the field manager whose fields are taken over when an
	// object moves from client-side to server-side apply.
	AnnotationClientSideApplyMigrationManager = "argocd.argoproj.io/client-side-apply-migration-manager"
	// AnnotationLinkPrefix starts annotations whose value is a link to show: link.argocd.argoproj.io/<name>.
	AnnotationLinkPrefix = "link.argocd.argoproj.io/"
	// AnnotationIgnoreDefaultLinks set to "true" shows no links that would be taken from the object itself.
	AnnotationIgnoreDefaultLinks = "argocd.argoproj.io/ignore-default-links"
	// AnnotationManagedBy and its value AnnotationValueManagedBy mark Secrets that were written through the
	// API and not by hand.
	AnnotationManagedBy = "managed-by"
	// AnnotationValueManagedBy is the value of AnnotationManagedBy.
	AnnotationValueManagedBy = "argocd.argoproj.io"
)

// AnnotationApplicationSetRefresh set to "true" on an ApplicationSet asks for its Applications to be
// generated anew. The controller removes it when it is done.
const AnnotationApplicationSetRefresh = "argocd.argoproj.io/application-set-refresh"

// Annotations that are Fairlead's own.
const (
	// AnnotationWaitTimeout on an Application or on one of its objects is how long a sync waits for an object
	// to become healthy, or for a hook to end, as a duration such as 30m. The object's own goes first.
	AnnotationWaitTimeout = "fairlead.dev/wait-timeout"
	// AnnotationOperation on a hook names the operation that it was made for.
	AnnotationOperation = "fairlead.dev/operation"
)

// OperationInfoPlan names the entry of an operation's info whose value is the digest of the plan that the
// operation is to carry out. It refuses when what it would do is something else. Fairlead's own.
const OperationInfoPlan = "fairlead.dev/plan"

// Labels.
const (
	// LabelAppInstance is the label that names the managing Application when tracking is by label and the
	// installation names no other label.
	LabelAppInstance = "app.kubernetes.io/instance"
	// LabelSecretType tells what a Secret of the installation holds; its values follow.
	LabelSecretType = "argocd.argoproj.io/secret-type"
	// LabelAutoClusterInfo set to "true" on a cluster's Secret makes the controller keep
	// LabelClusterKubernetesVersion on it.
	LabelAutoClusterInfo = "argocd.argoproj.io/auto-label-cluster-info"
	// LabelClusterKubernetesVersion is the Kubernetes version of a cluster, on its Secret.
	LabelClusterKubernetesVersion = "argocd.argoproj.io/kubernetes-version"
)

// Values of LabelSecretType.
const (
	// SecretTypeCluster marks the Secret of a cluster.
	SecretTypeCluster = "cluster"
	// SecretTypeRepository marks the Secret of a repository.
	SecretTypeRepository = "repository"
	// SecretTypeRepoCreds marks credentials for all repositories below a URL.
	SecretTypeRepoCreds = "repo-creds"
	// SecretTypeRepositoryWrite marks the Secret of a repository that rendered manifests are pushed to.
	SecretTypeRepositoryWrite = "repository-write"
	// SecretTypeRepoCredsWrite marks credentials for pushing to all repositories below a URL.
	SecretTypeRepoCredsWrite = "repo-write-creds"
	// SecretTypeSCMCreds marks credentials for the API of a Git hosting service.
	SecretTypeSCMCreds = "scm-creds"
)

// Finalizers of Applications and AppProjects.
const (
	// FinalizerResources on an Application deletes its objects before it goes; on an AppProject it keeps
	// the project while Applications use it.
	FinalizerResources = "resources-finalizer.argocd.argoproj.io"
	// FinalizerResourcesForeground is FinalizerResources, deleting dependents first.
	FinalizerResourcesForeground = "resources-finalizer.argocd.argoproj.io/foreground"
	// FinalizerResourcesBackground is FinalizerResources, leaving dependents to the garbage collector.
	FinalizerResourcesBackground = "resources-finalizer.argocd.argoproj.io/background"
	// FinalizerPreDelete runs hooks before objects are deleted.
	FinalizerPreDelete = "pre-delete-finalizer.argocd.argoproj.io"
	// FinalizerHook on a hook keeps it until its outcome is known, whoever deletes it.
	FinalizerHook = "argocd.argoproj.io/hook-finalizer"
	// FinalizerPostDelete runs hooks when objects are deleted.
	FinalizerPostDelete = "post-delete-finalizer.argocd.argoproj.io"
)

// Names that every installation has, and defaults.
const (
	// DefaultAppProjectName is the project of Applications that name none.
	DefaultAppProjectName = "default"
	// DefaultRevisionHistoryLimit is how many syncs an Application remembers when it does not say.
	DefaultRevisionHistoryLimit = 10
	// InClusterServer is the address of the cluster that the installation itself manages from.
	InClusterServer = "https://kubernetes.default.svc"
	// InClusterName is the name of that cluster unless its Secret gives another.
	InClusterName = "in-cluster"
)

// RefreshType is a value of AnnotationRefresh.
type RefreshType string

// Values of AnnotationRefresh.
const (
	// RefreshTypeNormal compares anew with the newest revision.
	RefreshTypeNormal RefreshType = "normal"
	// RefreshTypeHard also renders anew.
	RefreshTypeHard RefreshType = "hard"
)

// HydrateType is a value of AnnotationHydrate.
type HydrateType string

// Values of AnnotationHydrate.
const (
	// HydrateTypeNormal hydrates when the dry source changed.
	HydrateTypeNormal HydrateType = "normal"
	// HydrateTypeHard hydrates in any case.
	HydrateTypeHard HydrateType = "hard"
)

// TrackingMethod is how an object names the Application that manages it.
type TrackingMethod string

// Methods of tracking.
const (
	// TrackingMethodAnnotation uses AnnotationTrackingID. It is the default.
	TrackingMethodAnnotation TrackingMethod = "annotation"
	// TrackingMethodLabel uses a label.
	TrackingMethodLabel TrackingMethod = "label"
	// TrackingMethodAnnotationAndLabel uses the annotation, and sets the label for other tools to see.
	TrackingMethodAnnotationAndLabel TrackingMethod = "annotation+label"
)
