// Package archive brings the files of a source to where a config management plugin can run on them: Pack makes the
// compressed tar file that is streamed to a sidecar, Unpack makes a folder of it there, and Copy does both in one step for
// a plugin of this process.
//
// Both ends distrust what they are given. What is packed stays below the folder that is sent, and below a limit. What is
// unpacked stays below the folder that it goes to, whatever names, links and sizes the archive states.
package archive
