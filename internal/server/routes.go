package server

import (
	"net/http"

	"github.com/fairlead-cd/fairlead/internal/auth"
)

// route is one call of the API.
type route struct {
	// pattern is the method and the path, as http.ServeMux has them.
	pattern string
	// public calls need no credentials. If some are given, the handler learns whose they are.
	public bool
	// action is what the caller must be allowed, for a call that is not public.
	action auth.Action
	// maxBody is the largest body in bytes; 0 for none at all.
	maxBody int64
	// raw calls take a body of any type, which their handler limits.
	raw bool
	// stream calls go on for as long as the caller listens.
	stream bool
	handle func(http.ResponseWriter, *http.Request, caller) error
}

// Sizes of bodies.
const (
	smallBody = 16 << 10
	largeBody = 8 << 20
)

// caller is who calls, with the token that says so.
type caller struct {
	auth.Identity
	known bool
	token string
}

// routes is the whole API.
func (s *Server) routes() []route {
	applications := func(verb string) auth.Action { return auth.Action{Resource: "applications", Verb: verb} }
	return []route{
		{pattern: "GET /healthz", public: true, handle: s.healthz},
		{pattern: "GET /readyz", public: true, handle: s.readyz},
		{pattern: "GET /api/version", public: true, handle: s.version},
		{pattern: "POST /api/v1/session", public: true, maxBody: smallBody, handle: s.createSession},
		{pattern: "DELETE /api/v1/session", public: true, maxBody: smallBody, handle: s.deleteSession},
		{pattern: "GET /api/v1/session/userinfo", public: true, handle: s.userInfo},
		{pattern: "GET /api/v1/applications", action: applications("get"), handle: s.listApplications},
		{pattern: "GET /api/v1/applications/{name}", action: applications("get"), handle: s.getApplication},
		{pattern: "GET /api/v1/applications/{name}/resource-tree", action: applications("get"), handle: s.resourceTree},
		{pattern: "GET /api/v1/applications/{name}/syncwindows", action: applications("get"), handle: s.syncWindows},
		{pattern: "GET /api/v1/applications/{name}/managed-resources", action: applications("get"), handle: s.managedResources},
		{pattern: "GET /api/v1/applications/{name}/resource", action: applications("get"), handle: s.resource},
		{pattern: "GET /api/v1/applications/{name}/resource/actions", action: applications("get"), handle: s.listActions},
		{pattern: "POST /api/v1/applications/{name}/resource/actions", action: applications("get"), maxBody: smallBody, handle: s.runAction},
		{pattern: "POST /api/v1/applications/{name}/resource/actions/v2", action: applications("get"), maxBody: smallBody, handle: s.runActionV2},
		{pattern: "GET /api/v1/applications/{name}/events", action: applications("get"), handle: s.events},
		{pattern: "GET /api/v1/applications/{name}/logs", action: applications("get"), stream: true, handle: s.podLogs},
		{pattern: "GET /api/v1/applications/{name}/pods/{podName}/logs", action: applications("get"), stream: true, handle: s.podLogs},
		{pattern: "POST /api/v1/applications/{name}/sync", action: applications("sync"), maxBody: largeBody, handle: s.syncApplication},
		{pattern: "GET /api/v1/fairlead/applications/{name}/plan", action: applications("get"), handle: s.plan},
		{pattern: "POST /api/v1/fairlead/applications/{name}/approve", action: applications("sync"), maxBody: smallBody, handle: s.approve},
		{pattern: "POST /api/v1/fairlead/applications/{name}/pin", action: applications("sync"), maxBody: smallBody, handle: s.pin},
		{pattern: "DELETE /api/v1/fairlead/applications/{name}/pin", action: applications("sync"), handle: s.unpin},
		{pattern: "DELETE /api/v1/applications/{name}/operation", action: applications("sync"), handle: s.terminateOperation},
		{pattern: "POST /api/v1/applications/{name}/rollback", action: applications("sync"), maxBody: smallBody, handle: s.rollback},
		{pattern: "GET /api/v1/stream/applications", action: applications("get"), stream: true, handle: s.streamApplications},
		{pattern: "GET /api/v1/stream/applications/{name}/resource-tree", action: applications("get"), stream: true, handle: s.streamTree},
		{pattern: "POST /api/webhook", public: true, raw: true, handle: s.webhook},
		{pattern: "GET /terminal", action: auth.Action{Resource: "exec", Verb: "create"}, stream: true, handle: s.terminal},
	}
}
