// Package action knows what users may do to a live object beside syncing it: restart a Deployment, suspend a CronJob,
// promote a Rollout.
//
//	catalog := action.New(now, scripts)
//	offers, err := catalog.Discover(ctx, object)
//	changes, err := catalog.Run(ctx, object, "scale", map[string]string{"replicas": "3"})
//
// Actions have the names of Argo CD's. They are built in, or come from an operator's Lua scripts
// (resource.customizations.actions); a script takes the place of what is built in for its kind unless it asks to be
// merged, and goes before a built-in action of the same name.
//
// The package is pure: it computes what an action leads to from the object that it is given, and package apply carries
// that out. An action may patch the object and create others. Whether somebody may run an action is the caller's to
// decide.
package action
