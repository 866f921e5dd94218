package kustomize_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render"
)

func TestBuildOptionsDoWhatTheFlagsDo(t *testing.T) {
	files := mapFS(map[string]string{
		"app/kustomization.yaml": "resources: [pod.yaml, cm.yaml, ns.yaml, ../beside.yaml]\n",
		"app/pod.yaml":           "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: busybox}]}\n",
		"app/cm.yaml":            configMapText("c"),
		"app/ns.yaml":            "apiVersion: v1\nkind: Namespace\nmetadata: {name: n}\n",
		"beside.yaml":            configMapText("beside"),
	})
	dir := writeTree(t, files)
	for _, flags := range []string{
		"--load-restrictor LoadRestrictionsNone",
		"--load-restrictor=LoadRestrictionsNone --reorder none",
		"--load-restrictor=LoadRestrictionsNone --reorder=legacy --enable-managedby-label",
		"--load-restrictor=LoadRestrictionsNone --network --network-name x --mount a --env A=B -e C=D --as-current-user --helm-command none",
	} {
		t.Run(flags, func(t *testing.T) {
			want, message, err := build(t, dir+"/app", strings.Fields(flags)...)
			if err != nil {
				t.Fatalf("kustomize build: %v\n%s", err, message)
			}
			req := request("app", nil)
			req.Settings.KustomizeBuildOptions = flags
			got, err := renderer().Render(t.Context(), render.Inputs{Files: os.DirFS(dir)}, req)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, contents(got.Objects)); diff != "" {
				t.Errorf("differs from kustomize build (-kustomize +ours):\n%s", diff)
			}
		})
	}
}

func TestAVersionHasItsOwnBuildOptions(t *testing.T) {
	for name, c := range map[string]struct {
		version, want string
	}{
		"no version":           {"", "kustomize.buildOptions in argocd-cm: unknown flag: --all"},
		"a version with":       {"v5.2.1", ""},
		"a version without":    {"v5.2.0", "kustomize.buildOptions in argocd-cm: unknown flag: --all"},
		"one that is mistaken": {"v4", "kustomize.buildOptions.v4 in argocd-cm: unknown flag: --four"},
	} {
		t.Run(name, func(t *testing.T) {
			req := request("app", &v1alpha1.ApplicationSourceKustomize{Version: c.version})
			req.Settings.KustomizeBuildOptions = "--all"
			req.Settings.KustomizeVersionOptions = map[string]string{"v5.2.1": "--enable-helm", "v4": "--four"}
			result, err := renderer().Render(t.Context(), render.Inputs{Files: mapFS(settingsTree)}, req)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if len(result.Warnings) != 0 {
				t.Errorf("warnings %v", result.Warnings)
			}
		})
	}
}

func TestBuildOptionsThatCannotBeAreNamed(t *testing.T) {
	for flags, want := range map[string]string{
		"--no-such-flag":         "unknown flag: --no-such-flag",
		"--load-restrictor some": "--load-restrictor some: must be LoadRestrictionsRootOnly or LoadRestrictionsNone",
		"--reorder up":           "--reorder up: must be legacy or none",
		"folder":                 `"folder" is not a flag`,
	} {
		t.Run(flags, func(t *testing.T) {
			req := request("app", nil)
			req.Settings.KustomizeBuildOptions = flags
			_, err := renderer().Render(t.Context(), render.Inputs{Files: mapFS(settingsTree)}, req)
			if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "kustomize.buildOptions") {
				t.Errorf("got %v, want something with %q", err, want)
			}
		})
	}
}
