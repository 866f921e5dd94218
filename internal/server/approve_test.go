package server_test

import (
	"strings"
	"testing"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/tenancy"
)

func TestApprove(t *testing.T) {
	digest := tenancy.DigestOf([]string{"c1"}, nil)
	waits := func(app *v1alpha1.Application) {
		app.Status.Conditions = []v1alpha1.ApplicationCondition{{
			Type: v1alpha1.ApplicationConditionSyncHeld, Message: tenancy.ApprovalMessage(digest, "a", []string{"it would prune"}),
		}}
	}
	for sentence, c := range map[string]struct {
		app    func(*v1alpha1.Application)
		body   string
		status int
		error  string
	}{
		"what is shown is approved":      {waits, `{}`, 200, ""},
		"by its digest too":              {waits, `{"digest":"` + digest + `"}`, 200, ""},
		"another digest is refused":      {waits, `{"digest":"0123"}`, 400, "are other ones by now"},
		"nothing waits":                  {nil, `{}`, 400, "no changes wait for approval"},
		"another project's is not found": {waits, `{"project":"shop"}`, 404, "not found"},
	} {
		t.Run(sentence, func(t *testing.T) {
			w := start(t, nil)
			w.add("argocd", "a", c.app)
			w.conflicts = 1
			a := w.call("POST", "/api/v1/fairlead/applications/a/approve", c.body, "Authorization", w.login("admin"))
			if a.status != c.status || !strings.Contains(a.body, c.error) {
				t.Fatalf("%d %s", a.status, a.body)
			}
			app, _ := w.Get(key("argocd", "a"))
			want := ""
			if c.status == 200 {
				want = digest + " by admin"
			}
			if got := strings.TrimSuffix(app.Annotations[v1alpha1.AnnotationApprove]+" by "+app.Annotations[v1alpha1.AnnotationApproveBy], " by "); got != want {
				t.Errorf("approved %q, want %q", got, want)
			}
		})
	}
}
