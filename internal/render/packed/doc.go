// Package packed writes numbers and texts one after another and reads them back: what the processes of rendering say to
// each other, and what is kept outside of the memory. A reader never takes more than its input has, whatever the input
// says, and remembers that something was wrong, so that it has to be asked only once at the end.
package packed
