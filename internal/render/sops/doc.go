// Package sops decrypts files of a repository that are encrypted with SOPS, in memory.
//
// [Decrypt] is what renderers call with every file they read. It recognizes an encrypted file by its sops metadata,
// whatever its name, and gives any other file back as it is. The process that renders has no keys: the data key of a file
// is asked for with [render.External.DataKey], one master key after the other, as the file's key groups say. What a
// master key is, is handed over as a [MasterKey].
//
// Metadata, key groups, ciphers and the check of the MAC are those of SOPS's own library. The files themselves are read
// and written here, with limits, and so that a YAML file keeps its shape: only values change, and the sops entry goes.
//
// No error contains anything of a file but the names of its keys. A [Redactor] takes decrypted values out of the errors
// of others who work with them.
package sops
