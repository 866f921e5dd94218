// Package cache keeps rendered results in Redis, so that a restart or another replica does not render them again. It is
// a render.Store.
//
// What stands in Redis says nothing to who reads it: values are encrypted, and names are keyed hashes; both with keys
// that are derived from the installation's server key. An entry that was changed, belongs to another name, or was
// written with another key is as good as none.
//
// Redis is an aid and never a condition: a server that is away, slow or full makes nothing slower. Reads have a short
// time limit, and after a failure none is tried for a while; writes happen in the background, from a queue that drops
// what does not fit.
package cache
