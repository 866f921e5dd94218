package cli

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// newAppList returns `fairlead app list`.
func newAppList(c *appConnection) *cobra.Command {
	var output, selector, cluster, repo string
	var projects []string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List Applications with their state, and why they are not healthy",
		Example: `  # all that are in the control plane's namespace
  fairlead app list

  # those of a team that are not what Git says
  fairlead app list -l team=shop -o wide | grep OutOfSync`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkOutput(output, "text", "wide", "name", "json", "yaml"); err != nil {
				return err
			}
			apps, err := c.list(cmd.Context(), selector)
			if err != nil {
				return err
			}
			apps = slices.DeleteFunc(apps, func(app v1alpha1.Application) bool {
				return len(projects) > 0 && !slices.Contains(projects, app.Spec.GetProject()) ||
					cluster != "" && cluster != app.Spec.Destination.Server && cluster != app.Spec.Destination.Name ||
					repo != "" && !slices.ContainsFunc(app.Spec.GetSources(), func(s v1alpha1.ApplicationSource) bool { return s.RepoURL == repo })
			})
			return printApps(cmd.OutOrStdout(), apps, output)
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&output, "output", "o", "text", "text, wide, name, json or yaml")
	flags.StringVarP(&selector, "selector", "l", "", "only Applications with these labels")
	flags.StringSliceVarP(&projects, "project", "p", nil, "only Applications of this project; several may be given")
	flags.StringVarP(&cluster, "cluster", "c", "", "only Applications with this destination, by server or name")
	flags.StringVarP(&repo, "repo", "r", "", "only Applications of this repository")
	return cmd
}

func printApps(w io.Writer, apps []v1alpha1.Application, output string) error {
	slices.SortFunc(apps, func(a, b v1alpha1.Application) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	switch output {
	case "json", "yaml":
		if apps == nil {
			apps = []v1alpha1.Application{}
		}
		return printValue(w, apps, output)
	case "name":
		for i := range apps {
			fmt.Fprintln(w, apps[i].Namespace+"/"+apps[i].Name)
		}
		return nil
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	columns := []string{"NAME", "CLUSTER", "NAMESPACE", "PROJECT", "STATUS", "HEALTH", "SYNCPOLICY", "CONDITIONS"}
	if output == "wide" {
		columns = append(columns, "REPO", "PATH", "TARGET")
	}
	fmt.Fprintln(table, strings.Join(append(columns, "REASON"), "\t"))
	for i := range apps {
		app := &apps[i]
		source := app.Spec.GetSource()
		row := []string{
			app.Namespace + "/" + app.Name, cmp.Or(app.Spec.Destination.Server, app.Spec.Destination.Name), app.Spec.Destination.Namespace, app.Spec.GetProject(),
			string(app.Status.Sync.Status), string(app.Status.Health.Status), policyOf(app), conditionsOf(app),
		}
		if output == "wide" {
			row = append(row, source.RepoURL, source.Path, source.TargetRevision)
		}
		fmt.Fprintln(table, strings.Join(append(row, app.Status.Health.Message), "\t"))
	}
	return table.Flush()
}

// policyOf says in a word or two how an Application is synced.
func policyOf(app *v1alpha1.Application) string {
	policy := app.Spec.SyncPolicy
	if !policy.IsAutomated() {
		return "Manual"
	}
	text := "Auto"
	if policy.Automated.Prunes() {
		text += "-Prune"
	}
	return text
}

func conditionsOf(app *v1alpha1.Application) string {
	if len(app.Status.Conditions) == 0 {
		return "<none>"
	}
	counts := make(map[string]int)
	var kinds []string
	for _, c := range app.Status.Conditions {
		kind := string(c.Type)
		if counts[kind] == 0 {
			kinds = append(kinds, kind)
		}
		counts[kind]++
	}
	slices.Sort(kinds)
	for i, kind := range kinds {
		if n := counts[kind]; n > 1 {
			kinds[i] = fmt.Sprintf("%s(%d)", kind, n)
		}
	}
	return strings.Join(kinds, ",")
}
