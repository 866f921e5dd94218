// Package jsonnet evaluates Jsonnet files of a repository, with the variables and libraries that the Application states.
//
// Imports reach the files of the source alone: those beside the importing file, then the source's libs, the last first,
// then those in the folder of the source. Everything goes through [render.Inputs], so that a change of an imported file,
// or a new file that would be found first, renders again.
package jsonnet
