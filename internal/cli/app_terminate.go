package cli

import (
	"errors"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

func newAppTerminate(c *appConnection) *cobra.Command {
	return &cobra.Command{
		Use:   "terminate-op APPNAME",
		Short: "End the operation of an Application that is under way",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if c.server != "" {
				path, query := c.below(args[0], "/operation")
				return c.send(cmd.Context(), http.MethodDelete, path, query, nil)
			}
			return c.change(cmd.Context(), args[0], func(app *v1alpha1.Application) (map[string]any, error) {
				if state := app.Status.OperationState; app.Operation == nil || state == nil || state.Phase.Completed() {
					return nil, errors.New("no operation is under way")
				}
				return map[string]any{"status": map[string]any{"operationState": map[string]any{"phase": v1alpha1.OperationTerminating}}}, nil
			})
		},
	}
}
