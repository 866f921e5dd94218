// Package gitserver serves bare Git repositories over HTTP on loopback, for tests and for the demo.
//
// New starts a server for the repositories below one directory. It is the real thing: every request is answered by
// `git http-backend`, so clones, fetches and pushes behave as they do against any hosting service. Basic
// authentication and TLS with a certificate authority of its own can be switched on, and faults can be injected while
// it runs (answers that never come, internal errors, a body that stops half-way).
//
// CreateRepository makes a repository from a folder tree, and Repo.Apply adds commits to it without a work tree. Tests
// usually call Start, Server.Repository and Repo.Commit, which fail the test instead of returning errors.
//
// Git runs with no configuration but its own defaults and with a fixed author.
package gitserver
