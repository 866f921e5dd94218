// Package worker renders in processes of their own, so that what a repository makes a renderer do can hurt nobody but
// itself.
//
// A Pool is a render.Renderer. It keeps a few long-lived processes of the same binary, gives each one request at a time,
// and answers what their renderers ask: every read of a file, and everything else of render.Inputs, is a question from the
// worker to its parent. The worker has nothing else: no environment, no credentials, and where the kernel allows it no
// files, no network and no other programs. A worker that exceeds its time, memory or output is ended and replaced; its
// request gets ErrLimit, and the others do not notice.
//
// The other side is Main, which a hidden command of the binary calls, and Serve, which is Main without giving up rights.
//
// A worker is idle, or has one request:
//
//	parent  → request, answers to questions, cancel
//	worker  → hello once; then questions, and in the end done or failed
//
// # What goes along with a request
//
// The folder of a source, when it is small, goes along with the request, and the worker answers its renderer's questions
// about it itself. Which of them it has answered it reports with the result, and the parent notes them as if they had been
// asked. So a read set has what the renderer looked at and nothing more.
//
// A worker that somebody has taken over may report less than it has seen. That gives it nothing that it does not have
// anyway: what it does not ask for is not noted either, and it can return whatever it likes for its request. A wrong report
// makes a wrong result valid for longer, or a right one for less long, of that one request, and of no other: results are
// kept by the whole request. It can name nothing beside what went along, and that is no more than the request may read. Of
// a worker that ends before it has reported, all that went along is noted.
//
// # Messages
//
// Messages are a length, a kind and a body of package packed. After done or failed nothing of that request may follow.
// Whatever else comes, the worker is taken for crashed.
package worker
