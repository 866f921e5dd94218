package main

import (
	"fmt"
	"path/filepath"
)

// hints says where everything is and what to try.
func (d *demo) hints() {
	state := d.StateDir
	if absolute, err := filepath.Abs(state); err == nil {
		state = absolute
	}
	export := "# your KUBECONFIG holds\n"
	kubeconfig := "that of your KUBECONFIG"
	if d.cluster.kubeconfig != "" {
		kubeconfig = filepath.Join(state, filepath.Base(d.cluster.kubeconfig))
		export = "export KUBECONFIG=" + kubeconfig + "\n"
	}
	d.screen.Print(fmt.Sprintf(`
Where everything is
  page and API   http://%[1]s
  metrics        http://%[2]s/metrics
  Git            %[3]s
  kubeconfig     %[4]s
  logs           %[5]s

What to try, in another terminal
  %[6]s
  # Change a file and push it. Fairlead polls every few minutes; the annotation asks it to look at once.
  cd $(mktemp -d) && git clone -q %[3]s .
  sed -i.bak 's/Nothing on sale yet/Everything must go/' plain/storefront/web.yaml
  git -c user.name=me -c user.email=me@example.com commit -qam 'Open the shop' && git push -q
  kubectl -n argocd annotate application storefront argocd.argoproj.io/refresh=normal

  # Drift that is put back at once, and drift that is only shown.
  kubectl -n namespace-a scale deployment storefront-api --replicas=5
  kubectl -n namespace-a scale statefulset sessions --replicas=3

  # Sync by hand what was only shown.
  kubectl -n argocd patch application sessions --type=merge -p '{"operation":{"sync":{}}}'

  # Delete an Application: what it manages goes with it.
  kubectl -n argocd delete application gateway && kubectl -n namespace-b get all

Changes are shown below; Ctrl-C stops the demo.

`, d.listen, d.metrics, d.repo.URL(), kubeconfig, state, export))
}
