package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

func newAppSync(c *appConnection) *cobra.Command {
	op := &v1alpha1.SyncOperation{}
	var async bool
	var digest string
	cmd := &cobra.Command{
		Use:   "sync APPNAME",
		Short: "Sync an Application, and wait until that is done",
		Long: `Sync asks for a sync of an Application, tells what it waits for, and ends when
it has ended: with status 0 when it succeeded. It is held by sync windows that
do not except what people ask for, but not by limits, stages or dependencies.`,
		Example: `  fairlead app sync shop

  fairlead app sync shop --prune --dry-run`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.sync(cmd.Context(), args[0], op, digest); err != nil || async {
				return err
			}
			return c.awaitOperation(cmd.Context(), cmd.OutOrStdout(), args[0])
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&op.Revision, "revision", "", "sync to this revision in place of the target revision")
	flags.BoolVar(&op.Prune, "prune", false, "delete what left the source")
	flags.BoolVar(&op.DryRun, "dry-run", false, "check everything and change nothing")
	flags.StringVar(&digest, "plan", "", "digest of the plan (fairlead app plan) to carry out; refuse when it is another by now")
	flags.BoolVar(&async, "async", false, "do not wait")
	return cmd
}

func (c *appConnection) sync(ctx context.Context, name string, op *v1alpha1.SyncOperation, digest string) error {
	var infos []*v1alpha1.Info
	if digest != "" {
		infos = []*v1alpha1.Info{{Name: v1alpha1.OperationInfoPlan, Value: digest}}
	}
	if c.server != "" {
		path, query := c.below(name, "/sync")
		return c.send(ctx, http.MethodPost, path, query, map[string]any{"revision": op.Revision, "prune": op.Prune, "dryRun": op.DryRun, "infos": infos})
	}
	return c.operate(ctx, name, infos, func(app *v1alpha1.Application) (*v1alpha1.SyncOperation, error) {
		if op.Revision != "" && op.Revision != app.Spec.GetSource().TargetRevision && app.Spec.SyncPolicy.IsAutomated() && !op.DryRun {
			return nil, fmt.Errorf("syncs are automated, and would undo one to %s; pin it with fairlead app rollback --revision", op.Revision)
		}
		sync := *op
		if policy := app.Spec.SyncPolicy; policy != nil {
			sync.SyncOptions = policy.SyncOptions
		}
		return &sync, nil
	})
}

// operate sets the operation of an Application with a kubeconfig.
func (c *appConnection) operate(ctx context.Context, name string, infos []*v1alpha1.Info, choose func(*v1alpha1.Application) (*v1alpha1.SyncOperation, error)) error {
	user := c.user(ctx)
	return c.change(ctx, name, func(app *v1alpha1.Application) (map[string]any, error) {
		if state := app.Status.OperationState; app.Operation != nil || state != nil && !state.Phase.Completed() {
			return nil, errors.New("another operation is already in progress; wait until it is done, or end it with fairlead app terminate-op")
		}
		sync, err := choose(app)
		if err != nil {
			return nil, err
		}
		operation := v1alpha1.Operation{Sync: sync, Info: infos, InitiatedBy: v1alpha1.OperationInitiator{Username: user}}
		if policy := app.Spec.SyncPolicy; policy != nil && policy.Retry != nil {
			operation.Retry = *policy.Retry
		}
		// The state of the last operation goes with the request for the next, so that nobody takes one for the other.
		return map[string]any{"operation": operation, "status": map[string]any{"operationState": nil}}, nil
	})
}

// operationPoll is how often to look how far an operation has come.
const operationPoll = 500 * time.Millisecond

// awaitOperation tells what the operation does until it has ended.
func (c *appConnection) awaitOperation(ctx context.Context, w io.Writer, name string) error {
	ticker := time.NewTicker(operationPoll)
	defer ticker.Stop()
	told := ""
	for {
		app, err := c.application(ctx, name, "")
		if err != nil {
			return err
		}
		if state := app.Status.OperationState; state != nil {
			if state.Phase.Completed() && app.Operation == nil {
				fmt.Fprintf(w, "%s: %s\n", state.Phase, state.Message)
				if state.Phase != v1alpha1.OperationSucceeded {
					return exitStatus(1)
				}
				return nil
			}
			if state.Message != told {
				told = state.Message
				fmt.Fprintf(w, "%s: %s\n", state.Phase, told)
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

func ignoreAnswer(io.Reader) error { return nil }
