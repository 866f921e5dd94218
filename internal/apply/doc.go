// Package apply carries plans out. It is the only package that writes the
// objects of Applications to clusters.
//
// [Applier.Check] asks the API server about everything before anything is
// written; [Applier.Run] writes the steps of one stage; [Applier.Predict] says
// what a write would lead to. [Applier.RemoveFinalizer] lets a deleted object go,
// and [Applier.Act] writes what an action of a user leads to (package action),
// under a field manager of its own and only to the object that the action saw.
//
// # How an object is written
//
// The options of a step decide (plan.Options):
//
//	                 Replace: no                          Replace: yes
//	Force: no        server-side apply                    create, or update as a whole
//	Force: yes       the same; where a field cannot be    delete, wait until it is gone,
//	                 changed as with Replace and Force    make anew
//
// Server-side apply is under one field manager, with strict field validation and
// with conflicts forced, because Git is the owner of what it states. What earlier
// tools owned by client-side apply is moved to that manager before the first
// write, so that fields removed from Git go away. Deletions are tied to the uid of
// the object. Namespaces and definitions are never made anew.
//
// # When the API server refuses
//
// What passes by itself (conflicts, overload, failures and silence of the server,
// lost connections) is tried again in place, a few times: everything that is
// written here may be sent twice. What remains is a [Refusal], whose reason tells
// callers what kind of failure it is, and whose sentence tells people what to do.
// Of a Secret it never repeats a value; the words of the API server may, so of those
// only forms are let through that are known to hold none.
//
// # Back-pressure
//
// The client has no limit of its own. How many requests are under way follows what
// the API server can take: the number grows while answers come in time, and
// shrinks when it answers 429 or becomes slow. All callers of one cluster share
// the number and take turns for it, whoever they write as ([Applier.As]).
//
// Nothing here waits for health or decides an order; see package plan.
package apply
