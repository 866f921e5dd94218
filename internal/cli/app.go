package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"
)

// newApp returns the commands about Applications, with the verbs and flags of
// the argocd program.
func newApp(lookup func(string) (string, bool)) *cobra.Command {
	c := &appConnection{}
	cmd := &cobra.Command{
		Use:   "app",
		Short: "Look at Applications and act on them",
		Long: `App shows Applications and acts on their objects.

list, get, sync, rollback, unpin, approve and terminate-op work with your kubeconfig. With --server all
commands ask the API of Fairlead instead, which logs, events and actions always
do: there you need no right in any cluster, and see what your account may see.`,
	}
	flags := cmd.PersistentFlags()
	flags.StringVar(&c.kubeconfig, "kubeconfig", "", "kubeconfig of the control plane's cluster (default: KUBECONFIG, then ~/.kube/config)")
	flags.StringVarP(&c.namespace, "app-namespace", "N", "", "namespace of the Application (default: that of the control plane, argocd)")
	flags.StringVar(&c.server, "server", environment(lookup, "ARGOCD_SERVER"), "address of the API, as host:port (ARGOCD_SERVER)")
	flags.StringVar(&c.token, "auth-token", "", "token to present to the API (ARGOCD_AUTH_TOKEN)")
	flags.BoolVar(&c.insecure, "insecure", false, "do not check the certificate of the API")
	flags.BoolVar(&c.plaintext, "plaintext", false, "speak plain HTTP to the API")
	flags.StringVar(&c.authority, "server-crt", "", "file of certificates to trust for the API")
	cmd.PersistentPreRunE = func(*cobra.Command, []string) error {
		c.token = cmp.Or(c.token, environment(lookup, "ARGOCD_AUTH_TOKEN")) // not a default, which --help would show
		return nil
	}
	cmd.AddCommand(newAppList(c), newAppGet(c), newAppPlan(c), newAppLogs(c), newAppEvents(c), newAppActions(c),
		newAppSync(c), newAppRollback(c), newAppUnpin(c), newAppApprove(c), newAppTerminate(c))
	return cmd
}

func environment(lookup func(string) (string, bool), name string) string {
	value, _ := lookup(name)
	return value
}

// splitName takes the namespace off the name of an Application, as namespace/name.
func (c *appConnection) splitName(name string) (namespace, bare string) {
	if before, after, ok := strings.Cut(name, "/"); ok {
		return before, after
	}
	return c.namespace, name
}

// checkOutput refuses a format that there is not.
func checkOutput(format string, known ...string) error {
	if slices.Contains(known, format) {
		return nil
	}
	return fmt.Errorf("--output is %q; choose one of %s", format, strings.Join(known, ", "))
}

// printValue writes a value as JSON or YAML.
func printValue(w io.Writer, value any, format string) error {
	if format == "json" {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(value)
	}
	text, err := yaml.Marshal(value)
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}
