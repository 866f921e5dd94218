package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// rollback is what `fairlead app rollback` goes back to, and how.
type rollback struct {
	revision, reason string
	prune            bool
}

func newAppRollback(c *appConnection) *cobra.Command {
	to := &rollback{}
	cmd := &cobra.Command{
		Use:   "rollback APPNAME [ID]",
		Short: "Go back to an earlier state of an Application, and stay there",
		Long: `Rollback brings an Application back to an entry of its history, by default the
one before what runs now. While syncs are automated it pins the Application
there, with a reason for others to read: until a commit changes what was wrong,
or somebody runs fairlead app unpin.`,
		Example: `  fairlead app rollback shop --reason "checkout is broken"

  fairlead app rollback shop 12`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			app, err := c.application(cmd.Context(), args[0], "")
			if err != nil {
				return err
			}
			id := ""
			if len(args) == 2 {
				id = args[1]
			}
			entry, err := to.entry(app, id)
			if err != nil {
				return err
			}
			if app.Spec.SyncPolicy.IsAutomated() || to.revision != "" {
				at := to.revision
				if entry != nil {
					at = strconv.FormatInt(entry.ID, 10)
				}
				if err := c.pin(cmd.Context(), args[0], at, to, entry); err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "pinned to %s; fairlead app unpin %s ends that\n", at, args[0])
				return nil
			}
			if err := c.rollBack(cmd.Context(), args[0], entry, to.prune); err != nil {
				return err
			}
			return c.awaitOperation(cmd.Context(), cmd.OutOrStdout(), args[0])
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&to.revision, "revision", "", "pin to this revision in place of an entry of the history")
	flags.StringVar(&to.reason, "reason", "", "why, for the condition that others see")
	flags.BoolVar(&to.prune, "prune", false, "delete what was not there then; automated syncs do it by their policy")
	return cmd
}

// entry is the entry of the history to go back to; nil when a revision is given.
func (to *rollback) entry(app *v1alpha1.Application, text string) (*v1alpha1.RevisionHistory, error) {
	switch {
	case to.revision != "" && text != "":
		return nil, errors.New("give an id of the history or --revision, not both")
	case to.revision != "":
		return nil, nil
	case text == "":
		if before := app.Status.GoodBefore(); before != nil {
			return before, nil
		}
		return nil, errors.New("the history holds nothing to go back to; give --revision")
	}
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("%q is no id of the history, which are numbers", text)
	}
	if entry := app.Status.History.Find(id); entry != nil {
		return entry, nil
	}
	return nil, fmt.Errorf("the history has no entry %d", id)
}

func (c *appConnection) pin(ctx context.Context, name, at string, to *rollback, entry *v1alpha1.RevisionHistory) error {
	if c.server == "" {
		user := c.user(ctx)
		return c.change(ctx, name, func(*v1alpha1.Application) (map[string]any, error) {
			return annotations(v1alpha1.PinAnnotations(at, user, to.reason)), nil
		})
	}
	body := map[string]any{"revision": to.revision, "reason": to.reason}
	if entry != nil {
		body["id"] = entry.ID
	}
	path, query := c.own(name, "/pin")
	return c.send(ctx, http.MethodPost, path, query, body)
}

func (c *appConnection) rollBack(ctx context.Context, name string, entry *v1alpha1.RevisionHistory, prune bool) error {
	if c.server != "" {
		path, query := c.below(name, "/rollback")
		return c.send(ctx, http.MethodPost, path, query, map[string]any{"id": entry.ID, "prune": prune})
	}
	return c.operate(ctx, name, nil, func(app *v1alpha1.Application) (*v1alpha1.SyncOperation, error) {
		sync := entry.SyncTo(app.Spec.SyncPolicy)
		sync.Prune = prune
		return sync, nil
	})
}

func newAppUnpin(c *appConnection) *cobra.Command {
	return &cobra.Command{
		Use:   "unpin APPNAME",
		Short: "Let a pinned Application go back to its target revision",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if c.server != "" {
				path, query := c.own(args[0], "/pin")
				return c.send(cmd.Context(), http.MethodDelete, path, query, nil)
			}
			return c.change(cmd.Context(), args[0], func(app *v1alpha1.Application) (map[string]any, error) {
				if app.Annotations[v1alpha1.AnnotationPin] == "" {
					return nil, errors.New("the Application is not pinned")
				}
				return annotations(v1alpha1.NoPinAnnotations()), nil
			})
		},
	}
}
