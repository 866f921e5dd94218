package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/fairlead-cd/fairlead/internal/server"
)

// newAppPlan returns `fairlead app plan`.
func newAppPlan(c *appConnection) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "plan APPNAME",
		Short: "Show what a sync would do, step by step, without doing it",
		Long: `Plan shows what a sync of the whole Application, with pruning, would do: each
step in its order, what restarts pods, what can lose data. Steps with the same
number run at once. The digest names the plan: a sync that is asked for it
(operation.info fairlead.dev/plan) refuses when its plan is another by then.

It needs --server: the plan is made from what the controller knows.`,
		Example: "  fairlead app plan shop --server fairlead.example.com",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkOutput(output, "text", "json", "yaml"); err != nil {
				return err
			}
			if c.server == "" {
				return errNoServer
			}
			var p server.Plan
			path, query := c.below(args[0], "/plan")
			if err := c.get(cmd.Context(), strings.Replace(path, "/api/v1/", "/api/v1/fairlead/", 1), query, &p); err != nil {
				return err
			}
			if output != "text" {
				return printValue(cmd.OutOrStdout(), p, output)
			}
			return printPlan(cmd.OutOrStdout(), &p)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "text", "text, json or yaml")
	return cmd
}

func printPlan(w io.Writer, p *server.Plan) error {
	if len(p.Steps) == 0 {
		_, err := fmt.Fprintln(w, "A sync would do nothing.")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "STAGE\tPHASE\tWAVE\tACTION\tGROUP\tKIND\tNAMESPACE\tNAME\tEFFECT\tFIELDS")
	for _, s := range p.Steps {
		fmt.Fprintf(table, "%d\t%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
			s.Stage, s.Phase, s.Wave, s.Action, s.Group, s.Kind, s.Namespace, s.Name, s.Effect, strings.Join(s.Fields, " "))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\nPlan %s, to %s\n", p.Digest, strings.Join(p.Revisions, ", "))
	return err
}
