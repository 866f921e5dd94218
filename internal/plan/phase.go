package plan

// Phase is a part of a sync, or of a deletion, that has steps.
type Phase string

// The phases, by the names that the annotation argocd.argoproj.io/hook has for
// them. Objects that are no hooks are in Sync.
const (
	// PreSync comes before objects are applied.
	PreSync Phase = "PreSync"
	// Sync is when objects are applied.
	Sync Phase = "Sync"
	// PostSync comes when all objects are applied and healthy.
	PostSync Phase = "PostSync"
	// SyncFail comes when one of the phases before it failed.
	SyncFail Phase = "SyncFail"
	// PreDelete comes before the objects of a deleted Application are deleted.
	PreDelete Phase = "PreDelete"
	// PostDelete comes when the objects of a deleted Application are gone.
	PostDelete Phase = "PostDelete"
	// Skip is the phase that never comes.
	Skip Phase = "Skip"
)

// order is the place of a phase in a plan.
func (p Phase) order() int {
	switch p {
	case PreSync, PreDelete:
		return 0
	case Sync, "":
		return 1
	case PostSync, PostDelete:
		return 2
	default:
		return 3
	}
}
