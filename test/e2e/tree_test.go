package e2e

import (
	"encoding/json"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// tree asks for the tree of an Application.
func (p *program) tree(t testing.TB, a *application) (*v1alpha1.ApplicationTree, error) {
	t.Helper()
	body, err := get(t.Context(), fmt.Sprintf("http://%s/api/v1/applications/%s/resource-tree?appNamespace=%s", p.api(t), a.name, a.home))
	if err != nil {
		return nil, err
	}
	out := &v1alpha1.ApplicationTree{}
	return out, json.Unmarshal([]byte(body), out)
}

func TestTheTreeOfAnApplicationIsServed(t *testing.T) {
	t.Parallel()
	i := install(t)
	p := i.start(t, nil)
	project := everything()
	project.OrphanedResources = &v1alpha1.OrphanedResourcesMonitorSettings{Ignore: []v1alpha1.OrphanedResourceKey{{Kind: "ConfigMap", Name: "known-*"}}}
	name := i.project(t, project)
	a := i.deploy(t, map[string]string{"web.yaml": deploymentYAML("web", 2, image)}, automated, inProject(name))
	a.await(t, settled...)
	eventually(t, "the tree", func() error {
		tree, err := p.tree(t, a)
		if err != nil {
			return err
		}
		pods := 0
		for _, n := range tree.Nodes {
			if n.Kind == "Pod" && len(n.ParentRefs) == 1 && n.ParentRefs[0].Kind == "ReplicaSet" && n.Health != nil && n.Health.Status == v1alpha1.HealthStatusHealthy {
				pods++
			}
		}
		if pods != 2 || tree.FindNode("apps", "Deployment", a.into, "web") == nil || len(tree.Hosts) == 0 || len(tree.OrphanedNodes) != 0 {
			return fmt.Errorf("it is %s", mustJSON(t, tree))
		}
		return nil
	})

	// Objects that belong to nobody are told of as they come and go.
	maps := i.kube.CoreV1().ConfigMaps(a.into)
	for _, name := range []string{"known-one", "stray"} {
		if _, err := maps.Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	a.await(t, hasCondition(v1alpha1.ApplicationConditionOrphanedResourceWarning, "1 orphaned resources"), settled[0])
	if tree, err := p.tree(t, a); err != nil || len(tree.OrphanedNodes) != 1 || tree.OrphanedNodes[0].Name != "stray" {
		t.Errorf("the orphans are %+v: %v", tree, err)
	}
	if err := maps.Delete(t.Context(), "stray", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	a.await(t, settled...)

	// A tree that cannot be drawn says why.
	beside := i.prepare(t, map[string]string{"a.yaml": configMapYAML("a")})
	beside.name += "-beside"
	beside.create(t, to(v1alpha1.ApplicationDestination{Name: "nowhere", Namespace: "default"}))
	eventually(t, "the refusal", func() error {
		_, err := p.tree(t, beside)
		if err == nil || !containsAll(err.Error(), []string{"503", "nowhere"}) {
			return fmt.Errorf("the answer is %w", err)
		}
		return nil
	})
}
