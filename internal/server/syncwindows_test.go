package server_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/server"
	"github.com/fairlead-cd/fairlead/internal/tenancy"
)

func TestSyncWindows(t *testing.T) {
	window := func(kind, schedule string, manual bool) *v1alpha1.InlineSyncWindow {
		return &v1alpha1.InlineSyncWindow{Kind: kind, Schedule: schedule, Duration: "1h", ManualSync: manual, Applications: []string{"*"}}
	}
	for sentence, c := range map[string]struct {
		windows v1alpha1.SyncWindows
		want    string
		status  int // of a sync
	}{
		"without windows everything may be synced": {nil, `{"canSync":true}`, 200},
		"a window that is open": {v1alpha1.SyncWindows{window("deny", "0 12 * * *", false)},
			`{"activeWindows":[{"kind":"deny","schedule":"0 12 * * *","duration":"1h","manualSync":false}],` +
				`"assignedWindows":[{"kind":"deny","schedule":"0 12 * * *","duration":"1h","manualSync":false}],"canSync":false}`, 403},
		"one that lets people sync": {v1alpha1.SyncWindows{window("allow", "0 20 * * *", true)},
			`{"assignedWindows":[{"kind":"allow","schedule":"0 20 * * *","duration":"1h","manualSync":true}],"canSync":true}`, 200},
	} {
		t.Run(sentence, func(t *testing.T) {
			project := &v1alpha1.AppProject{}
			project.Name, project.Spec.SyncWindows = "default", c.windows
			w := start(t, func(o *server.Options) {
				o.Now = func() time.Time { return time.Date(2026, 3, 2, 12, 30, 0, 0, time.UTC) }
				o.Project = func(*v1alpha1.Application) (*tenancy.Project, error) { return tenancy.New(project), nil }
			})
			w.add("argocd", "a", nil)
			token := w.login("admin")
			if a := w.call("GET", "/api/v1/applications/a/syncwindows", "", "Authorization", token); a.status != 200 || strings.TrimSpace(a.body) != c.want {
				t.Errorf("got  %d %s\nwant %s", a.status, a.body, c.want)
			}
			if a := w.call("POST", "/api/v1/applications/a/sync", "{}", "Authorization", token); a.status != c.status {
				t.Errorf("sync: %d %s", a.status, a.body)
			}
		})
	}
	t.Run("a project that is gone", func(t *testing.T) {
		w := start(t, func(o *server.Options) {
			o.Project = func(*v1alpha1.Application) (*tenancy.Project, error) { return nil, fmt.Errorf("it does not exist") }
		})
		w.add("argocd", "a", nil)
		if a := w.call("POST", "/api/v1/applications/a/sync", "{}", "Authorization", w.login("admin")); a.status != 400 || !strings.Contains(a.body, "does not exist") {
			t.Errorf("%d %s", a.status, a.body)
		}
	})
}
