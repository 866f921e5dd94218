// Package shell reads the few constructs of the POSIX shell that simulated
// containers understand: simple commands with quotes and variables, joined by
// semicolons, newlines, && and ||.
package shell
