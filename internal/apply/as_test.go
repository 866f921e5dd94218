package apply_test

import (
	"errors"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/fairlead-cd/fairlead/internal/apply"
	"github.com/fairlead-cd/fairlead/internal/plan"
)

func TestObjectsAreWrittenAsAnotherUser(t *testing.T) {
	t.Parallel()
	c := newTarget(t)
	const role = `{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: deployer}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: edit}, subjects: [{kind: ServiceAccount, name: deployer}]}`
	binding := c.step(t, plan.Create, role)
	account := "system:serviceaccount:" + c.namespace + ":deployer"
	step := c.step(t, plan.Create, `{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: "1"}}`)
	applier := apply.New(c, 1)
	deployer := applier.As(account)
	outcome := deployer.Run(t.Context(), []plan.Step{step}, apply.Options{})[0]
	if !refusedFor(outcome.Err, apply.Forbidden, "configmap/a", account, "cannot patch") || !apierrors.IsForbidden(outcome.Err) {
		t.Errorf("without a permission: %v", outcome.Err)
	}
	hidden := c.step(t, plan.Create, `{apiVersion: v1, kind: Secret, metadata: {name: a}}`)
	if outcome := deployer.Run(t.Context(), []plan.Step{hidden}, apply.Options{})[0]; !refusedFor(outcome.Err, apply.Forbidden, account, "cannot patch") {
		t.Errorf("a secret without a permission: %v", outcome.Err)
	}
	if outcome := applier.Run(t.Context(), []plan.Step{binding}, apply.Options{})[0]; outcome.Err != nil {
		t.Fatal(outcome.Err)
	}
	for { // the authorizer sees it a moment later
		outcome := deployer.Run(t.Context(), []plan.Step{step}, apply.Options{})[0]
		if outcome.Err == nil {
			break
		}
		if refusal, _ := errors.AsType[*apply.Refusal](outcome.Err); refusal == nil || refusal.Reason != apply.Forbidden {
			t.Fatal(outcome.Err)
		}
		pause(t)
	}
	if managers := c.get(t, "a").GetManagedFields(); len(managers) != 1 || managers[0].Manager != apply.FieldManager {
		t.Errorf("managed by %v", managers)
	}
	if len(c.observed) != 2 {
		t.Errorf("observed %q, whoever wrote it", c.observed)
	}
}
