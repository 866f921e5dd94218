// Package repo is the repo component: it turns the sources of an Application into desired objects.
//
// It joins what stands before comparison on the path: internal/source (Git mirrors, charts, OCI artifacts) gives files,
// internal/render turns them into objects and remembers them. Service is what the other components see of it. Local does
// the work in this process; other implementations reach a Local in another process.
//
// # Who may have what
//
// A request names a project, and everything that it makes Local fetch (repositories, chart dependencies, remote bases,
// value files by URL, keys for encrypted files) is fetched with what the settings give that project. No request carries
// credentials, and nothing fetched for one set of credentials is given to another.
package repo
