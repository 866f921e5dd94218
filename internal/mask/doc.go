// Package mask hides what Secrets hold from everybody who looks at objects.
//
//	masked, err := mask.Objects(annotations, target, live)
//
// What is hidden follows from what the object is, never from what a caller calls it. A value becomes plus signs, as many
// as tell values of one key apart: people see that a value changed, and never the value or its length.
package mask
