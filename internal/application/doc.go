// Package application joins the stages of the path for one Application: it
// resolves the source, renders, compares with the live state, writes the
// status, and carries out syncs and deletions.
//
// [Controller] reconciles level by level: every reconcile looks at the whole
// Application, and all that it needs is either in a Kubernetes object or can be
// computed again, so that a process may die at any moment. What is expensive
// is kept in memory under the identity of its input (commit, object version),
// so that a reconcile costs what has changed:
//
//	event                          work
//	live object changed            compare that object
//	commit                         verify the read set; render if it changed
//	settings, project, spec        look again at what they concern
//
// The life of an operation, kept in status.operationState:
//
//	(operation set) ─▶ Running ─▶ Succeeded
//	                    │  ▲ └──▶ Failed, Error
//	                    ▼  │ retry after back-off
//	                  waiting (wave health, retry time)
//	Terminating ─▶ Failed
package application
