package auth

import (
	"errors"
	"time"

	"github.com/fairlead-cd/fairlead/internal/settings"
)

// Errors that callers tell apart.
var (
	// ErrNoSession means that a request carries no credentials.
	ErrNoSession = errors.New("no session information")
	// ErrInvalidLogin means that account and password do not fit; it does not say which of them is wrong.
	ErrInvalidLogin = errors.New("Invalid username or password") //nolint:staticcheck // the text that clients of Argo CD know
	// ErrPermissionDenied means that somebody who is known may not do what they ask for.
	ErrPermissionDenied = errors.New("permission denied")
)

// Issuer is the issuer of the tokens that this installation signs.
const Issuer = "argocd"

// Identity is somebody whom we know.
type Identity struct {
	// Username is the name of the account.
	Username string
	// Issuer tells who vouches for the identity.
	Issuer string
	// Groups are the groups that the issuer named.
	Groups []string
	// Capability is what the token was made for.
	Capability settings.Capability
	// TokenID identifies the token.
	TokenID string
	// Expires is when the token ends; zero for never.
	Expires time.Time
	// Unrestricted tells that authentication is switched off, so that everybody may do everything.
	Unrestricted bool
}

// Unrestricted is the identity of every caller where authentication is switched off.
func Unrestricted() Identity {
	return Identity{Unrestricted: true}
}
