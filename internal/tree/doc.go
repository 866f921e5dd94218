// Package tree draws an Application: its objects, what came of them, how traffic flows between them, the nodes of the
// cluster that its pods run on, and the objects in its namespace that belong to nobody.
//
//	tree.Build(live, roots)    the nodes and hosts of an Application
//	tree.Orphans(live, ...)    what belongs to nobody
//
// Everything is read from the live state in memory; no request is made. Bodies are decoded only of managed objects.
package tree
