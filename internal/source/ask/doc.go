// Package ask sends questions to servers on behalf of many callers at once.
//
// A Group shares one request among all who want the same thing, repeats requests that fail for a passing reason, and
// remembers a failure for a moment, so that a hundred applications do not hammer a server that is down. A caller that
// gives up does not end a request that others wait for.
package ask
