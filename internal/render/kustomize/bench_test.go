package kustomize_test

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/fairlead-cd/fairlead/internal/render"
)

// application is a base of ten Deployments with their Services, and an overlay as people write it.
func application() map[string]string {
	files := map[string]string{
		"overlay/kustomization.yaml": "resources: [../base]\nnamespace: namespace-a\nnamePrefix: prod-\n" +
			"labels: [{pairs: {team: a}, includeSelectors: true}]\nimages: [{name: registry.example.com/app, newTag: v2}]\n" +
			"patches: [{path: patch.yaml, target: {kind: Deployment}}]\nreplicas: [{name: app-1, count: 3}]\n",
		"overlay/patch.yaml": "- {op: add, path: /spec/template/spec/terminationGracePeriodSeconds, value: 5}\n",
	}
	base := "configMapGenerator: [{name: settings, literals: [a=b]}]\nresources:\n"
	for i := range 10 {
		name := fmt.Sprintf("app-%d", i)
		base += "- " + name + ".yaml\n"
		files["base/"+name+".yaml"] = fmt.Sprintf(`apiVersion: apps/v1
kind: Deployment
metadata: {name: %[1]s}
spec:
  selector: {matchLabels: {app: %[1]s}}
  template:
    metadata: {labels: {app: %[1]s}}
    spec:
      containers:
        - name: app
          image: registry.example.com/app:v1
          envFrom: [{configMapRef: {name: settings}}]
---
apiVersion: v1
kind: Service
metadata: {name: %[1]s}
spec: {selector: {app: %[1]s}, ports: [{port: 80}]}
`, name)
	}
	files["base/kustomization.yaml"] = base
	return files
}

// BenchmarkBaseAndOverlay builds 21 objects in process.
func BenchmarkBaseAndOverlay(b *testing.B) {
	in := render.Inputs{Files: mapFS(application())}
	b.ReportAllocs()
	for b.Loop() {
		r, err := renderer().Render(b.Context(), in, request("overlay", nil))
		if err != nil || len(r.Objects) != 21 {
			b.Fatal(err, len(r.Objects))
		}
	}
}

// BenchmarkKustomizeBuild has the kustomize program build the same.
func BenchmarkKustomizeBuild(b *testing.B) {
	dir := writeTree(b, mapFS(application()))
	program := kustomizeProgram.get(b)
	for b.Loop() {
		if out, err := exec.Command(program, "build", filepath.Join(dir, "overlay")).CombinedOutput(); err != nil {
			b.Fatal(err, string(out))
		}
	}
}
