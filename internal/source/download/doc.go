// Package download reads single files by their URL: value files that an Application names, files of remote Kustomize
// bases.
//
// A Store keeps what it has read in memory, bounded, and asks the server whether it is still so (ETag, Last-Modified)
// when an answer is older than the caller accepts. Files are kept apart by the credentials that they were read with.
//
// # Where requests may go
//
// URLs come from repositories and Applications, so they are chosen by people who must not reach everything that this
// process can. Only http and https are spoken, credentials go to their own server alone, and addresses that are local to
// a machine's link are refused, because there clouds hand out the credentials of machines (169.254.169.254,
// fd00:ec2::254). The address is looked at when the connection is made, after the name was resolved. Other private
// addresses are allowed: that is where companies have their servers; networks keep apart what has to be.
package download
