package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/duration"
)

// newAppEvents returns `fairlead app events`.
func newAppEvents(c *appConnection) *cobra.Command {
	which := &objectFlags{}
	var output string
	cmd := &cobra.Command{
		Use:   "events APPNAME",
		Short: "List the Events about an Application, or about one of its objects",
		Example: `  fairlead app events shop

  fairlead app events shop --kind Deployment --resource-name web`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkOutput(output, "text", "json", "yaml"); err != nil {
				return err
			}
			path, query := c.below(args[0], "/events")
			if which.given() {
				nodes, err := c.objects(cmd.Context(), args[0], which)
				if err != nil {
					return err
				}
				if len(nodes) > 1 {
					return fmt.Errorf("%d objects fit; name one with --kind, --namespace and --resource-name", len(nodes))
				}
				for key, value := range map[string]string{"resourceUID": nodes[0].UID, "resourceNamespace": nodes[0].Namespace, "resourceName": nodes[0].Name} {
					query.Set(key, value)
				}
			}
			list := &corev1.EventList{}
			if err := c.get(cmd.Context(), path, query, list); err != nil {
				return err
			}
			if output != "text" {
				return printValue(cmd.OutOrStdout(), list, output)
			}
			return printEvents(cmd.OutOrStdout(), list, time.Now())
		},
	}
	which.add(cmd.Flags())
	cmd.Flags().StringVarP(&output, "output", "o", "text", "text, json or yaml")
	return cmd
}

func printEvents(w io.Writer, list *corev1.EventList, now time.Time) error {
	if len(list.Items) == 0 {
		_, err := fmt.Fprintln(w, "no Events")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "LAST SEEN\tTYPE\tREASON\tCOUNT\tMESSAGE")
	for _, e := range list.Items {
		last := e.CreationTimestamp.Time
		for _, at := range []time.Time{e.EventTime.Time, e.LastTimestamp.Time} {
			if at.After(last) {
				last = at
			}
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%s\n", duration.HumanDuration(now.Sub(last)), e.Type, e.Reason, max(e.Count, 1), strings.Join(strings.Fields(e.Message), " "))
	}
	return table.Flush()
}
