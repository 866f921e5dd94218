// Package content keeps bytes on disk: blobs by the sha256 of their content, and small records by name.
//
// Whatever is read is verified: a blob against its digest, a record against the checksum written with it. What is damaged
// is removed and counts as missing, so that the caller fetches it again. Files are written beside their place and renamed
// into it, so that a killed process leaves nothing half-written where it is read, and several processes can use one
// directory. Blobs are removed, those unused for longest first, when they exceed a size.
//
// A disk that is full or cannot be written does not stop the work: what could not be written is kept in memory, up to a
// size.
//
// A digest is not a permission. Who may read a blob is for the caller to know.
package content
