// Package lua runs the scripts that operators write into the settings (health checks, resource actions), under limits
// that keep a mistake in one of them from harming the process.
//
//	script, err := lua.Compile("health of Certificate", source, lua.Limited)
//	values, err := script.Run(ctx, map[string]any{"obj": object})
//
// A script sees its globals as fresh tables, so it may change them; what it returns is turned back into Go values. An
// empty table of the script's own comes back as an empty map, an empty list that came in comes back as a list.
//
// # Limits
//
//   - [MaxTime] and [MaxInstructions], whichever is reached first, with an [ErrLimit] that says which;
//   - [MaxDepth] calls inside each other, and a bounded data stack;
//   - [MaxString] bytes for every string that is joined, repeated, formatted or replaced;
//   - [MaxList] as the largest index that a table keeps room for.
//
// Memory is bounded by these together: no instruction makes more than a string or a list of that size. Scripts belong
// to administrators; the limits are there for mistakes, and no boundary against malice.
//
// # Libraries
//
// [Limited] scripts have Lua's base functions, string, table, math, and of os the time; nothing that reads files, loads
// code or prints. [Open] adds the standard libraries, files included. What starts programs, ends the process or reads
// its environment is there for neither.
//
// Interpreters are pooled. Each run has an environment of its own, and an interpreter whose run failed is thrown away.
package lua
