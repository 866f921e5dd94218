package cli

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"
)

// newAppLogs returns `fairlead app logs`.
func newAppLogs(c *appConnection) *cobra.Command {
	var group, kind, namespace, name, container, until, filter string
	var since, tail int64
	var follow, previous, matchCase, prefix bool
	cmd := &cobra.Command{
		Use:   "logs APPNAME",
		Short: "Print the logs of an Application's pods, in one order of time",
		Example: `  # everything that its pods say from now on
  fairlead app logs shop --follow --tail 10

  # the errors of one Deployment in the last hour
  fairlead app logs shop --group apps --kind Deployment --name web --since-seconds 3600 --filter error`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, query := c.below(args[0], "/logs")
			for key, value := range map[string]string{
				"group": group, "kind": kind, "namespace": namespace, "resourceName": name, "container": container, "untilTime": until, "filter": filter,
			} {
				setQuery(query, key, value, value != "")
			}
			setQuery(query, "sinceSeconds", strconv.FormatInt(since, 10), since > 0)
			setQuery(query, "tailLines", strconv.FormatInt(tail, 10), tail > 0)
			setQuery(query, "follow", "true", follow)
			setQuery(query, "previous", "true", previous)
			setQuery(query, "matchCase", "true", matchCase)
			out := cmd.OutOrStdout()
			return c.stream(cmd.Context(), path, query, func(data json.RawMessage) error {
				var line struct {
					Content, PodName string
					Last             bool
				}
				err := json.Unmarshal(data, &line)
				switch {
				case err != nil:
				case line.Last:
				case prefix:
					_, err = fmt.Fprintf(out, "[%s] %s\n", line.PodName, line.Content)
				default:
					_, err = fmt.Fprintln(out, line.Content)
				}
				return err
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&group, "group", "", "only pods of objects of this API group")
	flags.StringVar(&kind, "kind", "", "only pods of objects of this kind")
	flags.StringVar(&namespace, "namespace", "", "only pods of objects in this namespace")
	flags.StringVar(&name, "name", "", "only pods of objects of this name")
	flags.StringVarP(&container, "container", "c", "", "the container (default: the only or the default one)")
	flags.BoolVarP(&follow, "follow", "f", false, "wait for further lines")
	flags.BoolVarP(&previous, "previous", "p", false, "of the instance of the container before the present one")
	flags.Int64Var(&tail, "tail", 0, "how many of the last lines of each pod; 0 for all")
	flags.Int64VarP(&since, "since-seconds", "s", 0, "only lines of the last seconds; 0 for all")
	flags.StringVarP(&until, "until-time", "u", "", "only lines up to this time, such as 2026-03-01T10:00:00Z")
	flags.StringVar(&filter, "filter", "", "only lines that hold this text; a text after ! must not be in it")
	flags.BoolVarP(&matchCase, "match-case", "m", false, "tell capitals from small letters in --filter")
	flags.BoolVar(&prefix, "prefix", false, "write the pod before each line")
	return cmd
}

func setQuery(query url.Values, key, value string, given bool) {
	if given {
		query.Set(key, value)
	}
}
