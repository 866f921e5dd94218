// Package clients keeps what repositories are reached with, such as connections and what is known of an index, for as
// long as somebody asks for them.
package clients
