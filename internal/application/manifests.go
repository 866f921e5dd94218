package application

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/fairlead-cd/fairlead/internal/render"
)

// local is what is desired by the manifests that an operation brings along, in
// place of what the sources render to.
func (r *reconciliation) local(manifests []string) (*desired, error) {
	result := &render.Result{Objects: make([]render.Object, 0, len(manifests))}
	all := sha256.New()
	for i, manifest := range manifests {
		obj := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(manifest), &obj.Object); err != nil {
			return nil, attemptFailed("the manifest %d of the operation is neither JSON nor YAML: %v", i+1, err)
		}
		if obj.GetKind() == "" || obj.GetAPIVersion() == "" || nameOf(obj) == "" {
			return nil, attemptFailed("the manifest %d of the operation is no object: it lacks apiVersion, kind or metadata.name", i+1)
		}
		if obj.IsList() {
			return nil, attemptFailed("the manifest %d of the operation is a list; send its items one by one", i+1)
		}
		sum := sha256.Sum256([]byte(manifest))
		all.Write(sum[:])
		result.Objects = append(result.Objects, render.Object{
			Unstructured: obj, File: fmt.Sprintf("the manifest %d of the operation", i+1), Hash: hex.EncodeToString(sum[:]),
		})
	}
	result.Digest = "local " + hex.EncodeToString(all.Sum(nil))
	return &desired{sources: r.desired.sources, result: result}, nil
}
