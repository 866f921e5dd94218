package application

import (
	"github.com/fairlead-cd/fairlead/internal/apply"
)

// writer is what writes to the destination for the Application: with the
// rights of the cluster's registration or, where impersonation is switched on,
// with those of the service account that the project names.
func (r *reconciliation) writer() (*apply.Applier, error) {
	if !r.settings.Impersonation {
		return r.destination.Applier, nil
	}
	user, err := r.project.ServiceAccount(r.destinationFor(r.app.Spec.Destination.Namespace), r.app.Namespace)
	if err != nil {
		return nil, attemptFailed("%v", err)
	}
	return r.destination.Applier.As(user), nil
}
