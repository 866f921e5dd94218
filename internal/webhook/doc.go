// Package webhook understands what Git services and registries send when something was pushed, and hands it on without
// haste.
//
// [Parse] tells which service a call is from, checks that the caller knows its secret, and makes an [Event] of the body.
// A body is foreign text: only the few fields that are needed are read, all of them as data, and the worst that an event
// can do is to have repositories asked for news that Applications use anyway.
//
// A [Queue] takes events at once and works on them after: all that come for one repository while it is worked on, or
// within the pause after that, become one.
package webhook
