package e2e

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/test/cluster"
)

// startAnother starts a second cluster with its state in a folder.
func startAnother(t testing.TB, dir string) *controlPlane {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
	defer cancel()
	c, err := cluster.Start(ctx, cluster.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Stop() })
	return newControlPlane(t, c)
}

// register makes the Secret of a cluster.
func (i *installation) register(t testing.TB, name, server, config string, more map[string]string) string {
	t.Helper()
	data := map[string]string{"name": name, "server": server, "config": config}
	maps.Copy(data, more)
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: uniqueName("cluster"), Labels: map[string]string{"argocd.argoproj.io/secret-type": "cluster"}},
		StringData: data,
	}
	if _, err := i.kube.CoreV1().Secrets(i.namespace).Create(t.Context(), secret, metav1.CreateOptions{}); err != nil {
		t.Fatalf("registering a cluster: %v", err)
	}
	return secret.Name
}

// change writes one key of the Secret of a cluster.
func (i *installation) change(t testing.TB, secret, key, value string) {
	t.Helper()
	patch := mustJSON(t, map[string]any{"stringData": map[string]any{key: value}})
	if _, err := i.kube.CoreV1().Secrets(i.namespace).Patch(t.Context(), secret, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		t.Fatalf("changing the Secret of a cluster: %v", err)
	}
}

// configOf is the key config of a Secret that may do what a configuration may.
func configOf(t testing.TB, c *rest.Config) string {
	t.Helper()
	return string(mustJSON(t, v1alpha1.ClusterConfig{
		BearerToken: c.BearerToken, Username: c.Username, Password: c.Password,
		TLSClientConfig: v1alpha1.TLSClientConfig{CAData: c.CAData, CertData: c.CertData, KeyData: c.KeyData, ServerName: c.ServerName},
	}))
}

// tokenConfig is the key config for a bearer token.
func tokenConfig(t testing.TB, c *rest.Config, token string) string {
	t.Helper()
	return string(mustJSON(t, v1alpha1.ClusterConfig{BearerToken: token, TLSClientConfig: v1alpha1.TLSClientConfig{CAData: c.CAData}}))
}

// token makes a ServiceAccount that may do what the rules say, in one namespace or, when it is empty, everywhere.
func (c *controlPlane) token(t testing.TB, namespace string, rules ...rbacv1.PolicyRule) string {
	t.Helper()
	name, home := uniqueName("account"), namespace
	if home == "" {
		home = "default"
	}
	subject := []rbacv1.Subject{{Kind: "ServiceAccount", Name: name, Namespace: home}}
	meta := metav1.ObjectMeta{Name: name}
	ctx, rbac := t.Context(), c.kube.RbacV1()
	_, err := c.kube.CoreV1().ServiceAccounts(home).Create(ctx, &corev1.ServiceAccount{ObjectMeta: meta}, metav1.CreateOptions{})
	var errRole, errBinding error
	if namespace == "" {
		_, errRole = rbac.ClusterRoles().Create(ctx, &rbacv1.ClusterRole{ObjectMeta: meta, Rules: rules}, metav1.CreateOptions{})
		_, errBinding = rbac.ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{
			ObjectMeta: meta, Subjects: subject, RoleRef: rbacv1.RoleRef{APIGroup: "rbac.authorization.k8s.io", Kind: "ClusterRole", Name: name},
		}, metav1.CreateOptions{})
	} else {
		_, errRole = rbac.Roles(namespace).Create(ctx, &rbacv1.Role{ObjectMeta: meta, Rules: rules}, metav1.CreateOptions{})
		_, errBinding = rbac.RoleBindings(namespace).Create(ctx, &rbacv1.RoleBinding{
			ObjectMeta: meta, Subjects: subject, RoleRef: rbacv1.RoleRef{APIGroup: "rbac.authorization.k8s.io", Kind: "Role", Name: name},
		}, metav1.CreateOptions{})
	}
	if err := errors.Join(err, errRole, errBinding); err != nil {
		t.Fatalf("making the account %s: %v", name, err)
	}
	answer, err := c.kube.CoreV1().ServiceAccounts(home).CreateToken(ctx, name, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatalf("making a token for %s: %v", name, err)
	}
	return answer.Status.Token
}

func allow(groups, resources, verbs string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{APIGroups: strings.Split(groups, ","), Resources: strings.Split(resources, ","), Verbs: strings.Split(verbs, ",")}
}

// to sets the destination of an Application.
func to(destination v1alpha1.ApplicationDestination) change {
	return func(app *v1alpha1.Application) { app.Spec.Destination = destination }
}

// awaitValue waits until a ConfigMap of a cluster has a value.
func (c *controlPlane) awaitValue(t testing.TB, limit time.Duration, namespace, name, key, want string) {
	t.Helper()
	within(t, limit, "the ConfigMap "+name+" in "+namespace, func() error {
		found, err := c.kube.CoreV1().ConfigMaps(namespace).Get(t.Context(), name, metav1.GetOptions{})
		if err == nil && found.Data[key] != want {
			err = fmt.Errorf("its data are %v", found.Data)
		}
		return err
	})
}

var (
	selfHeal = automatedWith(v1alpha1.SyncPolicyAutomated{SelfHeal: new(true), Prune: new(true)})
	settled  = []check{isSync(v1alpha1.SyncStatusCodeSynced), isHealth(v1alpha1.HealthStatusHealthy), noConditions}
)

func TestClustersAppearChangeFailAndGo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	other := startAnother(t, dir)
	i := install(t)
	i.set(t, map[string]string{"timeout.reconciliation": "1h", "timeout.reconciliation.jitter": "0s"})
	p := i.start(t, nil)

	one := map[string]string{"settings.yaml": configMapYAML("settings", "key", "one")}
	two := map[string]string{"settings.yaml": configMapYAML("settings", "key", "two")}
	byName, byServer, local := i.prepare(t, one), i.prepare(t, one), i.prepare(t, one)
	byName.name, byServer.name, local.name = byName.name+"-name", byServer.name+"-server", local.name+"-local"
	namespaces := [2]string{uniqueName("into"), uniqueName("into")}
	other.createNamespace(t, namespaces[0])
	other.createNamespace(t, namespaces[1])
	byName.create(t, selfHeal, to(v1alpha1.ApplicationDestination{Name: "another", Namespace: namespaces[0]}))
	local.create(t, selfHeal, to(v1alpha1.ApplicationDestination{Name: "in-cluster", Namespace: i.cluster.Namespace(t)}))

	unknown := []check{isSync(v1alpha1.SyncStatusCodeUnknown), isHealth(v1alpha1.HealthStatusUnknown)}
	byName.await(t, append(unknown, hasCondition(v1alpha1.ApplicationConditionInvalidSpecError, `no cluster named "another"`))...)
	secret := i.register(t, "another", other.config.Host, configOf(t, other.config), nil)
	byServer.create(t, selfHeal, to(v1alpha1.ApplicationDestination{Server: other.config.Host + "/", Namespace: namespaces[1]}))
	byName.await(t, settled...)
	byServer.await(t, settled...)
	local.await(t, settled...)

	// Self-heal in both.
	for n, namespace := range namespaces {
		_, err := other.kube.CoreV1().ConfigMaps(namespace).Patch(t.Context(), "settings", types.MergePatchType, []byte(`{"data":{"key":"edited"}}`), metav1.PatchOptions{})
		if err != nil {
			t.Fatal(err)
		}
		other.awaitValue(t, patience, namespace, "settings", "key", "one")
		[]*application{byName, byServer}[n].await(t, settled...)
	}

	// The cluster is away; the other one goes on.
	if err := other.cluster.Stop(); err != nil {
		t.Fatal(err)
	}
	byName.await(t, append(unknown, hasCondition(v1alpha1.ApplicationConditionComparisonError, "cannot be reached"))...)
	local.push(t, two)
	local.refresh(t, v1alpha1.RefreshTypeNormal)
	i.awaitValue(t, soon, local.into, "settings", "key", "two")
	byServer.push(t, two)
	other = startAnother(t, dir)
	byName.await(t, settled...)
	byServer.refresh(t, v1alpha1.RefreshTypeNormal)
	other.awaitValue(t, patience, namespaces[1], "settings", "key", "two")

	// A credential that is not accepted, and one that is.
	i.change(t, secret, "config", tokenConfig(t, other.config, "nonsense"))
	byName.await(t, append(unknown, hasCondition(v1alpha1.ApplicationConditionComparisonError, "provide credentials"))...)
	if !strings.Contains(p.log.String(), "reached with its new configuration") || strings.Contains(p.log.String(), "nonsense") {
		t.Error("the log does not tell of the change, or it holds the token")
	}
	i.change(t, secret, "config", tokenConfig(t, other.config, other.token(t, "", allow("*", "*", "*"))))
	byName.await(t, settled...)
	i.change(t, secret, "config", `{"bearerToken": 1}`)
	byName.await(t, append(unknown, hasCondition(v1alpha1.ApplicationConditionInvalidSpecError, secret, "bearerToken has to be a string"))...)
	i.change(t, secret, "config", configOf(t, other.config))
	byName.await(t, settled...)

	// Two clusters of one name.
	twin := i.register(t, "another", "https://127.0.0.1:1", "{}", nil)
	byName.await(t, hasCondition(v1alpha1.ApplicationConditionInvalidSpecError, "2 clusters named"))
	i.change(t, twin, "name", "a-third")
	byName.await(t, settled...)

	// The Secret is removed: what is live stays.
	if err := i.kube.CoreV1().Secrets(i.namespace).Delete(t.Context(), secret, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	byServer.await(t, append(unknown, hasCondition(v1alpha1.ApplicationConditionInvalidSpecError, "no cluster with the server address"))...)
	other.awaitValue(t, patience, namespaces[1], "settings", "key", "two")
	i.register(t, "another", other.config.Host, configOf(t, other.config), nil)
	byServer.await(t, settled...)
	byName.await(t, settled...)
}

func TestAClusterIsUsedAsFarAsItsPermissionsGo(t *testing.T) {
	t.Parallel()
	i := install(t)
	p := i.start(t, nil)
	config := i.config
	nonResource := rbacv1.PolicyRule{NonResourceURLs: []string{"*"}, Verbs: []string{"get"}}
	token := i.token(t, "", allow("", "configmaps", "*"), allow("", "secrets", "get,create,patch,delete"), nonResource)
	// The same API server by another address is another cluster.
	server := strings.Replace(config.Host, "127.0.0.1", "localhost", 1)
	if server == config.Host {
		t.Fatalf("the server %s has no second address", server)
	}
	i.register(t, "limited", server, tokenConfig(t, config, token), nil)
	destination := v1alpha1.ApplicationDestination{Name: "limited", Namespace: i.cluster.Namespace(t)}
	for _, mode := range []string{"", "normal", "strict"} {
		i.set(t, map[string]string{"resource.respectRBAC": mode})
		a := i.prepare(t, map[string]string{"settings.yaml": configMapYAML("settings-"+mode+"a", "key", "one")})
		a.name += "-" + mode + "a"
		a.create(t, selfHeal, to(destination))
		a.await(t, settled...)
	}
	if !strings.Contains(p.log.String(), "kind may not be watched") {
		t.Error("the log does not say that kinds may not be watched")
	}
	secret := i.prepare(t, map[string]string{"secret.yaml": objectYAML("v1", "Secret", "plain", "") + "stringData: {key: value}\n"})
	secret.name += "-secret"
	secret.create(t, to(destination))
	secret.await(t, isSync(v1alpha1.SyncStatusCodeOutOfSync), noConditions) // it may be read, though not listed
	secret.mustSync(t, v1alpha1.SyncOperation{})
	secret.await(t, synced, noConditions)
	secret.push(t, map[string]string{"-secret.yaml": "", "other.yaml": configMapYAML("other")})
	secret.refresh(t, v1alpha1.RefreshTypeNormal)
	secret.await(t, noConditions, func(app *v1alpha1.Application) error {
		if res := resourceOfStatus(app, "Secret", "plain"); res == nil || !res.RequiresPruning {
			return fmt.Errorf("the Secret that is not in Git any more is %+v", res)
		}
		return nil
	})
	secret.mustSync(t, v1alpha1.SyncOperation{Prune: true})
	secret.await(t, synced, noConditions)
	if _, err := i.kube.CoreV1().Secrets(secret.into).Get(t.Context(), "plain", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("the Secret is there: %v", err)
	}
	account := i.prepare(t, map[string]string{"account.yaml": objectYAML("v1", "ServiceAccount", "plain", "")})
	account.name += "-account"
	account.create(t, to(destination))
	account.await(t, hasCondition(v1alpha1.ApplicationConditionComparisonError, "may be neither listed nor read"))
	// One that was synced when there was a permission, and is not in Git any more.
	former := i.prepare(t, map[string]string{"settings.yaml": configMapYAML("settings-former", "key", "one")})
	former.name += "-former"
	former.create(t, selfHeal, to(destination), func(app *v1alpha1.Application) {
		app.Status.Resources = []v1alpha1.ResourceStatus{{Version: "v1", Kind: "ServiceAccount", Namespace: destination.Namespace, Name: "former"}}
	})
	told := hasCondition(v1alpha1.ApplicationConditionExcludedResourceWarning, "former is not in the source any more, and is not pruned")
	former.await(t, synced, told)
	former.refresh(t, v1alpha1.RefreshTypeNormal)
	former.await(t, synced, told)
}

func TestAClusterMayBeLimitedToNamespaces(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.start(t, nil)
	inside, outside := i.cluster.Namespace(t), i.cluster.Namespace(t)
	server := strings.Replace(i.config.Host, "127.0.0.1", "localhost", 1)
	secret := i.register(t, "narrow", server, tokenConfig(t, i.config, i.token(t, inside, allow("*", "*", "*"))), map[string]string{"namespaces": inside})
	files := map[string]string{"settings.yaml": configMapYAML("settings", "key", "one")}
	within := i.prepare(t, files)
	within.create(t, selfHeal, to(v1alpha1.ApplicationDestination{Name: "narrow", Namespace: inside}))
	within.await(t, settled...)
	beside := i.prepare(t, files)
	beside.name += "-beside"
	beside.create(t, selfHeal, to(v1alpha1.ApplicationDestination{Name: "narrow", Namespace: outside}))
	beside.await(t, hasCondition(v1alpha1.ApplicationConditionComparisonError, outside, "not among those that are managed"))
	above := i.prepare(t, map[string]string{"role.yaml": objectYAML("rbac.authorization.k8s.io/v1", "ClusterRole", uniqueName("narrow"), "") + "rules: [{apiGroups: [''], resources: [pods], verbs: [get]}]\n"})
	above.name += "-above"
	above.create(t, selfHeal, to(v1alpha1.ApplicationDestination{Name: "narrow", Namespace: inside}))
	above.await(t, hasCondition(v1alpha1.ApplicationConditionComparisonError, "outside of namespaces are not managed"))

	// More namespaces, and what is outside of namespaces, with the permissions for it.
	i.change(t, secret, "config", tokenConfig(t, i.config, i.token(t, "", allow("*", "*", "*"))))
	i.change(t, secret, "clusterResources", "true")
	i.change(t, secret, "namespaces", inside+", "+outside)
	for _, a := range []*application{within, beside, above} {
		a.await(t, settled[0], noConditions)
	}
}

func TestKindsAreExcludedAndIncludedWhileRunning(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.start(t, nil)
	a := i.deploy(t, map[string]string{"settings.yaml": configMapYAML("settings", "key", "one"), "secret.yaml": objectYAML("v1", "Secret", "plain", "") + "stringData: {key: value}\n"}, selfHeal)
	a.await(t, settled...)
	i.set(t, map[string]string{"resource.exclusions": "- apiGroups: ['']\n  kinds: [ConfigMap]\n  clusters: ['*']\n"})
	a.await(t, hasCondition(v1alpha1.ApplicationConditionExcludedResourceWarning, "settings"))
	if got := resourceOfStatus(a.get(t), "ConfigMap", "settings"); got != nil {
		t.Errorf("the excluded object is in the status: %+v", got)
	}
	a.mustBeLive(t, "settings")
	i.set(t, map[string]string{"resource.exclusions": "", "resource.inclusions": "- apiGroups: ['']\n  kinds: [ConfigMap]\n"})
	a.await(t, hasCondition(v1alpha1.ApplicationConditionExcludedResourceWarning, "plain"), resourceIs("ConfigMap", "settings", v1alpha1.SyncStatusCodeSynced))
	i.set(t, map[string]string{"resource.inclusions": ""})
	a.await(t, settled...)
	a.patchLive(t, "settings", `{"data":{"key":"edited"}}`)
	a.awaitData(t, "settings", "key", "one")
}

func TestControllersShareTheClusters(t *testing.T) {
	t.Parallel()
	i := install(t)
	first := i.start(t, []string{"ARGOCD_CONTROLLER_REPLICAS=2", "ARGOCD_CONTROLLER_SHARD=0"})
	second := i.start(t, []string{"ARGOCD_CONTROLLER_REPLICAS=2", "ARGOCD_CONTROLLER_SHARD=1"}, "--sharding-method", "round-robin")
	server := strings.Replace(i.config.Host, "127.0.0.1", "localhost", 1)
	secret := i.register(t, "shared-out", server, configOf(t, i.config), map[string]string{"shard": "1"})
	files := map[string]string{"settings.yaml": configMapYAML("settings", "key", "one")}
	ours, theirs := i.deploy(t, files, selfHeal), i.prepare(t, files)
	theirs.name += "-theirs"
	theirs.create(t, selfHeal, to(v1alpha1.ApplicationDestination{Name: "shared-out", Namespace: i.cluster.Namespace(t)}))
	ours.await(t, settled...)
	theirs.await(t, settled...)
	finished := "operation finished"
	if strings.Contains(first.log.about(theirs.name), finished) || strings.Contains(second.log.about(ours.name), finished) ||
		!strings.Contains(second.log.about(theirs.name), finished) {
		t.Errorf("the wrong controller synced an Application:\n%s\nand\n%s", first.log, second.log)
	}
	i.change(t, secret, "shard", "0")
	theirs.push(t, map[string]string{"settings.yaml": configMapYAML("settings", "key", "two")})
	theirs.refresh(t, v1alpha1.RefreshTypeNormal)
	i.awaitValue(t, patience, theirs.into, "settings", "key", "two")
	eventually(t, "the change of the controller", func() error {
		if !strings.Contains(first.log.about(theirs.name), finished) {
			return errors.New("the first one has not synced it")
		}
		return nil
	})
}
