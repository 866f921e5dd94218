// Package remote reaches the repo component in other processes.
//
// Server offers a [repo.Service] on a port, Client is the Service that calls it there. What they speak is gRPC with
// messages of their own (service fairlead.repo.v1), so both ends are of one version of Fairlead or of two neighbours.
// Who may call is decided by the TLS configurations that they are given, see package peer.
//
// # What is not sent
//
// Results are large and seldom change. The client keeps the last one of each Application and says in the next call
// which it has; the server then answers that it still holds. The list of what a cluster serves is sent when a server
// does not know its hash, and not with each call. So an unchanged Application costs a few hundred bytes.
//
// # Several servers
//
// The client finds the servers by DNS and gives all calls about one repository to one of them, chosen by rendezvous
// hashing over those that are healthy; so mirrors are not kept everywhere, and when servers come or go only their share
// moves. A server that takes over has perhaps not asked the remote for long. Each call therefore says how long ago the
// last poll of its origins was, and a server whose knowledge is older asks the remote first: a repository never seems
// to go back to an older commit.
//
// # While no server can be reached
//
// Poll fails with [repo.ErrUnavailable]. Render gives what the same request gave last, and says in Response.Stale why;
// without such a result it fails with [repo.ErrUnavailable] too. The connection is made again with back-off.
package remote
