// Package apply carries plans out. It is the only package that writes the
// objects of Applications to clusters.
//
// Objects are written by server-side apply under one field manager, with
// strict field validation and with conflicts forced, because Git is the owner
// of what it states. What earlier tools owned by client-side apply is moved to
// that manager before the first write, so that fields removed from Git go away.
//
// [Applier.Act] writes what an action of a user leads to (package action), under a
// field manager of its own and only to the object that the action saw.
//
// Nothing here waits for health or decides an order; see package plan. Back
// pressure comes from the API server (priority and fairness answers 429 with
// Retry-After, which client-go obeys); the only limit of our own is the number
// of requests under way at once.
package apply
