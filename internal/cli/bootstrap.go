package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/discovery"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/settings"
	"github.com/fairlead-cd/fairlead/internal/tenancy"
)

// awaitCRDs refuses to start where the custom resources are not installed:
// nothing would happen, and nothing would say why. It gives those that were
// made just now a moment to be served.
func awaitCRDs(ctx context.Context, client discovery.DiscoveryInterface) error {
	var missing []string
	err := wait.PollUntilContextTimeout(ctx, 250*time.Millisecond, 5*time.Second, true, func(context.Context) (bool, error) {
		var err error
		missing, err = missingCRDs(client)
		return len(missing) == 0, err
	})
	if len(missing) > 0 && ctx.Err() == nil {
		return fmt.Errorf("the custom resources %s are not installed; run: kubectl apply --server-side -f deploy/crds", strings.Join(missing, ", "))
	}
	return err
}

func missingCRDs(client discovery.DiscoveryInterface) ([]string, error) {
	resources, err := client.ServerResourcesForGroupVersion(v1alpha1.SchemeGroupVersion.String())
	if err != nil && !apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("asking the API server for its resources: %w", err)
	}
	served := make(map[string]bool)
	if resources != nil {
		for i := range resources.APIResources {
			served[resources.APIResources[i].Name] = true
		}
	}
	var missing []string
	for _, plural := range []string{v1alpha1.ApplicationPlural, v1alpha1.AppProjectPlural} {
		if !served[plural] {
			missing = append(missing, plural+"."+v1alpha1.Group)
		}
	}
	return missing, nil
}

// bootstrap creates what must exist, once the settings are known.
func (p *process) bootstrap(ctx context.Context) error {
	if err := p.settings.Ready(ctx); err != nil {
		return err
	}
	if !p.worksOnApplications() {
		return nil // others do, and this process may have no permission
	}
	if err := p.settings.Ensure(ctx); err != nil {
		return fmt.Errorf("creating what is missing in the namespace %s: %w", p.namespace, err)
	}
	return tenancy.EnsureDefaultProject(ctx, p.client.AppProjects(p.namespace))
}

// defaultSettings are the defaults as the environment changes them. A key in
// argocd-cm goes before them, so that changing it takes effect at once.
func (c *config) defaultSettings() (*settings.Settings, error) {
	defaults := settings.Defaults()
	for _, variable := range []struct {
		name, text string
		target     *time.Duration
	}{
		{"ARGOCD_RECONCILIATION_TIMEOUT", c.reconciliation, &defaults.Reconciliation},
		{"ARGOCD_RECONCILIATION_JITTER", c.reconciliationJitter, &defaults.ReconciliationJitter},
		{"ARGOCD_HARD_RECONCILIATION_TIMEOUT", c.hardReconciliation, &defaults.HardReconciliation},
	} {
		if variable.text == "" {
			continue
		}
		if err := (*seconds)(variable.target).Set(variable.text); err != nil {
			return nil, fmt.Errorf("environment variable %s: %w", variable.name, err)
		}
	}
	return defaults, nil
}
