package cli

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// Version is the version of the binary; the build sets it.
var Version = "dev"

// Main runs the command line of the process and returns its exit status: 0
// when all went well, 1 after an error, which is printed.
func Main() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second signal ends the process at once.
	context.AfterFunc(ctx, stop)
	root := NewRoot(os.LookupEnv)
	if err := root.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "fairlead:", err)
		return 1
	}
	return 0
}

// NewRoot returns the command tree. lookup reads the environment.
func NewRoot(lookup func(string) (string, bool)) *cobra.Command {
	root := &cobra.Command{
		Use:           "fairlead",
		Short:         "GitOps continuous delivery for Kubernetes",
		Long:          "Fairlead keeps what runs in Kubernetes clusters equal to what stands in Git.",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(newRun(lookup), newVersion(), newRenderWorker())
	return root
}

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of this binary",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "fairlead", Version)
			return err
		},
	}
}
