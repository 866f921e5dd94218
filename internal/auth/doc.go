// Package auth knows who calls and what they may do.
//
// [Sessions] logs local accounts in with their password and gives a signed token, and tells from a token whose it is.
// The tokens are those of Argo CD: JWT, HS256 with server.secretkey, issuer "argocd", subject "<account>:login" or
// "<account>:apiKey". A token is judged by the settings of this moment: switching an account off, changing its password
// or the signing key ends its sessions at once.
//
// [Policy] is the one place where it is decided whether somebody may do something.
//
// Guessing passwords is slowed down by [Throttle] for the address and account that fail, so that nobody can lock others
// out, and an unknown account costs as much time as a wrong password.
package auth
