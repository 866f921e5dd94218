package kustomize_test

import (
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/yaml"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render"
)

// settingsTree is the kustomization that the settings are worked into.
var settingsTree = map[string]string{
	"app/kustomization.yaml": `# a comment
resources: [all.yaml]
commonLabels: {own: label}
commonAnnotations: {own: annotation}
images:
  - {name: nginx, newName: mirror.example.com/nginx, newTag: "1.0"}
  - {name: busybox, newTag: "1.36"}
replicas: [{name: web, count: 2}]
labels: [{pairs: {plain: own}}]
`,
	"app/all.yaml": `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, annotations: {there: already}}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - {name: web, image: nginx:0.1}
        - {name: side, image: "busybox"}
        - {name: other, image: "registry.example.com:5000/other:1"}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template: {metadata: {labels: {app: db}}, spec: {containers: [{name: db, image: postgres}]}}
`,
	"app/patch.yaml":                       "- {op: replace, path: /spec/template/spec/containers/0/name, value: renamed}\n",
	"components/one/kustomization.yaml":    "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nconfigMapGenerator: [{name: one, literals: [a=b]}]\n",
	"components/two/kustomization.yaml":    "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnameSuffix: -two\n",
	"app/components/in/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnameSuffix: -in\n",
}

// variables is an External that knows the revision.
type variables struct{ render.NoExternal }

func (variables) Variable(_ context.Context, name string) (string, error) {
	return map[string]string{"ARGOCD_APP_REVISION": "0123abc", "ARGOCD_APP_REVISION_SHORT": "0123"}[name], nil
}

func mapFS(files map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, content := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(content), Mode: 0o644}
	}
	return fsys
}

func request(path string, settings *v1alpha1.ApplicationSourceKustomize) render.Request {
	return render.Request{
		AppName: "demo", AppNamespace: "argocd", Project: "team", Namespace: "namespace-a", KubeVersion: "1.36.3",
		Source: v1alpha1.ApplicationSource{Path: path, RepoURL: "https://git.example.com/demo.git", Kustomize: settings},
	}
}

// writeTree puts files onto the disk, for programs that need them there.
func writeTree(t testing.TB, fsys fs.FS) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, fsys); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestSettingsDoWhatKustomizeEditDoes(t *testing.T) {
	for name, c := range map[string]struct {
		settings v1alpha1.ApplicationSourceKustomize
		// commands of kustomize edit, and what goes below patches of the kustomization.
		commands [][]string
		patches  string
	}{
		"a name prefix and a suffix": {
			settings: v1alpha1.ApplicationSourceKustomize{NamePrefix: "pre-", NameSuffix: "-suf"},
			commands: [][]string{{"set", "nameprefix", "--", "pre-"}, {"set", "namesuffix", "--", "-suf"}},
		},
		"images by tag, digest and new name": {
			settings: v1alpha1.ApplicationSourceKustomize{Images: v1alpha1.KustomizeImages{
				"nginx:2.0", "busybox=mirror.example.com/busybox:3", "registry.example.com:5000/other@sha256:24a0c4b4a4c0eb97a1aabb8e29f18e917d05abfe1b7a7c07857230879ce7d3d3",
				"postgres=postgres15",
			}},
			commands: [][]string{{
				"set", "image", "nginx:2.0", "busybox=mirror.example.com/busybox:3",
				"registry.example.com:5000/other@sha256:24a0c4b4a4c0eb97a1aabb8e29f18e917d05abfe1b7a7c07857230879ce7d3d3", "postgres=postgres15",
			}},
		},
		"an asterisk keeps what the kustomization says": {
			settings: v1alpha1.ApplicationSourceKustomize{Images: v1alpha1.KustomizeImages{"nginx=*:3", "busybox=other:*", "postgres=*:9"}},
			commands: [][]string{{"set", "image", "nginx=*:3", "busybox=other:*", "postgres=*:9"}},
		},
		"variables in images": {
			settings: v1alpha1.ApplicationSourceKustomize{Images: v1alpha1.KustomizeImages{"nginx:${ARGOCD_APP_REVISION}"}},
			commands: [][]string{{"set", "image", "nginx:0123abc"}},
		},
		"replicas as number and as text": {
			settings: v1alpha1.ApplicationSourceKustomize{Replicas: v1alpha1.KustomizeReplicas{
				{Name: "web", Count: intstr.FromInt32(7)}, {Name: "db", Count: intstr.FromString("3")},
			}},
			commands: [][]string{{"set", "replicas", "web=7", "db=3"}},
		},
		"common labels with variables": {
			settings: v1alpha1.ApplicationSourceKustomize{CommonLabels: map[string]string{"a": "b", "app-name": "x-$ARGOCD_APP_NAME"}},
			commands: [][]string{{"add", "label", "a:b", "app-name:x-demo"}},
		},
		"common labels by force": {
			settings: v1alpha1.ApplicationSourceKustomize{CommonLabels: map[string]string{"own": "new"}, ForceCommonLabels: true},
			commands: [][]string{{"add", "label", "--force", "own:new"}},
		},
		"labels without selectors": {
			settings: v1alpha1.ApplicationSourceKustomize{CommonLabels: map[string]string{"a": "b"}, LabelWithoutSelector: true},
			commands: [][]string{{"add", "label", "--without-selector", "a:b"}},
		},
		"labels without selectors by force": {
			settings: v1alpha1.ApplicationSourceKustomize{
				CommonLabels: map[string]string{"plain": "new"}, LabelWithoutSelector: true, ForceCommonLabels: true,
			},
			commands: [][]string{{"add", "label", "--without-selector", "--force", "plain:new"}},
		},
		"labels in templates": {
			settings: v1alpha1.ApplicationSourceKustomize{
				CommonLabels: map[string]string{"a": "b"}, LabelWithoutSelector: true, LabelIncludeTemplates: true,
			},
			commands: [][]string{{"add", "label", "--without-selector", "--include-templates", "a:b"}},
		},
		"common annotations as they are": {
			settings: v1alpha1.ApplicationSourceKustomize{CommonAnnotations: map[string]string{"a": "$ARGOCD_APP_NAME", "b": "c:d", "q": `"quoted"`}},
			commands: [][]string{{"add", "annotation", "a:$ARGOCD_APP_NAME", "b:c:d", `q:"quoted"`}},
		},
		"common annotations with variables": {
			settings: v1alpha1.ApplicationSourceKustomize{
				CommonAnnotations: map[string]string{
					"a": "$ARGOCD_APP_NAME/${ARGOCD_APP_NAMESPACE}/$ARGOCD_APP_PROJECT_NAME", "b": "$$HOME $NOTHING",
					"c": "$ARGOCD_APP_SOURCE_PATH $ARGOCD_APP_SOURCE_REPO_URL $ARGOCD_APP_REVISION_SHORT $KUBE_VERSION",
				},
				CommonAnnotationsEnvsubst: true,
			},
			commands: [][]string{{"add", "annotation", "a:demo/namespace-a/team", "b:$HOME ", "c:app https://git.example.com/demo.git 0123 1.36.3"}},
		},
		"common annotations by force": {
			settings: v1alpha1.ApplicationSourceKustomize{CommonAnnotations: map[string]string{"own": "new"}, ForceCommonAnnotations: true},
			commands: [][]string{{"add", "annotation", "--force", "own:new"}},
		},
		"a namespace": {
			settings: v1alpha1.ApplicationSourceKustomize{Namespace: "elsewhere"},
			commands: [][]string{{"set", "namespace", "--", "elsewhere"}},
		},
		"components, one by a pattern": {
			settings: v1alpha1.ApplicationSourceKustomize{Components: []string{"../components/*", "components/in"}},
			commands: [][]string{{"add", "component", "../components/*", "components/in"}},
		},
		"missing components that may be missing": {
			settings: v1alpha1.ApplicationSourceKustomize{
				Components: []string{"../components/none", "../components/one"}, IgnoreMissingComponents: true,
			},
			commands: [][]string{{"add", "component", "../components/one"}},
		},
		"patches": {
			settings: v1alpha1.ApplicationSourceKustomize{Patches: v1alpha1.KustomizePatches{
				{Path: "patch.yaml", Target: &v1alpha1.KustomizeSelector{KustomizeResId: v1alpha1.KustomizeResId{
					KustomizeGvk: v1alpha1.KustomizeGvk{Group: "apps", Version: "v1", Kind: "Deployment"}, Name: "w.*",
				}}},
				{Patch: "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\nspec: {replicas: 4}\n"},
				{
					Patch:   "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: data}\n",
					Target:  &v1alpha1.KustomizeSelector{KustomizeResId: v1alpha1.KustomizeResId{KustomizeGvk: v1alpha1.KustomizeGvk{Kind: "StatefulSet"}}},
					Options: map[string]bool{"allowNameChange": true},
				},
				{
					Patch:  "- {op: add, path: /metadata/annotations/x, value: y}",
					Target: &v1alpha1.KustomizeSelector{AnnotationSelector: "there=already"},
				},
			}},
			patches: `[
  {path: patch.yaml, target: {group: apps, version: v1, kind: Deployment, name: w.*}},
  {patch: "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\nspec: {replicas: 4}\n"},
  {patch: "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: data}\n", target: {kind: StatefulSet}, options: {allowNameChange: true}},
  {patch: "- {op: add, path: /metadata/annotations/x, value: y}", target: {annotationSelector: there=already}}]`,
		},
		"nothing": {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := mapFS(settingsTree)
			dir := filepath.Join(writeTree(t, files), "app")
			if c.patches != "" {
				appendPatches(t, dir, c.patches)
			}
			for _, args := range c.commands {
				cmd := exec.Command(kustomizeProgram.get(t), append([]string{"edit"}, args...)...)
				cmd.Dir = dir
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("kustomize edit %v: %v\n%s", args, err, out)
				}
			}
			want, message, err := build(t, dir)
			if err != nil {
				t.Fatalf("kustomize build: %v\n%s", err, message)
			}
			got, err := renderer().Render(t.Context(), render.Inputs{Files: files, External: variables{}}, request("app", &c.settings))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, contents(got.Objects)); diff != "" {
				t.Errorf("differs from kustomize edit and build (-kustomize +ours):\n%s", diff)
			}
		})
	}
}

func appendPatches(t *testing.T, dir, patches string) {
	t.Helper()
	name := path.Join(dir, "kustomization.yaml")
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var k map[string]any
	if err := yaml.Unmarshal(text, &k); err != nil {
		t.Fatal(err)
	}
	var list []any
	if err := yaml.Unmarshal([]byte(patches), &list); err != nil {
		t.Fatal(err)
	}
	k["patches"] = list
	if text, err = yaml.Marshal(k); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestSettingsThatContradictAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		settings v1alpha1.ApplicationSourceKustomize
		want     string
	}{
		"a label that is there": {
			v1alpha1.ApplicationSourceKustomize{CommonLabels: map[string]string{"own": "x"}},
			"kustomize.commonLabels: label own is already in the kustomization; set kustomize.forceCommonLabels to replace it",
		},
		"an annotation that is there": {
			v1alpha1.ApplicationSourceKustomize{CommonAnnotations: map[string]string{"own": "x"}},
			"kustomize.commonAnnotations: annotation own is already in the kustomization; set kustomize.forceCommonAnnotations to replace it",
		},
		"templates with selectors": {
			v1alpha1.ApplicationSourceKustomize{CommonLabels: map[string]string{"a": "x"}, LabelIncludeTemplates: true},
			"labelIncludeTemplates needs labelWithoutSelector",
		},
		"an image without a change":   {v1alpha1.ApplicationSourceKustomize{Images: []v1alpha1.KustomizeImage{"nginx"}}, `"nginx" says no change of an image`},
		"replicas that are no number": {v1alpha1.ApplicationSourceKustomize{Replicas: []v1alpha1.KustomizeReplica{{Name: "web", Count: intstr.FromString("many")}}}, `web: count "many" is not a number`},
		"a namespace that cannot be":  {v1alpha1.ApplicationSourceKustomize{Namespace: "Not_One"}, `"Not_One" is not a valid namespace name`},
		"an unknown option": {
			v1alpha1.ApplicationSourceKustomize{Patches: []v1alpha1.KustomizePatch{{Path: "patch.yaml", Options: map[string]bool{"allowAll": true}}}},
			`there is no option "allowAll"`,
		},
		"a missing component":               {v1alpha1.ApplicationSourceKustomize{Components: []string{"../components/none"}}, "../components/none: there is no such folder"},
		"a component outside":               {v1alpha1.ApplicationSourceKustomize{Components: []string{"../../etc"}}, "lies outside of the repository"},
		"a patch that is not there":         {v1alpha1.ApplicationSourceKustomize{Patches: []v1alpha1.KustomizePatch{{Path: "none.yaml"}}}, "app/kustomization.yaml: patches: none.yaml: there is no such file"},
		"a patch of another repository":     {v1alpha1.ApplicationSourceKustomize{Patches: []v1alpha1.KustomizePatch{{Path: "https://example.com/patch.yaml"}}}, "downloads are not available here"},
		"a component of another repository": {v1alpha1.ApplicationSourceKustomize{Components: []string{"https://example.com/org/repo"}}, "other repositories are not available here"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := renderer().Render(t.Context(), render.Inputs{Files: mapFS(settingsTree)}, request("app", &c.settings))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want something with %q", err, c.want)
			}
		})
	}
}

func TestAVersionIsIgnoredWithAWarning(t *testing.T) {
	got, err := renderer().Render(t.Context(), render.Inputs{Files: mapFS(settingsTree)},
		request("app", &v1alpha1.ApplicationSourceKustomize{Version: "v4.5.7"}))
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Warnings) != 1 || !strings.Contains(got.Warnings[0].Message, "v4.5.7 is ignored") {
		t.Errorf("warnings: %v", got.Warnings)
	}
}
