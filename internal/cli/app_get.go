package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// newAppGet returns `fairlead app get`.
func newAppGet(c *appConnection) *cobra.Command {
	var output string
	var refresh, hard bool
	cmd := &cobra.Command{
		Use:   "get APPNAME",
		Short: "Show an Application: its state and why, its conditions, its objects, its drift",
		Long: `Get shows what the status of an Application says. With --server it also shows
the health of each object, with a sentence where it is not well.`,
		Example: `  fairlead app get shop

  # after a new comparison, with what came of each object
  fairlead app get shop --refresh -o tree --server fairlead.example.com`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkOutput(output, "text", "wide", "tree", "json", "yaml"); err != nil {
				return err
			}
			kind := ""
			if refresh {
				kind = "normal"
			}
			if hard {
				kind = "hard"
			}
			app, err := c.application(cmd.Context(), args[0], kind)
			if err != nil {
				return err
			}
			if output == "json" || output == "yaml" {
				return printValue(cmd.OutOrStdout(), app, output)
			}
			tree, err := c.treeFor(cmd.Context(), args[0])
			if err != nil && output == "tree" {
				return fmt.Errorf("drawing the tree: %w", err)
			}
			return printApp(cmd.OutOrStdout(), app, tree, output, time.Now())
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&output, "output", "o", "text", "text, wide, tree, json or yaml")
	flags.BoolVar(&refresh, "refresh", false, "compare the Application before")
	flags.BoolVar(&hard, "hard-refresh", false, "render the Application anew before")
	return cmd
}

// treeFor reads the tree from the API; an empty one where there is none to ask.
func (c *appConnection) treeFor(ctx context.Context, name string) (*v1alpha1.ApplicationTree, error) {
	tree := &v1alpha1.ApplicationTree{}
	if c.server == "" {
		return tree, errNoServer
	}
	path, query := c.below(name, "/resource-tree")
	return tree, c.get(ctx, path, query, tree)
}

func printApp(w io.Writer, app *v1alpha1.Application, tree *v1alpha1.ApplicationTree, output string, now time.Time) error {
	head := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(name, value string) { fmt.Fprintf(head, "%s:\t%s\n", name, value) }
	line("Name", app.Namespace+"/"+app.Name)
	line("Project", app.Spec.GetProject())
	line("Server", cmp.Or(app.Spec.Destination.Server, app.Spec.Destination.Name))
	line("Namespace", app.Spec.Destination.Namespace)
	for _, source := range app.Spec.GetSources() {
		line("Source", strings.Join(strings.Fields(fmt.Sprintf("%s %s %s", source.RepoURL, cmp.Or(source.Path, source.Chart), source.TargetRevision)), "  "))
	}
	line("Sync Policy", policyOf(app))
	sync := &app.Status.Sync
	line("Sync Status", strings.TrimSpace(fmt.Sprintf("%s %s", sync.Status, cmp.Or(sync.Revision, strings.Join(sync.Revisions, ", ")))))
	line("Health Status", withReason(string(app.Status.Health.Status), app.Status.Health.Message))
	if op := app.Status.OperationState; op != nil {
		line("Operation", withReason(string(op.Phase), op.Message))
	}
	err := head.Flush()
	if len(app.Status.Conditions) > 0 {
		fmt.Fprintln(w)
		err = errors.Join(err, printConditions(w, app))
	}
	fmt.Fprintln(w)
	if output == "tree" {
		err = errors.Join(err, printTree(w, tree))
	} else {
		err = errors.Join(err, printResources(w, app, tree))
	}
	if drift := driftOf(app); len(drift) > 0 {
		fmt.Fprintln(w, "\nDrift:")
		format := "text"
		if output == "wide" {
			format = "wide"
		}
		err = errors.Join(err, printDrift(w, drift, format, now))
	}
	return err
}

func withReason(word, reason string) string {
	if reason == "" {
		return word
	}
	return word + " (" + reason + ")"
}

func printConditions(w io.Writer, app *v1alpha1.Application) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "CONDITION\tMESSAGE\tLAST TRANSITION")
	for _, c := range app.Status.Conditions {
		since := ""
		if c.LastTransitionTime != nil {
			since = c.LastTransitionTime.Local().Format(time.DateTime)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", c.Type, strings.Join(strings.Fields(c.Message), " "), since)
	}
	return table.Flush()
}

// printResources lists the objects with their health, and the sentence about it
// or what the last sync did.
func printResources(w io.Writer, app *v1alpha1.Application, tree *v1alpha1.ApplicationTree) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "GROUP\tKIND\tNAMESPACE\tNAME\tSTATUS\tHEALTH\tHOOK\tMESSAGE")
	listed := make(map[driftedName]bool)
	for _, r := range app.Status.Resources {
		name := driftedName{r.Group, r.Kind, r.Namespace, r.Name}
		listed[name] = true
		health, message := healthOf(&r, tree)
		if message == "" {
			message = lastResult(app, name)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t\t%s\n", r.Group, r.Kind, r.Namespace, r.Name, r.Status, health, message)
	}
	if op := app.Status.OperationState; op != nil && op.SyncResult != nil {
		for _, r := range op.SyncResult.Resources {
			if r.HookType == "" || listed[driftedName{r.Group, r.Kind, r.Namespace, r.Name}] {
				continue
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t\t%s\t%s\n", r.Group, r.Kind, r.Namespace, r.Name, r.HookPhase, r.HookType, r.Message)
		}
	}
	return table.Flush()
}

// healthOf finds the health of an object in the status or, where that has none, in the tree.
func healthOf(r *v1alpha1.ResourceStatus, tree *v1alpha1.ApplicationTree) (word, message string) {
	health := r.Health
	if node := tree.FindNode(r.Group, r.Kind, r.Namespace, r.Name); health == nil && node != nil {
		health = node.Health
	}
	if health == nil {
		return "", ""
	}
	return string(health.Status), health.Message
}

func lastResult(app *v1alpha1.Application, name driftedName) string {
	op := app.Status.OperationState
	if op == nil || op.SyncResult == nil {
		return ""
	}
	for _, r := range op.SyncResult.Resources {
		if (driftedName{r.Group, r.Kind, r.Namespace, r.Name}) == name {
			return r.Message
		}
	}
	return ""
}

// printTree draws what came of each object below it.
func printTree(w io.Writer, tree *v1alpha1.ApplicationTree) error {
	children := make(map[string][]*v1alpha1.ResourceNode)
	var roots []*v1alpha1.ResourceNode
	for i := range tree.Nodes {
		n := &tree.Nodes[i]
		below := false
		for _, parent := range n.ParentRefs {
			if tree.FindNode(parent.Group, parent.Kind, parent.Namespace, parent.Name) != nil {
				children[parent.UID], below = append(children[parent.UID], n), true
				break
			}
		}
		if !below {
			roots = append(roots, n)
		}
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "KIND/NAME\tHEALTH\tMESSAGE")
	var draw func(n *v1alpha1.ResourceNode, lead, rest string)
	draw = func(n *v1alpha1.ResourceNode, lead, rest string) {
		health, message := "", ""
		if n.Health != nil {
			health, message = string(n.Health.Status), n.Health.Message
		}
		fmt.Fprintf(table, "%s%s/%s\t%s\t%s\n", lead, n.Kind, n.Name, health, message)
		if n.UID == "" {
			return // what does not exist has made nothing
		}
		below := children[n.UID]
		delete(children, n.UID) // each once, whatever owners say of each other
		for i, child := range below {
			if i < len(below)-1 {
				draw(child, rest+"├─", rest+"│ ")
			} else {
				draw(child, rest+"└─", rest+"  ")
			}
		}
	}
	for _, n := range roots {
		draw(n, "", "")
	}
	return table.Flush()
}
