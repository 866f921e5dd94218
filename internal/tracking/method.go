package tracking

// Method is the way in which objects are marked, the value of application.resourceTrackingMethod in argocd-cm.
type Method string

const (
	// MethodAnnotation marks with the tracking id annotation. The empty Method means this one.
	MethodAnnotation Method = "annotation"
	// MethodLabel marks with the instance label only.
	MethodLabel Method = "label"
	// MethodAnnotationAndLabel marks with both and reads the annotation.
	MethodAnnotationAndLabel Method = "annotation+label"
)

const (
	// AnnotationTrackingID holds the tracking id of an object.
	AnnotationTrackingID = "argocd.argoproj.io/tracking-id"
	// AnnotationInstallationID holds the id of the installation that manages an object.
	AnnotationInstallationID = "argocd.argoproj.io/installation-id"
	// DefaultLabelKey is the instance label unless application.instanceLabelKey says otherwise.
	DefaultLabelKey = "app.kubernetes.io/instance"
	// LegacyLabelKey is the instance label of early Argo CD releases. Under this key the label also goes into pod templates.
	LegacyLabelKey = "applications.argoproj.io/app-name"
)
