//go:build linux

package main

import (
	"fmt"
	"strings"
	"testing/fstest"
)

// objectsPerFolder is how many objects one Application has, beside its
// namespace.
const objectsPerFolder = 7

// folderManifest is one folder of the generated monorepo: what a small web
// service usually has.
const folderManifest = `apiVersion: v1
kind: ServiceAccount
metadata: {name: web}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: web}
data: {revision: "%[1]s", settings.yaml: "listen: 8080\nworkers: 4\n"}
---
apiVersion: v1
kind: Secret
metadata: {name: web}
stringData: {token: not-a-secret-%[1]s}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: 8080}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      serviceAccountName: web
      containers:
      - name: web
        image: registry.k8s.io/pause:3.10
        ports: [{name: http, containerPort: 8080}]
        envFrom: [{configMapRef: {name: web}}]
        resources: {requests: {cpu: 10m, memory: 16Mi}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web}
spec:
  podSelector: {matchLabels: {app: web}}
  policyTypes: [Ingress]
  ingress: [{ports: [{port: 8080, protocol: TCP}]}]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec:
  maxUnavailable: 1
  selector: {matchLabels: {app: web}}
`

func folder(i int) string { return fmt.Sprintf("apps/app-%04d", i) }

func manifest(revision string) string {
	return strings.ReplaceAll(folderManifest, "%[1]s", revision)
}

// monorepo is a repository with one folder for each Application.
func (b *bench) monorepo() fstest.MapFS {
	files := fstest.MapFS{"README.md": {Data: []byte("A generated monorepo.\n")}}
	for i := range b.applications {
		for name, content := range b.folderFiles(i, "1") {
			files[name] = &fstest.MapFile{Data: []byte(content)}
		}
	}
	return files
}

// folderFiles are the files of one Application, which give the objects of a revision.
func (b *bench) folderFiles(i int, revision string) map[string]string {
	if b.charts == nil {
		return map[string]string{folder(i) + "/manifests.yaml": manifest(revision)}
	}
	return map[string]string{
		folder(i) + "/Chart.yaml": fmt.Sprintf("apiVersion: v2\nname: app-%04d\nversion: 0.1.0\n"+
			"dependencies:\n- {name: service, version: 1.0.0, repository: %q}\n", i, b.charts.URL()),
		folder(i) + "/values.yaml": fmt.Sprintf("service: {revision: %q}\n", revision),
	}
}
