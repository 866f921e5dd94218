package application

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/cluster"
	"github.com/fairlead-cd/fairlead/internal/health"
	"github.com/fairlead-cd/fairlead/internal/settings"
)

// HealthChecks keeps the health checks of the operator compiled, one set for
// as long as the settings have the same. The zero value is ready for use.
type HealthChecks struct {
	mu       sync.Mutex
	read     *settings.Settings
	identity string
	current  *health.Assessor
}

// Of returns the checks that the settings lead to; the same ones until they
// change.
func (h *HealthChecks) Of(s *settings.Settings) *health.Assessor {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.current != nil && h.read == s {
		return h.current
	}
	if identity := checksOf(s); h.current == nil || h.identity != identity {
		h.identity, h.current = identity, health.NewAssessor(scriptsOf(s.Customizations))
	}
	h.read = s
	return h.current
}

// checksOf names the health checks of the settings.
func checksOf(s *settings.Settings) string {
	var identity strings.Builder
	for _, c := range s.Customizations {
		if c.Health != "" || c.UseOpenLibs {
			fmt.Fprintf(&identity, "%s/%s %t %q\n", c.Group, c.Kind, c.UseOpenLibs, c.Health)
		}
	}
	return identity.String()
}

// scriptsOf finds the health check of a kind: the most specific one there is.
func scriptsOf(all settings.Customizations) func(group, kind string) (health.Script, bool) {
	return func(group, kind string) (script health.Script, ok bool) {
		for _, c := range all.For(group, kind) {
			// useOpenLibs may be said for more kinds than the script is.
			script.OpenLibs = script.OpenLibs || c.UseOpenLibs
			script.Lua = cmp.Or(c.Health, script.Lua)
		}
		return script, script.Lua != ""
	}
}

// judgedAnew is a verdict on an object that is as it was, by other health checks.
func (r *reconciliation) judgedAnew(ctx context.Context, live *cluster.Object, before verdict) verdict {
	now := r.judge(ctx, live.Live())
	now.difference, now.drift = before.difference, before.drift
	return now
}

// explained is the health of an object with what its pods say about it.
func (r *reconciliation) explained(o *object) health.Result {
	if o.live == nil || o.health.Status != health.Progressing && o.health.Status != health.Degraded {
		return o.health
	}
	var pods []health.Pod
	for _, below := range r.destination.Live.Descendants(o.live.UID) {
		if below.Facts == nil || below.Facts.Pod == nil || !below.Deleting.IsZero() {
			continue
		}
		facts := below.Facts.Pod
		pod := health.Pod{
			Name: below.Name, Reason: facts.Reason, Restarts: facts.Restarts, Done: facts.Phase == "Succeeded",
			Ready: facts.Trouble == nil && facts.Reason == "",
		}
		if t := facts.Trouble; t != nil {
			pod.Message, pod.Container, pod.Image, pod.ExitCode, pod.Since = t.Message, t.Container, t.Image, t.ExitCode, t.Since
		}
		pods = append(pods, pod)
	}
	return health.Explain(o.health, pods, r.deployed())
}

// leftOut says that an object does not count in the Application's
// health although it has one: the Application itself, when it is among its own
// objects, and an Application below it that is not known to be ill.
func (r *reconciliation) leftOut(o *object) bool {
	if o.Group != v1alpha1.Group || o.Kind != "Application" {
		return false
	}
	if o.Name == r.app.Name && o.Namespace == r.app.Namespace && r.destination.Server == v1alpha1.InClusterServer {
		return true
	}
	return o.health.Status == health.Missing || o.health.Status == health.Unknown
}

// deployed are the revisions that the Application was synced to, oldest first.
func (r *reconciliation) deployed() []health.Deployed {
	history := r.app.Status.History
	out := make([]health.Deployed, 0, len(history))
	for i := range history {
		h := &history[i]
		started := h.DeployedAt.Time
		if h.DeployStartedAt != nil {
			started = h.DeployStartedAt.Time
		}
		out = append(out, health.Deployed{Revision: named(cmp.Or(h.Revision, strings.Join(h.Revisions, ", "))), Started: started})
	}
	return out
}

// named calls a commit a commit, in short, and leaves a version as it is.
func named(revision string) string {
	switch {
	case len(revision) == commitLength && strings.Trim(revision, "0123456789abcdef") == "":
		return "commit " + shortRevisions([]string{revision})
	case strings.Contains(revision, ", "):
		return "revisions " + shortRevisions(strings.Split(revision, ", "))
	case revision == "":
		return ""
	default:
		return "revision " + revision
	}
}

const commitLength = 40

// reason says why an Application is in a health: what the first of its objects
// that is in it says. A workload that is rolled out without trouble says
// nothing here: every pod that gets ready would cost a write of the status.
func (r *reconciliation) reason(overall health.Status) string {
	if overall == health.Healthy {
		return ""
	}
	for i := range r.current.objects {
		o := &r.current.objects[i]
		if o.desired == nil || o.live == nil || o.healthIgnored || r.leftOut(o) || o.health.Status != overall {
			continue
		}
		if o.said.Status == health.Progressing && !o.said.Troubled && (o.Group == "apps" || o.Group == "batch" || o.Group == "" && o.Kind == "Pod") {
			continue
		}
		if sentence := o.said.Sentence(); sentence != "" {
			return o.Kind + " " + o.Name + ": " + sentence
		}
	}
	return ""
}
