// Package alias bounds what the aliases of a foreign YAML text may grow to before anybody expands them. A few lines of
// aliases of aliases stand for gigabytes ("billion laughs"), and YAML libraries bound the count of values but not their
// bytes, in which a long text repeated comes to the same once it is written out.
//
// Check is to be asked before a text goes to a parser that expands aliases. It costs a look at each byte for a text
// without aliases, and one parse, without expanding anything, for one that has them.
package alias
