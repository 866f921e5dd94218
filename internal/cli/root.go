package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/fairlead-cd/fairlead/internal/render/plugin/askpass"
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
	root.SetArgs(arguments(os.Args, os.LookupEnv))
	if err := root.ExecuteContext(ctx); err != nil {
		var status exitStatus
		if errors.As(err, &status) {
			return int(status)
		}
		fmt.Fprintln(os.Stderr, "fairlead:", err)
		return 1
	}
	return 0
}

// arguments are those of the command line. Under the name of one of Argo CD's
// programs that this one stands in for, they begin with the command that does
// the same: a sidecar starts argocd-cmp-server, git in it argocd-git-ask-pass.
// ARGOCD_BINARY_NAME goes before the name of the file.
func arguments(args []string, lookup func(string) (string, bool)) []string {
	if len(args) == 0 {
		return nil
	}
	name, ok := lookup("ARGOCD_BINARY_NAME")
	if !ok || name == "" {
		name = filepath.Base(args[0])
	}
	switch name {
	case "argocd-cmp-server":
		return append([]string{"cmp-server"}, args[1:]...)
	case askpass.BinaryName:
		return append([]string{"git-ask-pass"}, args[1:]...)
	}
	return args[1:]
}

// exitStatus ends the program with a status other than 1, and without a word.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// NewRoot returns the command tree. lookup reads the environment.
func NewRoot(lookup func(string) (string, bool)) *cobra.Command {
	root := &cobra.Command{
		Use:           "fairlead",
		Short:         "GitOps continuous delivery for Kubernetes",
		Long:          "Fairlead keeps what runs in Kubernetes clusters equal to what stands in Git.",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(newRun(lookup), newRender(lookup), newImpact(lookup), newDrift(), newApp(lookup), newCMPServer(lookup), newGitAskPass(lookup), newRenderWorker(), newVersion())
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
