// Package tenancy holds the rules of AppProjects: from where the applications of a project may take objects, to which
// clusters and namespaces they may bring them, of which kinds these may be, and in which namespaces the applications
// themselves may lie.
//
// [New] compiles the rules of a project, together with those it inherits from global projects (see [Globals]), into a
// [Project]. Its methods answer nil for what is allowed and a [*Refusal] otherwise, whose sentence says what is refused
// by which rule and what to do. All of it is pure; nothing is read from a cluster.
//
// [Project.Windows] are the sync windows that concern an Application, and [Windows.Decide] says what they say of a sync
// at a moment. A window that cannot be read goes on the safe side.
//
// The rules match as in Argo CD 3.6. An entry that begins with ! forbids what it names and allows everything else that
// the rest of the entry fits. A pattern that cannot be read allows nothing, and when it was to forbid, forbids.
package tenancy
