// Package compare tells what a sync would change in a live object.
//
// [Comparer.Compare] predicts server-side apply: it merges the desired object
// into the live one with the rules that the API server itself uses
// (structured-merge-diff, KEP-555), prunes what the field manager owned and no
// longer wants, and returns the fields in which the outcome differs from the
// live object. An object is synced when that set is empty, which is the same
// as saying that a sync now would change nothing.
//
// Kinds that Kubernetes brings are merged with the schemas that client-go
// carries, so no schema is fetched or held per cluster. Kinds without such a
// schema (custom resources, or fields younger than this client) are merged
// with deduced schemas, where lists are atomic. Where a prediction may be
// wrong because of that, the [Result] says so, and the caller can ask the API
// server with a dry run.
//
// The package is pure: it reads nothing, writes nothing and keeps no state.
package compare
