package render_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render"
)

// revisions gives variables, and notes which were asked for.
type revisions struct {
	render.NoExternal
	asked []string
	err   error
}

func (r *revisions) Variable(_ context.Context, name string) (string, error) {
	r.asked = append(r.asked, name)
	return "value of " + name, r.err
}

func (r *revisions) APIVersions(context.Context) ([]string, error) {
	r.asked = append(r.asked, "api versions")
	return []string{"v1", "apps/v1"}, r.err
}

func TestTheBuildEnvironmentIsExpanded(t *testing.T) {
	req := render.Request{
		AppName: "demo", AppNamespace: "argocd", Namespace: "namespace-a", Project: "team", KubeVersion: "1.36.3",
		Source: v1alpha1.ApplicationSource{RepoURL: "https://git.example.com/a.git", Path: "apps/demo"},
	}
	for name, test := range map[string]struct{ text, want, asked string }{
		"nothing":                      {"plain", "plain", ""},
		"facts of the application":     {"$ARGOCD_APP_NAME/$ARGOCD_APP_NAMESPACE/$ARGOCD_APP_PROJECT_NAME", "demo/namespace-a/team", ""},
		"facts of the source":          {"${ARGOCD_APP_SOURCE_REPO_URL}#$ARGOCD_APP_SOURCE_PATH", "https://git.example.com/a.git#apps/demo", ""},
		"the version of the cluster":   {"$KUBE_VERSION", "1.36.3", ""},
		"what the cluster serves":      {"$KUBE_API_VERSIONS", "v1,apps/v1", "api versions"},
		"a revision":                   {"$ARGOCD_APP_REVISION", "value of ARGOCD_APP_REVISION", "ARGOCD_APP_REVISION"},
		"a short revision with a tail": {"${ARGOCD_APP_REVISION_SHORT}x", "value of ARGOCD_APP_REVISION_SHORTx", "ARGOCD_APP_REVISION_SHORT"},
		"dollar signs":                 {"$$ARGOCD_APP_NAME costs 5$$", "$ARGOCD_APP_NAME costs 5$", ""},
		"variables of nobody":          {"a${HOME}b$OTHER", "ab", ""},
	} {
		t.Run(name, func(t *testing.T) {
			external := &revisions{}
			got, err := render.Environment(t.Context(), render.Inputs{External: external}, req).Expand(test.text)
			if err != nil || got != test.want {
				t.Errorf("got %q, %v; want %q", got, err, test.want)
			}
			if asked := strings.Join(external.asked, " "); asked != test.asked {
				t.Errorf("asked for %q, want %q", asked, test.asked)
			}
		})
	}
}

func TestAVariableThatCannotBeHadIsAnError(t *testing.T) {
	broken := errors.New("broken")
	env := render.Environment(t.Context(), render.Inputs{External: &revisions{err: broken}}, render.Request{})
	for _, text := range []string{"$ARGOCD_APP_REVISION", "$KUBE_API_VERSIONS"} {
		if _, err := env.Expand(text); !errors.Is(err, broken) {
			t.Errorf("%s gave %v", text, err)
		}
	}
	if _, err := env.All(); !errors.Is(err, broken) {
		t.Errorf("all gave %v", err)
	}
}

func TestPluginsGetTheWholeBuildEnvironment(t *testing.T) {
	req := render.Request{AppName: "demo", Source: v1alpha1.ApplicationSource{Chart: "web", Path: "."}}
	all, err := render.Environment(t.Context(), render.Inputs{External: &revisions{}}, req).All()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"ARGOCD_APP_NAME=demo", "ARGOCD_APP_SOURCE_PATH=", "KUBE_API_VERSIONS=v1,apps/v1",
		"ARGOCD_APP_REVISION_SHORT_8=value of ARGOCD_APP_REVISION_SHORT_8",
	} {
		if !slices.Contains(all, want) {
			t.Errorf("%s is missing in %q", want, all)
		}
	}
}
