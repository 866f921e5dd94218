// Package command runs the commands of a config management plugin: in a process group of their own, for a limited time
// and with limited output, so that whatever one does, the program that runs it goes on.
package command
