// Package keyring holds the keys that SOPS-encrypted files are decrypted with. It belongs to the process that renders
// nothing: what renders asks for the data key of a file and never sees a key.
//
// The keys come in sets, a [Keys] for each Secret ([Parse]). A set belongs to the installation, and then serves every
// project, or to certain projects, and then serves those alone. A [Keyring] is made of all sets at one time and does not
// change.
//
// A repository can write into a file's metadata whatever it likes, among it which server is to be asked. So a Vault
// server is asked only when the Secret with its token names the server, Azure's only under the names of Azure, and AWS's
// and Google's by addresses made here. Credentials that the environment of the process has, such as an IAM role, are used
// only where a Secret of the installation says so, and not for keys of projects.
//
// Keys do not show: not in errors, logs, nor when they are printed.
package keyring
