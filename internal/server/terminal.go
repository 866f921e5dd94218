package server

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/auth"
	"github.com/fairlead-cd/fairlead/internal/cluster/inspect"
)

// terminal joins a WebSocket with a shell in a container, until one of the two ends or the caller's session or right does.
func (s *Server) terminal(w http.ResponseWriter, r *http.Request, who caller) error {
	current := s.options.Settings().Inspection
	if !current.ExecEnabled {
		return failure(codeNotFound, "terminals are not enabled; set exec.enabled in argocd-cm")
	}
	v := r.URL.Query()
	request := inspect.ExecRequest{Namespace: v.Get("namespace"), Pod: v.Get("pod"), Container: v.Get("container"), TTY: true}
	name, project := v.Get("appName"), v.Get("projectName")
	if request.Namespace == "" || request.Pod == "" || request.Container == "" || name == "" || project == "" {
		return failure(codeInvalidArgument, "Missing required parameters: name pod, container, namespace, appName and projectName")
	}
	app, live, err := s.findLive(r.Context(), name, url.Values{"appNamespace": v["appNamespace"], "project": {project}}, who, "get")
	if err != nil {
		return err
	}
	may := auth.Action{Resource: "exec", Verb: "create", Object: s.objectName(app)}
	if err := s.options.Policy.Decide(who.Identity, may); err != nil {
		return err
	}
	if err := live.CanExec(r.Context(), app, request.Namespace, request.Pod, request.Container); err != nil {
		return liveError(err)
	}
	leave, err := s.enterStream()
	if err != nil {
		return err
	}
	defer leave()
	upgrader := websocket.Upgrader{HandshakeTimeout: headerTimeout, CheckOrigin: s.ownOrigin}
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return nil // the upgrader has answered
	}
	t := newTerminal(r.Context(), conn)
	defer t.close()
	go t.watch(s.options.StreamCheck, func() error { return s.stillMay(who, may) })
	logger := s.options.Logger.With("application", app.Name, "namespace", request.Namespace, "pod", request.Pod, "container", request.Container, "by", who.Username)
	logger.Info("a terminal was opened")
	err = s.shell(t, live, app, request, shellsFor(current.Shells, v.Get("shell")))
	logger.Info("a terminal was closed", "error", err)
	return nil
}

// shellsFor are the shells to try: the one that is asked for, if it is allowed, and else all that are.
func shellsFor(allowed []string, wanted string) []string {
	if slices.Contains(allowed, wanted) {
		return []string{wanted}
	}
	return allowed
}

// Exit statuses by which a container says that there is no such shell.
const (
	notExecutable = 126
	notFound      = 127
)

// shell runs the first of the shells that the container has.
func (s *Server) shell(t *terminal, live Live, app *v1alpha1.Application, request inspect.ExecRequest, shells []string) error {
	var last error
	for _, shell := range shells {
		ctx, cancel := context.WithCancel(t.ctx)
		request.Command = []string{shell}
		request.Stdin, request.Stdout, request.Resize = t.input(ctx), t, t.sizes(ctx)
		before := t.output.Load()
		status, err := live.Exec(ctx, app, request)
		cancel()
		spoke := t.output.Load() > before // so it was there
		switch {
		case t.ctx.Err() != nil:
			return nil //nolint:nilerr // the page has gone, which ends the shell and is no fault
		case err == nil && (spoke || status != notExecutable && status != notFound):
			return nil
		case err == nil:
			err = errors.New(shell + " is not there")
		case spoke:
			t.say("\r\nthe shell has ended: " + asAPIError(liveError(err)).message + "\r\n")
			return err
		}
		last = err
	}
	t.say("\r\nno shell can be run in this container: " + asAPIError(liveError(last)).message + "\r\n")
	return last
}

// ownOrigin tells whether a WebSocket is opened by a page of ours. Browsers let every page open one, and send cookies along.
func (s *Server) ownOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true // not a browser
	}
	from, err := url.Parse(origin)
	if err != nil {
		return false
	}
	if strings.EqualFold(from.Host, r.Host) {
		return true
	}
	current := s.options.Settings()
	return slices.ContainsFunc(append([]string{current.URL}, current.AdditionalURLs...), func(known string) bool {
		u, err := url.Parse(known)
		return err == nil && u.Host != "" && strings.EqualFold(u.Host, from.Host) && u.Scheme == from.Scheme
	})
}

// pingPeriod keeps balancers from closing an idle terminal; one that does not answer for silence is over.
const (
	pingPeriod = 5 * time.Second
	silence    = time.Minute
)
