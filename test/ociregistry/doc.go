// Package ociregistry runs an OCI registry on loopback, for tests and benchmarks.
//
// The registry is the program of Debian's package docker-registry, with login by basic authentication or by a token
// service of its own. A proxy in front of it serves TLS, records requests and can misbehave.
//
// PushChart and PushArtifact put something in.
package ociregistry
