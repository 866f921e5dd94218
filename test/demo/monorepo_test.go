package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

const monorepo = "../../examples/monorepo"

func TestExamplesPointAtTheServedRepository(t *testing.T) {
	const url = "http://127.0.0.1:8090/monorepo.git"
	objects, err := examples(monorepo, url)
	if err != nil {
		t.Fatal(err)
	}
	var project v1alpha1.AppProject
	decode(t, objects[0], &project)
	if !slices.Equal(project.Spec.SourceRepos, []string{url}) {
		t.Errorf("the project allows %v, want %s", project.Spec.SourceRepos, url)
	}
	for _, object := range objects[1:] {
		var app v1alpha1.Application
		decode(t, object, &app)
		if app.Spec.Source.RepoURL != url || app.Spec.Project != project.Name {
			t.Errorf("%s takes %s in project %s, want %s in %s", app.Name, app.Spec.Source.RepoURL, app.Spec.Project, url, project.Name)
		}
		if !slices.ContainsFunc(project.Spec.Destinations, func(d v1alpha1.ApplicationDestination) bool {
			return d.Server == app.Spec.Destination.Server && d.Namespace == app.Spec.Destination.Namespace
		}) {
			t.Errorf("%s goes to namespace %s, which the project does not allow", app.Name, app.Spec.Destination.Namespace)
		}
		if info, err := os.Stat(filepath.Join(monorepo, app.Spec.Source.Path)); err != nil || !info.IsDir() {
			t.Errorf("%s takes %s, which is no folder of the monorepo", app.Name, app.Spec.Source.Path)
		}
	}
}

// What the layout promises holds for every namespace and cluster.
func TestMonorepoKeepsItsLayout(t *testing.T) {
	namespaces := folders(t, "namespaces")
	clusters := folders(t, "clusters")
	if len(namespaces) != 3 || len(clusters) != 2 {
		t.Fatalf("namespaces %v and clusters %v, want three and two", namespaces, clusters)
	}
	for _, namespace := range namespaces {
		for _, file := range []string{"Chart.yaml", "common-values.yaml"} {
			readYAML(t, "namespaces", namespace, file)
		}
		for _, cluster := range clusters {
			values := readYAML(t, "clusters", cluster, namespace, cluster+"-values.yaml")
			if got, _, _ := unstructured.NestedString(values, "global", "cluster"); got != cluster {
				t.Errorf("the values of %s in %s say global.cluster: %q", namespace, cluster, got)
			}
		}
	}
}

// A value in clear text in a file named *.secret.yaml would be a bad example.
func TestSecretFilesAreEncrypted(t *testing.T) {
	files, err := filepath.Glob(monorepo + "/*/*/*.secret.yaml")
	if err != nil {
		t.Fatal(err)
	}
	deeper, err := filepath.Glob(monorepo + "/*/*/*/*.secret.yaml")
	if err != nil {
		t.Fatal(err)
	}
	files = append(files, deeper...)
	if len(files) == 0 {
		t.Fatal("no *.secret.yaml found")
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		content := map[string]any{}
		if err := yaml.Unmarshal(text, &content); err != nil {
			t.Fatalf("reading %s: %v", file, err)
		}
		if _, ok := content["sops"]; !ok {
			t.Errorf("%s has no sops metadata", file)
		}
		delete(content, "sops")
		for _, value := range leaves(content) {
			if len(value) < 4 || value[:4] != "ENC[" {
				t.Errorf("%s holds a value in clear text", file)
			}
		}
	}
}

func leaves(node any) []string {
	switch node := node.(type) {
	case map[string]any:
		var all []string
		for _, child := range node {
			all = append(all, leaves(child)...)
		}
		return all
	case []any:
		var all []string
		for _, child := range node {
			all = append(all, leaves(child)...)
		}
		return all
	case string:
		return []string{node}
	default:
		return []string{"not a string"}
	}
}

func folders(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(monorepo, dir))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		if entry.IsDir() {
			names = append(names, entry.Name())
		}
	}
	return names
}

func readYAML(t *testing.T, path ...string) map[string]any {
	t.Helper()
	file := filepath.Join(append([]string{monorepo}, path...)...)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	content := map[string]any{}
	if err := yaml.UnmarshalStrict(text, &content); err != nil {
		t.Fatalf("reading %s: %v", file, err)
	}
	return content
}

func decode(t *testing.T, object *unstructured.Unstructured, into any) {
	t.Helper()
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object.Object, into, true); err != nil {
		t.Fatalf("%s %s: %v", object.GetKind(), object.GetName(), err)
	}
}
