// Package oci reads manifests from OCI artifacts: images with one layer that is a tar archive or a Helm chart.
//
// It is to registries what package source is to Git: Resolve turns a tag, a range of versions over the tags, or a digest
// into a digest, and Snapshot gives the files of a digest as an io/fs.FS. What a digest names never changes, so a layer is
// downloaded once and kept on disk; snapshots in use are kept in memory up to a size.
//
// As with charts, what was read belongs to the repository together with its credentials. Errors are *source.Error.
package oci
