// Package archive unpacks tar archives, plain or compressed by gzip, into memory, within limits.
//
// The result is a read-only file system of what the archive holds. Nothing is written anywhere, so nothing can be written
// outside of a folder; names that leave the root, devices, and links that lead out are refused all the same, since they
// tell of a broken or hostile archive. An archive that unpacks to more than the limits ends in an error as soon as they
// are exceeded, in time and memory that follow the limits.
//
// Every file and folder has an identity that says what is in it: equal identities, equal content.
package archive
