package e2e

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/test/cluster"
)

func TestAtStartItCreatesWhatMustExist(t *testing.T) {
	t.Parallel()
	i := install(t)
	first := i.start(t, nil)
	secrets := i.kube.CoreV1().Secrets(i.namespace)

	t.Run("the project default, which permits everything and has no finalizer", func(t *testing.T) {
		project, err := i.argo.AppProjects(i.namespace).Get(t.Context(), "default", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if len(project.Finalizers) > 0 {
			t.Errorf("finalizers = %q", project.Finalizers)
		}
		want := everything()
		if !slices.Equal(project.Spec.SourceRepos, want.SourceRepos) || !slices.Equal(project.Spec.Destinations, want.Destinations) ||
			!slices.Equal(project.Spec.ClusterResourceWhitelist, want.ClusterResourceWhitelist) {
			t.Errorf("it permits %+v", project.Spec)
		}
	})
	secret, err := secrets.Get(t.Context(), "argocd-secret", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Run("the keys of argocd-secret", func(t *testing.T) {
		for _, key := range []string{"server.secretkey", "admin.password", "admin.passwordMtime"} {
			if len(secret.Data[key]) == 0 {
				t.Errorf("%s is empty", key)
			}
		}
		if !strings.HasPrefix(string(secret.Data["admin.password"]), "$2") {
			t.Error("the password of admin is not hashed by bcrypt")
		}
	})
	t.Run("the password of admin", func(t *testing.T) {
		initial, err := secrets.Get(t.Context(), "argocd-initial-admin-secret", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if len(initial.Data["password"]) == 0 || strings.Contains(first.log.String(), string(initial.Data["password"])) {
			t.Error("the password is empty, or it is in the log")
		}
	})
	t.Run("the ConfigMaps", func(t *testing.T) {
		for _, name := range []string{
			"argocd-cm", "argocd-rbac-cm", "argocd-cmd-params-cm", "argocd-tls-certs-cm", "argocd-ssh-known-hosts-cm", "argocd-gpg-keys-cm",
		} {
			found, err := i.kube.CoreV1().ConfigMaps(i.namespace).Get(t.Context(), name, metav1.GetOptions{})
			if err != nil || found.Labels["app.kubernetes.io/part-of"] != "argocd" {
				t.Errorf("%s: %v, labels %v", name, err, found.Labels)
			}
		}
	})
	t.Run("and leaves what is there alone the next time", func(t *testing.T) {
		if err := secrets.Delete(t.Context(), "argocd-initial-admin-secret", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		project, err := i.argo.AppProjects(i.namespace).Get(t.Context(), "default", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		project.Spec.SourceRepos = []string{"https://git.example.com/*"}
		if _, err := i.argo.AppProjects(i.namespace).Update(t.Context(), project, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		if err := first.stop(); err != nil {
			t.Fatal(err)
		}
		i.start(t, nil)
		again, err := secrets.Get(t.Context(), "argocd-secret", metav1.GetOptions{})
		if err != nil || again.ResourceVersion != secret.ResourceVersion {
			t.Errorf("argocd-secret was written: %v", err)
		}
		if project, err = i.argo.AppProjects(i.namespace).Get(t.Context(), "default", metav1.GetOptions{}); err != nil || len(project.Spec.SourceRepos) != 1 ||
			project.Spec.SourceRepos[0] != "https://git.example.com/*" {
			t.Errorf("the project was written: %+v, %v", project.Spec, err)
		}
		if _, err := secrets.Get(t.Context(), "argocd-initial-admin-secret", metav1.GetOptions{}); err == nil {
			t.Error("the initial password came back")
		}
	})
}

func TestWithoutItsDefinitionsItSaysWhatToRun(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	bare, err := cluster.Start(ctx, cluster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := bare.Stop(); err != nil {
			t.Error(err)
		}
	})
	i := &installation{controlPlane: newControlPlane(t, bare), namespace: "argocd"}
	i.createNamespace(t, i.namespace)
	message := i.begin(t, nil).failure(t)
	for _, want := range []string{"applications.argoproj.io", "appprojects.argoproj.io", "kubectl apply --server-side -f deploy/crds"} {
		if !strings.Contains(message, want) {
			t.Errorf("the message does not hold %q: %s", want, message)
		}
	}

	t.Run("and with them it finds the cluster where kubectl does, in the namespace argocd", func(t *testing.T) {
		installDefinitions(t, i.dynamic)
		arguments := []string{"run", "--insecure", "--disable-auth", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"}
		inHome := t.TempDir()
		if err := os.Mkdir(filepath.Join(inHome, ".kube"), 0o700); err != nil {
			t.Fatal(err)
		}
		kubeconfig, err := os.ReadFile(bare.Kubeconfig())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(inHome, ".kube", "config"), kubeconfig, 0o600); err != nil {
			t.Fatal(err)
		}
		for name, test := range map[string]struct {
			home string
			env  []string
		}{
			"KUBECONFIG":     {t.TempDir(), []string{"KUBECONFIG=" + bare.Kubeconfig()}},
			"~/.kube/config": {inHome, nil},
		} {
			p, err := run(test.home, test.env, arguments)
			if err != nil {
				t.Fatal(err)
			}
			err = p.awaitReady(t.Context())
			if err := p.stop(); err != nil {
				t.Error(err)
			}
			if err != nil {
				t.Errorf("by %s: %v\n%s", name, err, p.log)
			}
		}
		if _, err := i.argo.AppProjects("argocd").Get(t.Context(), "default", metav1.GetOptions{}); err != nil {
			t.Error(err)
		}
	})
}

func TestAWrongConfigurationIsRefusedWithItsOrigin(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		args, env []string
		params    map[string]string
		want      []string
	}{
		"an unknown flag":             {args: []string{"--no-such-flag"}, want: []string{"unknown flag", "--no-such-flag"}},
		"a flag":                      {args: []string{"--log-level=loud"}, want: []string{"--log-level", "loud", "debug, info, warn or error"}},
		"an unknown component":        {args: []string{"--components=controler"}, want: []string{"controler", "controller"}},
		"an address":                  {args: []string{"--metrics-listen=nowhere:port"}, want: []string{"--metrics-listen"}},
		"a variable":                  {env: []string{"FAIRLEAD_STATUS_PROCESSORS=many"}, want: []string{"FAIRLEAD_STATUS_PROCESSORS", "many"}},
		"a variable of Argo CD's":     {env: []string{"ARGOCD_RECONCILIATION_TIMEOUT=soon"}, want: []string{"ARGOCD_RECONCILIATION_TIMEOUT", "soon"}},
		"a key of the ConfigMap":      {params: map[string]string{"controller.status.processors": "many"}, want: []string{"controller.status.processors", "argocd-cmd-params-cm"}},
		"a kubeconfig that is absent": {args: []string{"--kubeconfig=/no/such/file"}, want: []string{"/no/such/file", "--kubeconfig"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := install(t)
			if test.params != nil {
				i.setIn(t, "argocd-cmd-params-cm", test.params)
			}
			message := i.begin(t, test.env, test.args...).failure(t)
			if !containsAll(message, test.want) {
				t.Errorf("the message does not hold %q: %s", test.want, message)
			}
		})
	}
}

func TestApplicationsInOtherNamespaces(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		// with returns the environment, flags and parameters that name a namespace.
		with func(namespace string) (env, args []string, params map[string]string)
	}{
		"by --application-namespaces, which goes before a variable": {func(namespace string) ([]string, []string, map[string]string) {
			return []string{"FAIRLEAD_APPLICATION_NAMESPACES=elsewhere"}, []string{"--application-namespaces", "other," + namespace[:len(namespace)-2] + "*"}, nil
		}},
		"by FAIRLEAD_APPLICATION_NAMESPACES, which goes before Argo CD's": {func(namespace string) ([]string, []string, map[string]string) {
			return []string{"FAIRLEAD_APPLICATION_NAMESPACES=" + namespace, "ARGOCD_APPLICATION_NAMESPACES=elsewhere"}, nil, nil
		}},
		"by ARGOCD_APPLICATION_NAMESPACES, which goes before the ConfigMap": {func(namespace string) ([]string, []string, map[string]string) {
			return []string{"ARGOCD_APPLICATION_NAMESPACES=" + namespace}, nil, map[string]string{"application.namespaces": "elsewhere"}
		}},
		"by application.namespaces in argocd-cmd-params-cm": {func(namespace string) ([]string, []string, map[string]string) {
			return nil, nil, map[string]string{"application.namespaces": "elsewhere, " + namespace}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := install(t)
			home := i.cluster.Namespace(t)
			env, args, params := test.with(home)
			if params != nil {
				i.setIn(t, "argocd-cmd-params-cm", params)
			}
			i.start(t, env, args...)
			spec := everything()
			project := i.project(t, spec)

			a := i.prepare(t, map[string]string{"one.yaml": configMapYAML("one")})
			a.home, a.into = home, i.cluster.Namespace(t)
			a.create(t, automated, inProject(project))
			a.await(t, hasCondition(v1alpha1.ApplicationConditionInvalidSpecError, home, "sourceNamespaces"))
			a.mustNotBeLive(t, "one")

			found, err := i.argo.AppProjects(i.namespace).Get(t.Context(), project, metav1.GetOptions{})
			if err != nil {
				t.Fatal(err)
			}
			found.Spec.SourceNamespaces = []string{home}
			if _, err := i.argo.AppProjects(i.namespace).Update(t.Context(), found, metav1.UpdateOptions{}); err != nil {
				t.Fatal(err)
			}
			a.await(t, synced, healthy, noConditions)
			if got := a.configMap(t, "one").Annotations["argocd.argoproj.io/tracking-id"]; !strings.HasPrefix(got, home+"_"+a.name+":") {
				t.Errorf("tracking id = %q", got)
			}

			beyond := i.prepare(t, map[string]string{"two.yaml": configMapYAML("two")})
			beyond.home, beyond.into = i.cluster.Namespace(t), a.into
			beyond.create(t, automated, inProject("default"))
			i.othersSync(t) // by then the other would have been looked at
			if app := beyond.get(t); app.Status.ReconciledAt != nil || app.Status.Sync.Status != "" {
				t.Errorf("an Application of a namespace that is not honoured was looked at: %s", summaryOf(app))
			}
		})
	}
}
