// Package cluster knows the live state of one Kubernetes cluster: which objects there are, which applications they
// belong to, who owns whom, and when any of it changes.
//
// # Use
//
//	c, err := cluster.New(options)
//	go c.Run(ctx)                       // until ctx is done
//	err = c.WaitSynced(ctx)             // then compare every application once
//	c.Managed("shop"), c.Get(key) ...   // from memory
//	                                    // afterwards Options.OnChange tells what to look at again
//
// # What is kept
//
// Everything that can be listed and watched is watched, one stream for each kind, in its preferred version; never polled.
// The cost in memory follows what is managed: of an object that carries an application's mark (package tracking), or
// that an application wants (Want), the whole body is kept, as the compact JSON in which it came, and decoded when
// asked for. Of all others only a reference is kept, with owners, and Facts of pods and of what controllers made.
// The rest of an object is skipped over while it is read, and never becomes Go values.
//
// # How it stays true
//
// client-go's Reflector lists and watches; a watcher stands between it and the API server:
//
//	               ┌─────────────── refused (403, 404 ...): pause, growing to minutes; ends when roles change
//	               ▼                                     │
//	turn ──▶ gate ──▶ request ──▶ list ──▶ watch ──▶ ... ┘
//	          ▲          │ no answer
//	          └──────────┘ everybody waits; one goroutine knocks every second or two
//
// Discovery runs at the start, when a CustomResourceDefinition or APIService changes, when the API server comes back,
// and every ten minutes. It is checked against the definitions and repeated until it agrees with them, because it lags.
// A kind that is no longer served takes its objects along.
//
// What our own writes returned (Observe) and what the watch brings may arrive in any order; see state for the rules.
//
// Ready tells whether the absence of an object means that it does not exist.
package cluster
