package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// objectFlags choose objects of an Application.
type objectFlags struct {
	group, kind, namespace, name string
}

func (o *objectFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&o.group, "group", "", "API group of the object")
	flags.StringVar(&o.kind, "kind", "", "kind of the object")
	flags.StringVar(&o.namespace, "namespace", "", "namespace of the object")
	flags.StringVar(&o.name, "resource-name", "", "name of the object")
}

func (o *objectFlags) given() bool { return *o != objectFlags{} }

// objects returns those of an Application's objects that exist and fit.
func (c *appConnection) objects(ctx context.Context, name string, which *objectFlags) (out []v1alpha1.ResourceNode, err error) {
	tree, err := c.treeFor(ctx, name)
	if err != nil {
		return nil, err
	}
	fits := func(flag, value string) bool { return flag == "" || flag == value }
	for _, n := range tree.Nodes {
		if n.UID != "" && fits(which.group, n.Group) && fits(which.kind, n.Kind) && fits(which.namespace, n.Namespace) && fits(which.name, n.Name) {
			out = append(out, n)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no object of the Application %s fits --group, --kind, --namespace and --resource-name", name)
	}
	return out, nil
}

// newAppActions returns `fairlead app actions`.
func newAppActions(c *appConnection) *cobra.Command {
	cmd := &cobra.Command{Use: "actions", Short: "List and run the actions that objects of an Application offer"}
	cmd.AddCommand(newAppActionsList(c), newAppActionsRun(c))
	return cmd
}

// objectActions is what one object offers.
type objectActions struct {
	Group     string                    `json:"group,omitempty"`
	Kind      string                    `json:"kind"`
	Namespace string                    `json:"namespace,omitempty"`
	Name      string                    `json:"name"`
	Actions   []v1alpha1.ResourceAction `json:"actions"`
}

func newAppActionsList(c *appConnection) *cobra.Command {
	which := &objectFlags{}
	var output string
	cmd := &cobra.Command{
		Use:     "list APPNAME",
		Short:   "List the actions that objects of an Application offer",
		Example: `  fairlead app actions list shop --kind Deployment`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkOutput(output, "text", "json", "yaml"); err != nil {
				return err
			}
			nodes, err := c.objects(cmd.Context(), args[0], which)
			if err != nil {
				return err
			}
			list := []objectActions{}
			for _, n := range nodes {
				path, query := c.below(args[0], "/resource/actions")
				for key, value := range map[string]string{"group": n.Group, "kind": n.Kind, "version": n.Version, "namespace": n.Namespace, "resourceName": n.Name} {
					query.Set(key, value)
				}
				found := objectActions{Group: n.Group, Kind: n.Kind, Namespace: n.Namespace, Name: n.Name}
				if err := c.get(cmd.Context(), path, query, &found); err != nil {
					return fmt.Errorf("%s %s: %w", n.Kind, n.Name, err)
				}
				if len(found.Actions) > 0 {
					list = append(list, found)
				}
			}
			if output != "text" {
				return printValue(cmd.OutOrStdout(), list, output)
			}
			return printActions(cmd.OutOrStdout(), list)
		},
	}
	which.add(cmd.Flags())
	cmd.Flags().StringVarP(&output, "output", "o", "text", "text, json or yaml")
	return cmd
}

func printActions(w io.Writer, list []objectActions) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "GROUP\tKIND\tNAME\tACTION\tPARAMETERS\tDISABLED")
	for _, o := range list {
		for _, a := range o.Actions {
			var params []string
			for _, p := range a.Params {
				params = append(params, p.Name)
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%t\n", o.Group, o.Kind, o.Name, a.Name, strings.Join(params, ","), a.Disabled)
		}
	}
	return table.Flush()
}

func newAppActionsRun(c *appConnection) *cobra.Command {
	which := &objectFlags{}
	var all bool
	var params map[string]string
	cmd := &cobra.Command{
		Use:   "run APPNAME ACTION",
		Short: "Run an action on an object of an Application",
		Example: `  fairlead app actions run shop restart --kind Deployment --resource-name web

  fairlead app actions run shop scale --kind Deployment --resource-name web --param replicas=3`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if which.kind == "" {
				return errors.New("say what the action is run on with --kind")
			}
			nodes, err := c.objects(cmd.Context(), args[0], which)
			if err != nil {
				return err
			}
			if len(nodes) > 1 && !all {
				return fmt.Errorf("%d objects fit; name one with --resource-name and --namespace, or run the action on all of them with --all", len(nodes))
			}
			for _, n := range nodes {
				if err := c.run(cmd.Context(), args[0], args[1], &n, params); err != nil {
					return fmt.Errorf("%s %s: %w", n.Kind, n.Name, err)
				}
			}
			return nil
		},
	}
	which.add(cmd.Flags())
	cmd.Flags().BoolVar(&all, "all", false, "run it on all objects that fit")
	cmd.Flags().StringToStringVar(&params, "param", nil, "a parameter of the action, as name=value; several may be given")
	return cmd
}

func (c *appConnection) run(ctx context.Context, name, action string, n *v1alpha1.ResourceNode, params map[string]string) error {
	type parameter struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	path, query := c.below(name, "/resource/actions/v2")
	body := map[string]any{
		"appNamespace": query.Get("appNamespace"), "group": n.Group, "version": n.Version, "kind": n.Kind, "namespace": n.Namespace,
		"resourceName": n.Name, "action": action,
	}
	var list []parameter
	for key, value := range params {
		list = append(list, parameter{key, value})
	}
	body["resourceActionParameters"] = list
	return c.post(ctx, path, body)
}
