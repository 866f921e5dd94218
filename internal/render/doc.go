// Package render turns the files of a commit into the objects that an application wants in its cluster.
//
// A Renderer is a pure function of a file system and a Request. Memo is what callers use: it finds out the type of a
// source, runs the Renderer for it, and keeps results under the request together with the read set, which is everything
// the renderer saw of the file system: files by object id, listings by tree id and names, and what it looked for and
// did not find. When the same request comes with another commit, the read set is compared with that commit by object
// ids alone. Nothing is rendered, and no file is read, unless something changed that the renderer had looked at. So a
// commit costs what it changes, and nobody needs to say which paths matter to which application.
//
// The read set is complete only because renderers have no other way to the files. A Renderer must not keep state
// between calls, and depends on nothing but the file system and the Request.
package render
