//go:build linux

// Command bench measures Fairlead as a whole on the development cluster: a
// generated monorepo, one Application a folder, the real binary, the real API
// server. It prints wall time, CPU seconds and peak memory of the process, and
// the ratio to the floor: the time in which the same API server accepts the
// same objects by server-side apply from 16 workers, measured in the same run.
//
// It reads the processor time and the memory from /proc, and so runs on Linux.
// Absolute times of a shared machine mean little; ratios within one run count.
//
// Before that it measures the repo component alone, see rendering. With -only=sync the Applications are Helm charts with a
// dependency from a Helm repository, and commits are told by webhooks, see syncEngine.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"
)

func main() {
	// The program that is measured ends with the thread that started it.
	runtime.LockOSThread()
	var o options
	flag.IntVar(&o.applications, "applications", 200, "number of Applications")
	flag.IntVar(&o.namespaces, "namespaces", 1000, "number of namespaces that are rendered without a cluster")
	flag.StringVar(&o.only, "only", "", "measure only this: rendering, cluster, live: changes and restarts with 10, 100 and 1,000 applications, or sync: Helm applications of a monorepo, told by webhooks")
	flag.StringVar(&o.sizes, "sizes", "100,500,1000", "with -only=sync, the numbers of Applications")
	flag.StringVar(&o.binary, "fairlead", "bin/fairlead", "the program to measure")
	flag.DurationVar(&o.idle, "idle", defaultIdle, "how long to measure at rest")
	flag.StringVar(&o.profile, "profile", "", "write a CPU profile to this file: of the repo component rendering all, or with -only=cluster of the first sync")
	component := flag.String("component", "", "be the component that is measured alone, for this job; used by the program itself")
	flag.BoolVar(&o.verbose, "v", false, "show the log of the program")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	run := func() error { return measure(ctx, o) }
	if *component != "" {
		runtime.UnlockOSThread() // what is measured shares the threads, as it does in the program
		run = func() error { return serveComponent(ctx, *component, os.Stdin, os.Stdout) }
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop was called
	}
}

func measure(ctx context.Context, o options) error {
	switch o.only {
	case "live":
		return live(ctx, o)
	case "sync":
		return syncEngine(ctx, o)
	}
	if o.only != "cluster" {
		if err := rendering(ctx, o); err != nil {
			return fmt.Errorf("rendering: %w", err)
		}
	}
	if o.only != "rendering" {
		return run(ctx, o)
	}
	return nil
}
