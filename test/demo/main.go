package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// options are what the command line says.
type options struct {
	// Mine uses the cluster of KUBECONFIG instead of a development cluster.
	Mine bool
	// Once ends the demo when all is Synced and Healthy, or Deadline has passed.
	Once     bool
	Deadline time.Duration
	// StateDir holds logs, mirrors, the cluster's state and the served repository.
	StateDir string
	// Monorepo is the folder that is served as a Git repository, CRDs the folder of the types.
	Monorepo, CRDs string
	// Fairlead and Devcluster are the programs to start.
	Fairlead, Devcluster string
	// Ports to begin looking for free ones at.
	Port, MetricsPort, GitPort int
}

func parse(args []string, output io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.SetOutput(output)
	cluster := flags.String("cluster", "development", "`which` cluster: development, or mine (that of KUBECONFIG)")
	flags.BoolVar(&o.Once, "once", false, "end as soon as all applications are Synced and Healthy")
	flags.DurationVar(&o.Deadline, "deadline", 3*time.Minute, "how long --once waits for that")
	flags.StringVar(&o.StateDir, "state", ".demo", "`folder` for all state; emptied at the start")
	flags.StringVar(&o.Monorepo, "monorepo", "examples/monorepo", "`folder` to serve as a Git repository")
	flags.StringVar(&o.CRDs, "crds", "deploy/crds", "`folder` of the CRDs")
	flags.StringVar(&o.Fairlead, "fairlead", "bin/fairlead", "the `program` fairlead")
	flags.StringVar(&o.Devcluster, "devcluster", "bin/devcluster", "the `program` devcluster")
	flags.IntVar(&o.Port, "port", 8080, "port of the page and the API, or the next free one")
	flags.IntVar(&o.MetricsPort, "metrics-port", 8082, "port of the metrics, or the next free one")
	flags.IntVar(&o.GitPort, "git-port", 8090, "port of the Git repository, or the next free one")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	switch *cluster {
	case "development":
	case "mine":
		o.Mine = true
	default:
		return o, fmt.Errorf("--cluster is development or mine, not %q", *cluster)
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unknown argument %q", flags.Arg(0))
	}
	for _, needed := range []string{o.Monorepo, o.CRDs} {
		if _, err := os.Stat(needed); err != nil {
			return o, fmt.Errorf("%w (run the demo from the root of the repository: make demo)", err)
		}
	}
	return o, nil
}

func main() {
	o, err := parse(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		// From the second signal on, they end the demo the hard way.
		context.AfterFunc(ctx, stop)
		err = run(ctx, o, newScreen(os.Stdout))
		stop()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}
