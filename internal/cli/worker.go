package cli

import (
	"github.com/spf13/cobra"

	"github.com/fairlead-cd/fairlead/internal/render/renderers"
	"github.com/fairlead-cd/fairlead/internal/render/worker"
)

// newRenderWorker returns the command that makes this binary one of its own rendering processes.
func newRenderWorker() *cobra.Command {
	return &cobra.Command{
		Use:                worker.Subcommand,
		Short:              "Render for the process that has started this one",
		Hidden:             true,
		DisableFlagParsing: true,
		RunE: func(_ *cobra.Command, args []string) error {
			return worker.Main(args, renderers.New())
		},
	}
}
