// Package scratch makes files that are renamed once they are complete, and finds those that a killed process has left
// behind. A file is locked by its process while it is written, so that Sweep can tell the one from the other at any time,
// also where several processes use one folder.
package scratch
