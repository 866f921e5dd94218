package cli

import (
	"errors"
	"fmt"
	"io"
	"path"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/overlay"
)

// renderConfiguration are the flags of `fairlead render`.
type renderConfiguration struct {
	offlineConfig
	files              []string
	local, revision    string
	cluster, namespace string
	output             string
}

func newRender(lookup func(string) (string, bool)) *cobra.Command {
	c := &renderConfiguration{}
	cmd := &cobra.Command{
		Use:   "render (-f FILE... | --cluster NAME --namespace NAME)",
		Short: "Print what Applications render to, without a cluster",
		Long: `Render prints the objects that a controller would want in the cluster: of the
Applications in files, or of one namespace of one cluster in the overlay layout.

Sources in the repository of the current folder are read from the working copy,
with what is not committed yet, or at --revision. Other repositories and charts
are fetched from their URLs, with the credentials of --repository-credentials.
Files encrypted with SOPS are decrypted with the age keys in SOPS_AGE_KEY and
SOPS_AGE_KEY_FILE, or those of Secrets in --repository-credentials. Secrets are
printed in the clear.`,
		Example: `  # an Application, from the working copy
  fairlead render -f apps/web.yaml

  # the same as it was two commits ago, names only
  fairlead render -f apps/web.yaml --revision HEAD~2 -o name

  # a namespace of the overlay layout
  fairlead render --cluster dev-cluster --namespace namespace-a`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.run(cmd, lookup) },
	}
	flags := cmd.Flags()
	flags.StringSliceVarP(&c.files, "filename", "f", nil, "files and folders with Applications")
	flags.StringVar(&c.local, "local", ".", "folder of the repository at hand")
	flags.StringVar(&c.revision, "revision", "", "branch, tag or commit of the repository at hand to render instead of the working copy")
	flags.StringVar(&c.cluster, "cluster", "", "cluster of the overlay layout")
	flags.StringVar(&c.namespace, "namespace", "", "namespace of the overlay layout")
	flags.StringVarP(&c.output, "output", "o", "yaml", "yaml, json or name")
	c.addFlags(flags)
	return cmd
}

func (c *renderConfiguration) run(cmd *cobra.Command, lookup func(string) (string, bool)) (err error) {
	var apps []*v1alpha1.Application
	switch {
	case (c.cluster == "") != (c.namespace == ""):
		return errors.New("--cluster and --namespace belong together; give both")
	case (len(c.files) > 0) == (c.cluster != ""):
		return errors.New("say what to render: give files with -f, or --cluster and --namespace")
	case c.cluster != "":
		apps = []*v1alpha1.Application{overlayApplication(overlay.Overlay{Cluster: c.cluster, Namespace: c.namespace, Base: "."})}
	default:
		if apps, err = readApplications(c.files); err != nil {
			return fmt.Errorf("reading Applications: %w", err)
		}
		if len(apps) == 0 {
			return errors.New("the files have no Application in them")
		}
	}
	switch c.output {
	case "yaml", "json", "name":
	default:
		return fmt.Errorf("-o is %q; choose yaml, json or name", c.output)
	}
	ctx := cmd.Context()
	o, err := c.openOffline(ctx, c.local, lookup, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer o.Close()
	var at *files
	if c.revision != "" {
		at, err = o.at(ctx, c.revision)
	} else {
		var end func() error
		if at, end, err = o.workingCopy(ctx); err == nil {
			defer func() { _ = end() }()
		}
	}
	if err != nil {
		return err
	}
	service := o.service(at)
	var failures []error
	for _, app := range apps {
		req, err := o.request(app)
		if err != nil {
			failures = append(failures, fmt.Errorf("application %s: %w", app.Name, err))
			continue
		}
		response, err := service.Render(ctx, req)
		if err != nil {
			failures = append(failures, fmt.Errorf("application %s: %w", app.Name, err))
			continue
		}
		for _, warning := range response.Result.Warnings {
			fmt.Fprintf(cmd.ErrOrStderr(), "warning: application %s: %s\n", app.Name, warning.Message)
		}
		if err := printResult(cmd.OutOrStdout(), response.Result, c.output); err != nil {
			return err
		}
	}
	return errors.Join(failures...)
}

// overlayApplication is an Application as one would write it for an overlay.
func overlayApplication(o overlay.Overlay) *v1alpha1.Application {
	src := overlay.DefaultLayout().Source(o)
	return &v1alpha1.Application{
		ObjectMeta: metav1.ObjectMeta{Name: path.Join(o.Cluster, o.Namespace)},
		Spec: v1alpha1.ApplicationSpec{
			Project: "default", Source: &src,
			Destination: v1alpha1.ApplicationDestination{Namespace: o.Namespace},
		},
	}
}

// printResult writes the objects of a result.
func printResult(out io.Writer, result *render.Result, format string) error {
	for _, object := range result.Objects {
		var err error
		switch format {
		case "name":
			_, err = fmt.Fprintln(out, nameOf(object))
		case "json":
			var encoded []byte
			if encoded, err = object.MarshalJSON(); err == nil {
				_, err = out.Write(encoded)
			}
		default:
			var encoded []byte
			if encoded, err = yaml.Marshal(object.Object); err == nil {
				_, err = fmt.Fprintf(out, "---\n%s", encoded)
			}
		}
		if err != nil {
			return fmt.Errorf("printing %s: %w", nameOf(object), err)
		}
	}
	return nil
}

// nameOf is how an object is called in output.
func nameOf(o render.Object) string {
	kind := o.GetKind()
	if group := o.GroupVersionKind().Group; group != "" {
		kind += "." + group
	}
	name := o.GetName()
	if name == "" {
		name = o.GetGenerateName() + "*"
	}
	if namespace := o.GetNamespace(); namespace != "" {
		name = namespace + "/" + name
	}
	return kind + " " + name
}
