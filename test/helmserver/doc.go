// Package helmserver serves a Helm repository over HTTP on loopback, for tests and benchmarks.
//
// The index is made out of the charts that were added, and answers conditional requests as web servers do. Basic
// authentication, bearer tokens and TLS can be switched on, and faults can be injected while it runs. Requests are
// recorded.
//
// Chart packs a chart out of files; package ociregistry pushes the same charts into a registry.
package helmserver
