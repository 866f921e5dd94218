package settings

import (
	"crypto/tls"
	"regexp"
	"time"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/fairlead-cd/fairlead/internal/render/sops/keyring"
)

// Names of the objects that hold settings.
const (
	ConfigMapName           = "argocd-cm"
	SecretName              = "argocd-secret"
	RBACConfigMapName       = "argocd-rbac-cm"
	ParamsConfigMapName     = "argocd-cmd-params-cm"
	TLSCertsConfigMapName   = "argocd-tls-certs-cm"
	KnownHostsConfigMapName = "argocd-ssh-known-hosts-cm"
	GPGKeysConfigMapName    = "argocd-gpg-keys-cm"
	// ServerTLSSecretName is a certificate managed by others; it goes before the one in argocd-secret.
	ServerTLSSecretName = "argocd-server-tls" //nolint:gosec // a name, not a credential
	// InitialPasswordSecretName holds the generated password of admin until somebody deletes it.
	InitialPasswordSecretName = "argocd-initial-admin-secret" //nolint:gosec // a name, not a credential
)

// Labels and values that mark settings.
const (
	labelPartOf        = "app.kubernetes.io/part-of"
	labelName          = "app.kubernetes.io/name"
	labelSecretType    = "argocd.argoproj.io/secret-type" //nolint:gosec // a name, not a credential
	labelOwnSecretType = "fairlead.dev/secret-type"       //nolint:gosec // a name, not a credential
	typeSOPSKeys       = "sops-keys"
	keyProject         = "fairlead.dev/project"
	partOfArgoCD       = "argocd"
	typeRepository     = "repository"
	typeRepoCreds      = "repo-creds" //nolint:gosec // a name, not a credential
	typeCluster        = "cluster"
	annotationMadeFor  = "fairlead.dev/for-secret-version"
	initialPasswordKey = "password"
)

// Tracking methods: where an object carries the name of its application.
const (
	TrackingAnnotation         = "annotation"
	TrackingLabel              = "label"
	TrackingAnnotationAndLabel = "annotation+label"
)

// Settings is one consistent reading of all settings. It is never changed; a new reading is a new value.
type Settings struct {
	// Intervals say when things are looked at without an event.
	Intervals

	// InstanceLabelKey is the label that names the application when labels track.
	InstanceLabelKey string
	// TrackingMethod is one of the Tracking constants.
	TrackingMethod string
	// InstallationID tells this installation's objects from those of another that tracks the same cluster; may be "".
	InstallationID string
	// Resources says which kinds of objects are looked at.
	Resources ResourceFilter
	// Customizations are decisions about single kinds of objects.
	Customizations Customizations
	// Comparison says what counts as a difference.
	Comparison Comparison
	// Impersonation lets syncs act as the service accounts that projects name for their destinations.
	Impersonation bool
	// RespectRBAC says what kinds mean that may not be listed in a cluster: "" that something is wrong, "normal" that they
	// are left out, "strict" that it is asked before they are listed.
	RespectRBAC string
	// AllowedNodeLabels are the labels of nodes that are shown with the pods on them.
	AllowedNodeLabels []string
	// InClusterEnabled tells whether the cluster of the control plane itself is a destination.
	InClusterEnabled bool
	// GlobalProjects are the projects whose rules others inherit.
	GlobalProjects []GlobalProject
	// Inspection is what people may see of objects and do in them.
	Inspection Inspection

	// Rendering is what the operator decides about rendering.
	Rendering Rendering

	// URL is the address under which users reach this server; "" when not set.
	URL string
	// AdditionalURLs are further such addresses.
	AdditionalURLs []string
	// SessionDuration is how long a login lasts.
	SessionDuration time.Duration
	// AnonymousEnabled tells whether requests without credentials are allowed as the default role.
	AnonymousEnabled bool
	// PasswordPattern is what a new password must match.
	PasswordPattern *regexp.Regexp
	// Accounts are the local accounts by name; "admin" is always there.
	Accounts map[string]Account
	// Webhooks is how calls of /api/webhook are checked.
	Webhooks Webhooks
	// ServerKey signs sessions; empty until it has been created.
	ServerKey []byte
	// Certificate is what the server presents; nil until it has been created.
	Certificate *tls.Certificate

	// RBAC is the data of argocd-rbac-cm.
	RBAC map[string]string
	// CommandParams is the data of argocd-cmd-params-cm, which gives defaults of flags.
	CommandParams map[string]string
	// Clusters are the registered clusters, without the one of the control plane unless it is registered too.
	Clusters []Cluster
	// Repositories are the registered repositories, in the order of their Secrets' names.
	Repositories []Repository

	// SOPSKeys are the keys that encrypted files are decrypted with, by project.
	SOPSKeys *keyring.Keyring

	// Warnings are the values that could not be used.
	Warnings []Warning

	templates  []Repository
	tlsCerts   map[string]string
	knownHosts string
	gpgKeys    map[string]string

	customizations customizationValues
}

// GlobalProject names a project whose rules hold in addition for every project that the selector matches.
type GlobalProject struct {
	ProjectName string
	Selector    labels.Selector
}

// Warning is a value in the settings that could not be used.
type Warning struct {
	// Object is the kind and name of where it stands, such as "ConfigMap argocd-cm".
	Object string
	// Key is the key in its data.
	Key string
	// Message says what is wrong and which value holds instead. It never repeats a value from a Secret.
	Message string
}

// Intervals are how often things are looked at without an event; 0 means never.
type Intervals struct {
	// Reconciliation is the time after which repositories are asked for new commits.
	Reconciliation time.Duration
	// ReconciliationJitter is the most that is added at random to Reconciliation.
	ReconciliationJitter time.Duration
	// HardReconciliation is Reconciliation for comparing without caches.
	HardReconciliation time.Duration
}

// Defaults gives the settings of an installation in which nothing is set.
func Defaults() *Settings {
	return &Settings{
		Intervals:        Intervals{Reconciliation: 120 * time.Second, ReconciliationJitter: 60 * time.Second},
		InstanceLabelKey: "app.kubernetes.io/instance",
		TrackingMethod:   TrackingAnnotation,
		InClusterEnabled: true,
		Comparison:       defaultComparison(),
		Inspection:       defaultInspection(),
		SessionDuration:  24 * time.Hour,
		PasswordPattern:  regexp.MustCompile(`^.{8,32}$`),
		Webhooks:         Webhooks{MaxPayload: defaultMaxPayload},
		Accounts:         map[string]Account{AdminAccount: {Name: AdminAccount, Enabled: true, Capabilities: []Capability{CapabilityLogin}}},
	}
}
