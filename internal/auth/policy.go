package auth

import (
	"fmt"

	"github.com/fairlead-cd/fairlead/internal/settings"
)

// Action is something that somebody wants to do.
type Action struct {
	// Resource is the kind of thing, such as "applications".
	Resource string
	// Verb is what is to be done, such as "get", "sync" or "update".
	Verb string
	// Object is the thing, for applications as project/name or project/namespace/name; "" for the right to ask at all.
	Object string
}

// String gives the action as it stands in a policy.
func (a Action) String() string {
	return fmt.Sprintf("%s, %s, %s", a.Resource, a.Verb, a.Object)
}

// Policy decides who may do what. For now admin may do everything, and nobody else anything.
type Policy struct{}

// Decide gives nil when the identity may do what it asks for, and else an error that is ErrPermissionDenied.
func (Policy) Decide(who Identity, what Action) error {
	if who.Unrestricted || who.Issuer == Issuer && who.Username == settings.AdminAccount {
		return nil
	}
	return fmt.Errorf("%w: %s, sub: %s", ErrPermissionDenied, what, who.Username)
}
