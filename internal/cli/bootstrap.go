package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/discovery"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/settings"
	"github.com/fairlead-cd/fairlead/internal/tenancy"
)

// checkCRDs refuses to start where the custom resources are not installed:
// nothing would happen, and nothing would say why.
func checkCRDs(ctx context.Context, client discovery.DiscoveryInterface) error {
	resources, err := client.ServerResourcesForGroupVersion(v1alpha1.SchemeGroupVersion.String())
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("asking the API server for its resources: %w", err)
	}
	missing := map[string]bool{v1alpha1.ApplicationPlural: true, v1alpha1.AppProjectPlural: true}
	if resources != nil {
		for _, resource := range resources.APIResources {
			delete(missing, resource.Name)
		}
	}
	if len(missing) == 0 {
		return ctx.Err()
	}
	names := make([]string, 0, len(missing))
	for name := range missing {
		names = append(names, name+"."+v1alpha1.Group)
	}
	return fmt.Errorf("the custom resources %s are not installed; run: kubectl apply --server-side -f deploy/crds", strings.Join(names, ", "))
}

// bootstrap creates what must exist, once the settings are known.
func (p *process) bootstrap(ctx context.Context) error {
	if err := p.settings.Ready(ctx); err != nil {
		return err
	}
	if err := p.settings.Ensure(ctx); err != nil {
		return fmt.Errorf("creating what is missing in the namespace %s: %w", p.namespace, err)
	}
	if err := tenancy.EnsureDefaultProject(ctx, p.client.AppProjects(p.namespace)); err != nil {
		return err
	}
	return nil
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
