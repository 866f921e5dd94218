package tenancy

import (
	"cmp"
	"fmt"
	"strings"
)

// ServiceAccount returns the user that syncs to a destination act as: the
// service account of the first entry of destinationServiceAccounts that matches
// it, as system:serviceaccount:NAMESPACE:NAME. An account without a namespace is
// in that of the destination, or in otherwise when the destination has none.
// That no entry matches is an error: impersonation may not be evaded by a
// destination that nobody thought of.
func (p *Project) ServiceAccount(d Destination, otherwise string) (string, error) {
	for _, entry := range p.spec.DestinationServiceAccounts {
		if !compile(entry.Server).fits(d.Server) || !compile(entry.Namespace).fits(d.Namespace) {
			continue
		}
		namespace, name, qualified := strings.Cut(entry.DefaultServiceAccount, ":")
		if !qualified {
			namespace, name = cmp.Or(d.Namespace, otherwise), namespace
		}
		if name == "" || namespace == "" || strings.ContainsAny(namespace+name, "*!: \t") {
			return "", fmt.Errorf("the project %q names %q as the service account for syncs to %s, namespace %q; give NAME or NAMESPACE:NAME in destinationServiceAccounts",
				p.name, entry.DefaultServiceAccount, d.Server, d.Namespace)
		}
		return "system:serviceaccount:" + namespace + ":" + name, nil
	}
	return "", fmt.Errorf("the project %q names no service account for syncs to %s, namespace %q; add the destination to its destinationServiceAccounts", p.name, d.Server, d.Namespace)
}
