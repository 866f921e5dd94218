package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/fairlead-cd/fairlead/api/client"
	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// driftConfiguration are the flags of `fairlead drift`.
type driftConfiguration struct {
	kubeconfig string
	namespace  string
	all        bool
	project    string
	cluster    string
	exitCode   bool
	output     string
}

func newDrift() *cobra.Command {
	c := &driftConfiguration{}
	cmd := &cobra.Command{
		Use:   "drift [APPLICATION...]",
		Short: "List what differs from Git although Git did not change, and who did it",
		Long: `Drift lists the objects that left their desired state without a commit, over all
clusters, as the controller has noted them in the status of the Applications:
fields that somebody changed, objects that somebody deleted or added, and fields
that do not stay as they were applied. It names the field manager that wrote the
live value, and since when.

It reads the Applications with your kubeconfig, and shows no values. The exit
status is 0, with --exit-code 2 when there is any drift, and 1 after an error.`,
		Example: `  # everything, newest first
  fairlead drift

  # one application, field by field, with the rule that would ignore each
  fairlead drift api -o wide

  # for a script
  fairlead drift --all-namespaces --exit-code -o json`,
		RunE: func(cmd *cobra.Command, args []string) error { return c.run(cmd, args) },
	}
	flags := cmd.Flags()
	flags.StringVar(&c.kubeconfig, "kubeconfig", "", "kubeconfig of the control plane's cluster (default: KUBECONFIG, then ~/.kube/config)")
	flags.StringVarP(&c.namespace, "namespace", "n", "argocd", "namespace of the Applications")
	flags.BoolVarP(&c.all, "all-namespaces", "A", false, "look at the Applications of all namespaces")
	flags.StringVar(&c.project, "project", "", "only Applications of this project")
	flags.StringVar(&c.cluster, "cluster", "", "only Applications with this destination, by server or name")
	flags.BoolVar(&c.exitCode, "exit-code", false, "exit with status 2 when there is drift")
	flags.StringVarP(&c.output, "output", "o", "text", "text, wide or json")
	return cmd
}

// driftedObject is one line of the list.
type driftedObject struct {
	Cluster     string                  `json:"cluster"`
	Namespace   string                  `json:"applicationNamespace"`
	Application string                  `json:"application"`
	Project     string                  `json:"project"`
	Object      driftedName             `json:"object"`
	Drift       *v1alpha1.ResourceDrift `json:"drift"`
}

type driftedName struct {
	Group     string `json:"group,omitempty"`
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
}

func (n driftedName) String() string {
	if n.Namespace == "" {
		return n.Kind + " " + n.Name
	}
	return n.Kind + " " + n.Namespace + "/" + n.Name
}

func (c *driftConfiguration) run(cmd *cobra.Command, names []string) error {
	if !slices.Contains([]string{"text", "wide", "json"}, c.output) {
		return fmt.Errorf("--output is %q; choose text, wide or json", c.output)
	}
	list, err := c.list(cmd.Context(), names)
	if err != nil {
		return err
	}
	if err := printDrift(cmd.OutOrStdout(), list, c.output, time.Now()); err != nil {
		return err
	}
	if c.exitCode && len(list) > 0 {
		return exitStatus(2)
	}
	return nil
}

// list reads the Applications and returns what has drifted, newest first.
func (c *driftConfiguration) list(ctx context.Context, names []string) ([]driftedObject, error) {
	config, err := loadRESTConfig(c.kubeconfig)
	if err != nil {
		return nil, err
	}
	typed, err := client.New(config)
	if err != nil {
		return nil, err
	}
	namespace := c.namespace
	if c.all {
		namespace = metav1.NamespaceAll
	}
	apps, err := typed.Applications(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("listing the Applications: %w", err)
	}
	for _, name := range names {
		if !slices.ContainsFunc(apps.Items, func(app v1alpha1.Application) bool { return app.Name == name }) {
			return nil, fmt.Errorf("there is no Application %q in %s", name, cmp.Or(namespace, "any namespace"))
		}
	}
	var list []driftedObject
	for i := range apps.Items {
		app := &apps.Items[i]
		if c.chooses(app, names) {
			list = append(list, driftOf(app)...)
		}
	}
	slices.SortStableFunc(list, func(a, b driftedObject) int { return b.Drift.Since.Compare(a.Drift.Since.Time) })
	return list, nil
}

func (c *driftConfiguration) chooses(app *v1alpha1.Application, names []string) bool {
	return (len(names) == 0 || slices.Contains(names, app.Name)) &&
		(c.project == "" || c.project == app.Spec.GetProject()) &&
		(c.cluster == "" || c.cluster == app.Spec.Destination.Server || c.cluster == app.Spec.Destination.Name)
}

func driftOf(app *v1alpha1.Application) []driftedObject {
	var list []driftedObject
	for _, r := range app.Status.Resources {
		if r.Drift == nil {
			continue
		}
		list = append(list, driftedObject{
			Cluster:   cmp.Or(app.Spec.Destination.Name, app.Spec.Destination.Server),
			Namespace: app.Namespace, Application: app.Name, Project: app.Spec.GetProject(),
			Object: driftedName{r.Group, r.Kind, r.Namespace, r.Name}, Drift: r.Drift,
		})
	}
	return list
}

func printDrift(w io.Writer, list []driftedObject, output string, now time.Time) error {
	if output == "json" {
		if list == nil {
			list = []driftedObject{}
		}
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(list)
	}
	if len(list) == 0 {
		_, err := fmt.Fprintln(w, "nothing has drifted")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	if output == "wide" {
		fmt.Fprintln(table, "CLUSTER\tAPPLICATION\tOBJECT\tFIELD\tBY\tAT\tSINCE\tIGNORE WITH")
	} else {
		fmt.Fprintln(table, "CLUSTER\tAPPLICATION\tOBJECT\tWHAT\tBY\tSINCE")
	}
	for _, d := range list {
		since := duration.HumanDuration(now.Sub(d.Drift.Since.Time))
		if output == "wide" && len(d.Drift.Fields) > 0 {
			for _, f := range d.Drift.Fields {
				at := ""
				if f.Time != nil {
					at = f.Time.Local().Format(time.DateTime)
				}
				fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", d.Cluster, d.Application, d.Object, f.Path, writerOf(f), at, since, f.Ignore)
			}
			continue
		}
		row := []string{d.Cluster, d.Application, d.Object.String(), whatOf(d.Drift), writersOf(d.Drift)}
		if output == "wide" {
			row = append(row, "")
		}
		fmt.Fprintln(table, strings.Join(append(row, since), "\t"))
	}
	return table.Flush()
}

// whatOf says in a few words what happened to an object.
func whatOf(d *v1alpha1.ResourceDrift) string {
	if len(d.Fields) == 0 {
		return strings.ToLower(string(d.Cause))
	}
	text := d.Fields[0].Path
	if more := int64(len(d.Fields)) - 1 + d.More; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	if d.Cause == v1alpha1.DriftNotKept {
		text += " (not kept)"
	}
	return text
}

func writersOf(d *v1alpha1.ResourceDrift) string {
	var writers []string
	for _, f := range d.Fields {
		if w := writerOf(f); !slices.Contains(writers, w) {
			writers = append(writers, w)
		}
	}
	return strings.Join(writers, ", ")
}

func writerOf(f v1alpha1.DriftedField) string { return cmp.Or(f.Manager, "unknown") }
