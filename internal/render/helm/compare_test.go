package helm_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/helm"
)

// programs is where the real helm is built, if it is.
var programs string

// program builds the real helm of the version that this module uses, once, or takes $HELM.
var program = sync.OnceValues(func() (string, error) {
	if given := os.Getenv("HELM"); given != "" {
		return given, nil
	}
	var err error
	if programs, err = os.MkdirTemp("", "helm"); err != nil {
		return "", err
	}
	built := filepath.Join(programs, "helm")
	out, err := exec.Command("go", "build", "-o", built, "helm.sh/helm/v4/cmd/helm").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building helm: %w\n%s", err, out)
	}
	return built, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if programs != "" {
		_ = os.RemoveAll(programs)
	}
	os.Exit(code)
}

// runHelm runs the real helm without a configuration of its own.
func runHelm(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	helm, err := program()
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	command := exec.CommandContext(t.Context(), helm, args...)
	command.Dir = dir
	command.Env = append(os.Environ(), "HELM_CACHE_HOME="+home, "HELM_CONFIG_HOME="+home, "HELM_DATA_HOME="+home, "KUBECONFIG=/dev/null")
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("helm %s: %w\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return stdout.String(), nil
}

// prepared is a copy of the charts in which `helm dependency update` has been run for those with dependencies.
func prepared(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/charts")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"umbrella", "libraryuser", "legacy"} {
		if _, err := runHelm(t, dir, "dependency", "update", name); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// cluster is a destination that serves what is listed, and notes what it was asked.
type cluster struct {
	render.NoExternal
	serves []string

	mu    sync.Mutex
	asked []string
}

func (c *cluster) note(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked = append(c.asked, what)
}

func (c *cluster) HasAPI(_ context.Context, version string) (bool, error) {
	c.note(version)
	return slices.Contains(c.serves, version), nil
}

func (c *cluster) APIVersions(context.Context) ([]string, error) {
	c.note("list")
	return c.serves, nil
}

// raw is a values object.
func raw(t *testing.T, values any) *runtime.RawExtension {
	t.Helper()
	text, err := json.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	return &runtime.RawExtension{Raw: text}
}

// describeObjects gives each object as canonical JSON, in order.
func describeObjects(t *testing.T, objects []render.Object) []string {
	t.Helper()
	var lines []string
	for _, o := range objects {
		text, err := json.Marshal(o.Object)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(text))
	}
	return lines
}

// served are the API versions of the cluster of the tests.
func served() []string {
	return []string{"networking.k8s.io/v1/Ingress", "monitoring.coreos.com/v1", "example.com/v1", "example.com/v1/Widget"}
}

func renderChart(t *testing.T, dir, chart string, settings v1alpha1.ApplicationSourceHelm, external render.External) (render.Result, error) {
	t.Helper()
	renderer := helm.Renderer{Engine: helm.New(helm.Options{})}
	return renderer.Render(t.Context(), render.Inputs{Files: os.DirFS(dir), External: external}, render.Request{
		AppName: "demo", AppNamespace: "argocd", Namespace: "namespace-a", KubeVersion: "v1.33.2",
		Source: v1alpha1.ApplicationSource{RepoURL: "https://git.example.com/a.git", Path: chart, Helm: &settings},
	})
}

func TestResultsEqualThoseOfHelm(t *testing.T) {
	dir := prepared(t)
	type variant struct {
		chart    string
		settings v1alpha1.ApplicationSourceHelm
		flags    []string
	}
	values := func(text string) v1alpha1.ApplicationSourceHelm { return v1alpha1.ApplicationSourceHelm{Values: text} }
	for name, v := range map[string]variant{
		"a web application":                      {chart: "web"},
		"a web application with everything on":   {chart: "web", settings: values("ingress: {enabled: true, tls: [{hosts: [a.example.com], secretName: tls}], annotations: {a: b}}\nautoscaling: {enabled: true}\npodAnnotations: {x: y}\nenv: {B: 1, A: true}\ntolerations: [{operator: Exists}]\nimagePullSecrets: [{name: pull}]\n")},
		"a web application without tests":        {chart: "web", settings: v1alpha1.ApplicationSourceHelm{SkipTests: true}, flags: []string{"--skip-tests"}},
		"a web application under another name":   {chart: "web", settings: v1alpha1.ApplicationSourceHelm{ReleaseName: "web-front", Namespace: "elsewhere"}, flags: []string{"-n", "elsewhere"}},
		"a database":                             {chart: "db"},
		"a database with parameters":             {chart: "db", settings: v1alpha1.ApplicationSourceHelm{Parameters: []v1alpha1.HelmParameter{{Name: "replicas", Value: "3"}, {Name: "storage.className", Value: "fast"}, {Name: "extraPorts[1]", Value: "7000"}, {Name: "extraPorts[0]", Value: "6999"}}}, flags: []string{"--set", "replicas=3,storage.className=fast,extraPorts[1]=7000,extraPorts[0]=6999"}},
		"an umbrella":                            {chart: "umbrella"},
		"an umbrella with tags":                  {chart: "umbrella", settings: values("tags: {backoffice: true}\n")},
		"an umbrella with conditions":            {chart: "umbrella", settings: values("front: {enabled: false}\nadmin: {enabled: true}\ndb: {enabled: false}\nglobal: {admin: false}\n")},
		"an umbrella whose parent overrides":     {chart: "umbrella", settings: values("dbHost: other\ndatabase: {settings: {maxConnections: 5}}\ndb: {settings: {maxConnections: 7}, exports: {connection: {dbPort: 1}}}\n")},
		"a library":                              {chart: "libraryuser"},
		"hooks":                                  {chart: "hooks"},
		"hooks without tests":                    {chart: "hooks", settings: v1alpha1.ApplicationSourceHelm{SkipTests: true, Values: "migrate: false"}, flags: []string{"--skip-tests"}},
		"CRDs":                                   {chart: "crds"},
		"a schema that holds":                    {chart: "schema"},
		"a schema that is not looked at":         {chart: "schema", settings: v1alpha1.ApplicationSourceHelm{SkipSchemaValidation: true, Values: "replicas: 50"}, flags: []string{"--skip-schema-validation"}},
		"capabilities of the destination":        {chart: "capabilities", flags: []string{"--api-versions", strings.Join(served(), ",")}},
		"capabilities that are given":            {chart: "capabilities", settings: v1alpha1.ApplicationSourceHelm{KubeVersion: "1.28", APIVersions: []string{"example.com/v1"}}, flags: []string{"--kube-version", "1.28", "--api-versions", "example.com/v1"}},
		"capabilities of a vendor's Kubernetes":  {chart: "capabilities", settings: v1alpha1.ApplicationSourceHelm{KubeVersion: "v1.31.4-gke.1256000"}, flags: []string{"--kube-version", "v1.31.4-gke.1256000", "--api-versions", strings.Join(served(), ",")}},
		"a list of capabilities":                 {chart: "capabilitieslist", flags: []string{"--api-versions", strings.Join(served(), ",")}},
		"templates in values":                    {chart: "tplvalues"},
		"files":                                  {chart: "files"},
		"a required value":                       {chart: "required", settings: values("name: given")},
		"lookups":                                {chart: "lookups"},
		"ranges over maps":                       {chart: "maps"},
		"nested subcharts with globals":          {chart: "nested"},
		"nested subcharts of which one is off":   {chart: "nested", settings: values("mid: {leaf: {enabled: false}}\nglobal: {domain: other.example.com}\n")},
		"nulls":                                  {chart: "nulls"},
		"nulls that remove defaults":             {chart: "nulls", settings: values("probe: {httpGet: null, exec: {command: [a]}}\nlist: null\nnew: null\nsub: {a: null, b: {c: null}}\n")},
		"many documents in a file":               {chart: "multidoc"},
		"nothing to render":                      {chart: "empty"},
		"ignored files":                          {chart: "ignore"},
		"named templates that are overridden":    {chart: "override"},
		"a zoo of YAML":                          {chart: "yamlish"},
		"a chart of version 1 with requirements": {chart: "legacy"},
		"kinds in the order of installation":     {chart: "order"},
		"a chart without CRDs":                   {chart: "crds", settings: v1alpha1.ApplicationSourceHelm{SkipCrds: true}, flags: []string{"no-crds"}},
	} {
		t.Run(name, func(t *testing.T) {
			releaseName := v.settings.ReleaseName
			if releaseName == "" {
				releaseName = "demo"
			}
			args := []string{"template", releaseName, v.chart}
			flags := slices.DeleteFunc(slices.Clone(v.flags), func(f string) bool { return f == "no-crds" })
			if len(flags) == len(v.flags) {
				args = append(args, "--include-crds")
			}
			if !slices.Contains(flags, "-n") {
				args = append(args, "-n", "namespace-a")
			}
			if !slices.Contains(flags, "--kube-version") {
				args = append(args, "--kube-version", "v1.33.2")
			}
			if v.settings.Values != "" {
				file := filepath.Join(t.TempDir(), "values.yaml")
				if err := os.WriteFile(file, []byte(v.settings.Values), 0o600); err != nil {
					t.Fatal(err)
				}
				args = append(args, "-f", file)
			}
			out, err := runHelm(t, dir, append(args, flags...)...)
			if err != nil {
				t.Fatal(err)
			}
			objects, err := render.ParseRendered("helm", []byte(out))
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			want := describeObjects(t, objects)
			for place, dir := range map[string]string{"as committed": "testdata/charts", "with dependencies vendored": dir} {
				result, err := renderChart(t, dir, v.chart, v.settings, &cluster{serves: served()})
				if err != nil {
					t.Errorf("%s: %v", place, err)
					continue
				}
				if diff := cmp.Diff(want, describeObjects(t, result.Objects)); diff != "" {
					t.Errorf("%s: helm gives -, we give +:\n%s", place, diff)
				}
			}
		})
	}
}
