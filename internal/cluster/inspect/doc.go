// Package inspect asks a cluster for what people look at now and then and what is not kept: logs of containers, shells in
// them, and events about objects.
//
//	c, err := inspect.New(live.Config())
//	err = c.Logs(ctx, inspect.LogRequest{...}, func(line inspect.Line) error { ... })
//
// Nothing outlives a call: when its context ends or it returns, its connections and goroutines are gone.
package inspect
