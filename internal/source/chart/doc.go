// Package chart finds and keeps Helm charts, from Helm repositories over HTTP(S) and from OCI registries.
//
// A Store answers three questions: Resolve says which version a range names, Get finds a chart and its digest, and the
// chart's Archive reads it. What has been answered once is kept on disk and answered again without any server: a version
// is located once, an archive is downloaded once and then kept by its content. Only a range whose answer is older than
// the caller accepts, and a caller that wants a fresh answer, ask again, and then conditionally.
//
// # Whom an answer belongs to
//
// Every answer is kept for a repository together with its credentials (source.Repository.Key). Archives lie on disk by
// their content and are shared, but an archive is given only to those who have downloaded it with credentials of their
// own: knowing a digest, or writing one into an index, opens nothing.
//
// # The index of a repository
//
// An index is read as a stream and kept in a compact form, of which only the charts asked for are looked at. It is asked
// for again conditionally, by all callers at once; one that has not changed is not read again. After a while without use
// it leaves memory and stays on disk.
//
// # What can go wrong
//
// Errors are *source.Error with the reasons of that package: ErrUnreachable, ErrAuthentication, ErrRepositoryNotFound,
// ErrRevisionNotFound (no such chart or version), ErrTooLarge, ErrDamaged (content that is not what its digest says). A
// server that fails is tried again a few times, and then left alone for a moment.
package chart
