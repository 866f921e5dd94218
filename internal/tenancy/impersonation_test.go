package tenancy_test

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/tenancy"
)

func TestServiceAccountOfADestination(t *testing.T) {
	t.Parallel()
	accounts := []v1alpha1.ApplicationDestinationServiceAccount{
		{Server: "https://one.example.com", Namespace: "team-*", DefaultServiceAccount: "deployer"},
		{Server: "https://one.example.com", Namespace: "*", DefaultServiceAccount: "ops:admin"},
		{Server: "https://two.example.com", Namespace: "*", DefaultServiceAccount: "a:b:c"},
		{Server: "https://three.example.com", Namespace: "*"},
	}
	project := tenancy.New(&v1alpha1.AppProject{
		ObjectMeta: metav1.ObjectMeta{Name: "shop"}, Spec: v1alpha1.AppProjectSpec{DestinationServiceAccounts: accounts},
	})
	for name, test := range map[string]struct{ server, namespace, want, fault string }{
		"the first that matches counts":       {"https://one.example.com", "team-a", "system:serviceaccount:team-a:deployer", ""},
		"one of another namespace":            {"https://one.example.com", "kube-system", "system:serviceaccount:ops:admin", ""},
		"a destination without a namespace":   {"https://one.example.com", "", "system:serviceaccount:ops:admin", ""},
		"a name that is none":                 {"https://two.example.com", "a", "", `"a:b:c"`},
		"an entry without an account":         {"https://three.example.com", "a", "", "NAMESPACE:NAME"},
		"a destination that no entry matches": {"https://four.example.com", "a", "", "names no service account"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := project.ServiceAccount(tenancy.Destination{Server: test.server, Namespace: test.namespace}, "argocd")
			if got != test.want || (err == nil) != (test.fault == "") || err != nil && !strings.Contains(err.Error(), test.fault) {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}
