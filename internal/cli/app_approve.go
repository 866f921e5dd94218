package cli

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/tenancy"
)

func newAppApprove(c *appConnection) *cobra.Command {
	var digest string
	cmd := &cobra.Command{
		Use:   "approve APPNAME",
		Short: "Approve the changes that an automated sync waits with",
		Long: `Approve lets an automated sync go ahead that would do more than the limits of
the Application or its project allow. It says what it approves. The approval is
for exactly these changes, once.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			app, err := c.application(cmd.Context(), args[0], "")
			if err != nil {
				return err
			}
			awaited, message := tenancy.AwaitedApproval(app)
			if awaited == "" {
				return errors.New("no changes wait for approval")
			}
			if digest != "" && digest != awaited {
				return fmt.Errorf("the changes are other ones by now: %s", message)
			}
			if c.server != "" {
				path, query := c.own(args[0], "/approve")
				err = c.send(cmd.Context(), http.MethodPost, path, query, map[string]any{"digest": awaited})
			} else {
				user := c.user(cmd.Context())
				err = c.change(cmd.Context(), args[0], func(app *v1alpha1.Application) (map[string]any, error) {
					if now, message := tenancy.AwaitedApproval(app); now != awaited {
						return nil, fmt.Errorf("the changes are other ones by now: %s", message)
					}
					return annotations(map[string]any{v1alpha1.AnnotationApprove: awaited, v1alpha1.AnnotationApproveBy: user}), nil
				})
			}
			if err == nil {
				fmt.Fprintln(cmd.OutOrStdout(), "approved:", message)
			}
			return err
		},
	}
	cmd.Flags().StringVar(&digest, "digest", "", "approve only the changes with this digest")
	return cmd
}
