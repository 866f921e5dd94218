// Package source keeps bare mirrors of Git repositories and gives read access to their commits.
//
// Mirrors holds one bare mirror per repository and credentials below a data directory. Resolve turns a revision
// (branch, tag, commit, version constraint) into a commit id, Snapshot gives the files of a commit as an io/fs.FS over
// Git objects. There is no work tree and no lock: any number of commits can be read at once while fetches go on.
//
// # What a poll costs
//
// A poll first lists the remote's references and compares them with the mirror's; only a difference starts `git fetch`.
// For HTTP and HTTPS the list is asked for in process over a kept connection, one protocol version 2 request that names
// the wanted prefixes (HEAD, branches, tags), so that thousands of pull request references cost nothing. Other
// transports use `git ls-remote`. Callers share polls: one is running, at most one waits behind it, and a caller joins
// the first that can see everything that had happened when the caller asked. A caller that gives up does not end a poll.
//
// # Life of a mirror
//
//	absent ──poll──▶ ready ──poll──▶ ready            references differ: fetched; equal: nothing is touched
//	ready ──poll fails──▶ ready                       the last good state stays, the error goes to the callers
//	ready ──objects missing or damaged──▶ suspect     found by a read or by a fetch
//	suspect ──poll──▶ ready                           made again beside the old one, then swapped
//	ready ──directory deleted──▶ absent               noticed by the next poll or read
//
// Lock files that a killed process left behind are removed when a mirror is opened; a lock on the mirror makes sure
// that nobody, not even an orphaned git, still works on it.
//
// A mirror that would grow beyond Options.MaxRepositorySize is given up while git fetches, made again once in case only
// rewritten history was large, and then refused until the remote changes. Maintenance packs what was fetched lately. When
// a mirror has doubled since all of it was packed, it is packed anew, and what no reference has named for longer than
// Options.KeepRewritten is dropped: tips that a forced push or a deleted branch left get a reference of our own for that
// time. A dropped commit that is asked for by its id is fetched again, as long as the server gives it.
//
// # Submodules and Git LFS
//
// A submodule is entered when somebody lists or reads in its folder: .gitmodules gives the URL, Options.Credentials the
// way to reach it, and its repository is a mirror like any other. One that cannot be had is an error for its readers
// alone. An object of Git LFS is downloaded when its file is read, checked against the pointer, and kept by content in a
// folder of the mirror's own. Identities of files (fs.FileInfo.Sys) tell both apart from what is shown without them.
//
// # Credentials
//
// A mirror belongs to a URL and the identity of the credentials it was fetched with, so nobody is served what somebody
// else was allowed to fetch. Keys that are exchanged for short-lived tokens (GitHub Apps, service accounts of Google
// Cloud) are such an identity, the tokens are not: they are kept in memory until shortly before they end, shared by all
// repositories of an installation, and replaced when the server refuses one.
//
// Secrets reach git by its environment, keys by files that exist while git runs. They never stand on a command line and
// are removed from everything that git prints.
package source
