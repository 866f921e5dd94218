// Package nodes makes the simulated nodes of a cluster and keeps them ready.
//
// Node conditions, heartbeats and leases are the work of kwok's controllers.
// Any Node that somebody makes by hand is kept ready too.
package nodes
