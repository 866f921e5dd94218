package apply

import (
	"context"
	"errors"
	"fmt"

	"github.com/fairlead-cd/fairlead/internal/plan"
)

// Reason is why an object could not be written.
type Reason string

// The reasons of a Refusal.
const (
	// Invalid means that the object itself is wrong.
	Invalid Reason = "Invalid"
	// Immutable means that it differs in a field that cannot be changed.
	Immutable Reason = "Immutable"
	// Forbidden means that the writer lacks a permission, or that the namespace
	// does not allow such an object.
	Forbidden Reason = "Forbidden"
	// Quota means that a ResourceQuota is used up.
	Quota Reason = "Quota"
	// Webhook means that an admission webhook or policy denied the object, or
	// that the webhook could not be asked.
	Webhook Reason = "Webhook"
	// NamespaceTerminating and NamespaceMissing are about the namespace of the
	// object.
	NamespaceTerminating Reason = "NamespaceTerminating"
	NamespaceMissing     Reason = "NamespaceMissing"
	// UnknownKind means that the API server does not serve the kind.
	UnknownKind Reason = "UnknownKind"
	// PortTaken means that the node port of a Service belongs to another.
	PortTaken Reason = "PortTaken"
	// Conflict means that somebody else writes the object all the time.
	Conflict Reason = "Conflict"
	// Held means that a deleted object does not go away.
	Held Reason = "Held"
	// Overloaded and Unavailable are about the API server.
	Overloaded  Reason = "Overloaded"
	Unavailable Reason = "Unavailable"
	// Unauthorized means that the API server does not accept the credentials.
	Unauthorized Reason = "Unauthorized"
	// TooLarge means that the object is larger than the API server stores.
	TooLarge Reason = "TooLarge"
	// Failed is everything else.
	Failed Reason = "Failed"
)

// Refusal is why one object could not be written: a sentence that names the
// object and what to do. It never holds a value of a Secret.
type Refusal struct {
	plan.Reference
	Reason Reason
	// Retry says that another attempt may succeed without a change of the object.
	Retry bool

	sentence string
	cause    error
}

// Error returns the sentence.
func (r *Refusal) Error() string { return r.sentence }

// Unwrap returns the error of the API server, without what a Secret may hold.
func (r *Refusal) Unwrap() error { return r.cause }

// explain turns an error of a request about an object into a Refusal. The end
// of a context is nobody's refusal.
func explain(ref plan.Reference, err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if refusal, ok := errors.AsType[*Refusal](err); ok {
		return refusal
	}
	reason := reasonOf(err)
	if secret(ref) {
		err = withheld(err)
	}
	return &Refusal{Reference: ref, Reason: reason, Retry: passes(reason), sentence: sentence(ref, reason, err), cause: err}
}

// passes says whether time, or somebody else, may change the answer.
func passes(reason Reason) bool {
	switch reason {
	case Invalid, Immutable, TooLarge:
		return false
	default:
		return true
	}
}

func sentence(ref plan.Reference, reason Reason, err error) string {
	what := said(err)
	switch reason {
	case Invalid:
		return fmt.Sprintf("%s is not valid: %s; correct its manifest", ref, what)
	case Immutable:
		return fmt.Sprintf("%s cannot be changed in place: %s; undo the change, or have the object deleted and made anew by its annotation argocd.argoproj.io/sync-options: Force=true,Replace=true", ref, what)
	case Forbidden:
		return fmt.Sprintf("%s is forbidden: %s; grant what is missing, or change the object", ref, what)
	case Quota:
		return fmt.Sprintf("%s does not fit into the quota of namespace %s: %s; raise the quota, or make room", ref, ref.Namespace, what)
	case Webhook:
		return fmt.Sprintf("%s was not admitted: %s", ref, what)
	case NamespaceTerminating:
		return fmt.Sprintf("%s cannot be written: namespace %s is being deleted; wait until it is gone, or see what holds it", ref, ref.Namespace)
	case NamespaceMissing:
		return fmt.Sprintf("%s cannot be written: namespace %s does not exist; create it, or set the sync option CreateNamespace=true", ref, ref.Namespace)
	case UnknownKind:
		return fmt.Sprintf("%s cannot be written: %s", ref, what)
	case PortTaken:
		return fmt.Sprintf("%s cannot be written: %s; choose another node port", ref, what)
	case Conflict:
		return fmt.Sprintf("%s is being changed by somebody else all the time: %s; see metadata.managedFields for who it is", ref, what)
	case Overloaded:
		return fmt.Sprintf("%s was not written: the API server is overloaded: %s; try again later", ref, what)
	case Unavailable:
		return fmt.Sprintf("%s was not written: the API server failed: %s; try again when it is well", ref, what)
	case Unauthorized:
		return fmt.Sprintf("%s was not written: the API server does not accept the credentials of the cluster: %s; renew them", ref, what)
	case TooLarge:
		return fmt.Sprintf("%s is larger than the API server stores: %s; split it", ref, what)
	default:
		return fmt.Sprintf("%s was not written: %s", ref, what)
	}
}
