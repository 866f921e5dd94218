package v1alpha1

import (
	"cmp"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// SourceHydrator says what to render, which branch to commit the result to, and where from to sync.
type SourceHydrator struct {
	// DrySource is what is rendered.
	DrySource DrySource `json:"drySource" protobuf:"bytes,1,name=drySource"`
	// SyncSource is the branch and folder that objects are applied from.
	SyncSource SyncSource `json:"syncSource" protobuf:"bytes,2,name=syncSource"`
	// HydrateTo names another branch to commit to, from which a person or a pipeline promotes into
	// the branch of SyncSource. Absent: commits go straight to that branch.
	HydrateTo *HydrateTo `json:"hydrateTo,omitempty" protobuf:"bytes,3,opt,name=hydrateTo"`
}

// DrySource is the place of the unrendered sources in a Git repository.
type DrySource struct {
	// RepoURL is the address of the repository.
	RepoURL string `json:"repoURL" protobuf:"bytes,1,name=repoURL"`
	// TargetRevision is the revision to render.
	TargetRevision string `json:"targetRevision" protobuf:"bytes,2,name=targetRevision"`
	// Path is the folder within the repository.
	Path string `json:"path" protobuf:"bytes,3,name=path"`
	// Helm holds parameters for rendering with Helm.
	Helm *ApplicationSourceHelm `json:"helm,omitempty" protobuf:"bytes,4,opt,name=helm"`
	// Kustomize holds parameters for rendering with Kustomize.
	Kustomize *ApplicationSourceKustomize `json:"kustomize,omitempty" protobuf:"bytes,5,opt,name=kustomize"`
	// Directory holds parameters for a folder of manifests.
	Directory *ApplicationSourceDirectory `json:"directory,omitempty" protobuf:"bytes,6,opt,name=directory"`
	// Plugin names a config management plugin.
	Plugin *ApplicationSourcePlugin `json:"plugin,omitempty" protobuf:"bytes,7,opt,name=plugin"`
}

// SyncSource is the place of the rendered manifests in a Git repository.
type SyncSource struct {
	// TargetBranch is the branch to sync from.
	TargetBranch string `json:"targetBranch" protobuf:"bytes,1,name=targetBranch"`
	// Path is the folder of the manifests. It cannot be the root of the repository, because the
	// folder is emptied before each rendering.
	//
	// +kubebuilder:validation:Required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:Pattern=`^.{2,}|[^./]$`
	Path string `json:"path" protobuf:"bytes,2,name=path"`
	// RepoURL is the address of the repository. Default: that of the dry source.
	RepoURL string `json:"repoURL,omitempty" protobuf:"bytes,3,opt,name=repoURL"`
}

// HydrateTo names the branch that rendered manifests are committed to.
type HydrateTo struct {
	// TargetBranch is the name of the branch.
	TargetBranch string `json:"targetBranch" protobuf:"bytes,1,name=targetBranch"`
}

// SourceHydratorStatus is what the controller last observed about hydration.
type SourceHydratorStatus struct {
	// LastSuccessfulOperation is the newest hydration that succeeded.
	LastSuccessfulOperation *SuccessfulHydrateOperation `json:"lastSuccessfulOperation,omitempty" protobuf:"bytes,1,opt,name=lastSuccessfulOperation"`
	// CurrentOperation is the hydration that runs, or the last one that ran.
	CurrentOperation *HydrateOperation `json:"currentOperation,omitempty" protobuf:"bytes,2,opt,name=currentOperation"`
	// LastComparedDryRevision is the commit of the dry source that was looked at last, whether or
	// not it had to be rendered.
	LastComparedDryRevision string `json:"lastComparedDryRevision,omitempty" protobuf:"bytes,3,opt,name=lastComparedDryRevision"`
}

// HydrateOperation is one attempt at rendering and committing.
type HydrateOperation struct {
	// StartedAt is when the attempt began.
	StartedAt metav1.Time `json:"startedAt,omitempty" protobuf:"bytes,1,opt,name=startedAt"`
	// FinishedAt is when it ended, absent while it runs.
	FinishedAt *metav1.Time `json:"finishedAt,omitempty" protobuf:"bytes,2,opt,name=finishedAt"`
	// Phase is how far it got.
	Phase HydrateOperationPhase `json:"phase" protobuf:"bytes,3,opt,name=phase"`
	// Message explains the phase to people.
	Message string `json:"message" protobuf:"bytes,4,opt,name=message"`
	// DrySHA is the commit that was rendered.
	DrySHA string `json:"drySHA,omitempty" protobuf:"bytes,5,opt,name=drySHA"`
	// HydratedSHA is the commit that holds the result.
	HydratedSHA string `json:"hydratedSHA,omitempty" protobuf:"bytes,6,opt,name=hydratedSHA"`
	// SourceHydrator is the configuration of the attempt.
	SourceHydrator SourceHydrator `json:"sourceHydrator,omitempty" protobuf:"bytes,7,opt,name=sourceHydrator"`
}

// SuccessfulHydrateOperation remembers the newest attempt that succeeded.
type SuccessfulHydrateOperation struct {
	// DrySHA is the commit that was rendered.
	DrySHA string `json:"drySHA,omitempty" protobuf:"bytes,5,opt,name=drySHA"`
	// HydratedSHA is the commit that holds the result.
	HydratedSHA string `json:"hydratedSHA,omitempty" protobuf:"bytes,6,opt,name=hydratedSHA"`
	// SourceHydrator is the configuration of the attempt.
	SourceHydrator SourceHydrator `json:"sourceHydrator,omitempty" protobuf:"bytes,7,opt,name=sourceHydrator"`
}

// HydrateOperationPhase is how far a hydration got.
//
// +kubebuilder:validation:Enum=Hydrating;Failed;Hydrated
type HydrateOperationPhase string

// Phases of a hydration.
const (
	// HydrateOperationPhaseHydrating means that manifests are being rendered or committed.
	HydrateOperationPhaseHydrating HydrateOperationPhase = "Hydrating"
	// HydrateOperationPhaseFailed means that the attempt ended with an error.
	HydrateOperationPhaseFailed HydrateOperationPhase = "Failed"
	// HydrateOperationPhaseHydrated means that the branch holds the result.
	HydrateOperationPhaseHydrated HydrateOperationPhase = "Hydrated"
)

// GetSyncSource returns the rendered branch as a source to sync from.
func (h *SourceHydrator) GetSyncSource() ApplicationSource {
	return ApplicationSource{
		RepoURL:        cmp.Or(h.SyncSource.RepoURL, h.DrySource.RepoURL),
		TargetRevision: h.SyncSource.TargetBranch,
		Path:           h.SyncSource.Path,
	}
}

// GetDrySource returns the unrendered place as a source to render.
func (h *SourceHydrator) GetDrySource() ApplicationSource {
	dry := h.DrySource
	return ApplicationSource{
		RepoURL: dry.RepoURL, TargetRevision: dry.TargetRevision, Path: dry.Path,
		Helm: dry.Helm, Kustomize: dry.Kustomize, Directory: dry.Directory, Plugin: dry.Plugin,
	}
}
