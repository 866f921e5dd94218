package tenancy_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/yaml"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/settings"
	"github.com/fairlead-cd/fairlead/internal/tenancy"
)

func project(t *testing.T, spec string) *v1alpha1.AppProject {
	t.Helper()
	p := &v1alpha1.AppProject{ObjectMeta: metav1.ObjectMeta{Name: "team"}}
	if err := yaml.UnmarshalStrict([]byte(spec), &p.Spec); err != nil {
		t.Fatalf("fixture: %v", err)
	}
	return p
}

// expect compares a verdict with "" for allowed, or with a part of the sentence.
func expect(t *testing.T, err error, refused string) {
	t.Helper()
	switch {
	case refused == "" && err != nil:
		t.Errorf("refused: %v", err)
	case refused != "" && err == nil:
		t.Error("allowed")
	case refused != "" && !strings.Contains(err.Error(), refused):
		t.Errorf("got  %v\nwant %s", err, refused)
	}
}

func TestSource(t *testing.T) {
	const none = "no entry of spec.sourceRepos allows it"
	for sentence, c := range map[string]struct{ spec, url, refused string }{
		"a star allows every repository":                  {`sourceRepos: ["*"]`, "https://example.com/a/b", ""},
		"an empty list allows none":                       {`sourceRepos: []`, "https://example.com/a/b", none},
		"the exact address is allowed":                    {`sourceRepos: [https://example.com/a]`, "https://example.com/a", ""},
		"another spelling of it too":                      {`sourceRepos: [https://example.com/a.git]`, "https://EXAMPLE.com/a", ""},
		"both forms of SSH are the same":                  {`sourceRepos: ["git@example.com:org/a"]`, "ssh://git@example.com/org/a.git", ""},
		"a star stays within a segment":                   {`sourceRepos: ["https://example.com/*"]`, "https://example.com/a/b", none},
		"a star matches a segment":                        {`sourceRepos: ["https://example.com/org-*/*"]`, "https://example.com/org-1/b", ""},
		"two stars match segments":                        {`sourceRepos: ["https://example.com/**"]`, "https://example.com/a/b/c", ""},
		"a negation forbids although others allow":        {`sourceRepos: ["*", "!https://example.com/secret"]`, "https://example.com/secret.git", "the entry !https://example.com/secret of spec.sourceRepos forbids it"},
		"a negation with stars forbids":                   {`sourceRepos: ["!https://example.com/group/**", "*"]`, "https://example.com/group/a/b", "forbids it"},
		"a negation leaves others to the rest":            {`sourceRepos: ["!https://example.com/secret", "*"]`, "https://example.com/open", ""},
		"a pattern that cannot be read allows nothing":    {`sourceRepos: ["https://example.com/[a"]`, "https://example.com/[a", none},
		"and forbids when it was to forbid":               {`sourceRepos: ["*", "!https://example.com/[a"]`, "https://example.com/b", "forbids it"},
		"an address that is none is allowed only by star": {`sourceRepos: ["https://**"]`, "http://[::bad", none},
	} {
		t.Run(sentence, func(t *testing.T) {
			expect(t, tenancy.New(project(t, c.spec)).Source(c.url), c.refused)
		})
	}
}

func TestRefusalSaysEverything(t *testing.T) {
	err := tenancy.New(project(t, `sourceRepos: ["https://example.com/*"]`)).Source("https://example.org/a")
	want := "application repo https://example.org/a is not permitted in project 'team': no entry of spec.sourceRepos allows it; add the repository to the project, or use another project"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	var refusal *tenancy.Refusal
	if !errors.As(err, &refusal) || refusal.Project != "team" || refusal.Field != "sourceRepos" || refusal.Entry != "" {
		t.Errorf("%+v", refusal)
	}
}

func TestDestination(t *testing.T) {
	const none = "no entry of spec.destinations allows it"
	at := func(server, name, namespace string) tenancy.Destination {
		return tenancy.Destination{Server: server, Name: name, Namespace: namespace}
	}
	dev := at("https://dev.example.com", "dev-cluster", "namespace-a")
	for sentence, c := range map[string]struct {
		spec    string
		to      tenancy.Destination
		refused string
	}{
		"server and namespace match":                       {`destinations: [{server: https://dev.example.com, namespace: namespace-a}]`, dev, ""},
		"name and namespace match":                         {`destinations: [{name: dev-cluster, namespace: namespace-a}]`, dev, ""},
		"stars match":                                      {`destinations: [{server: "*", namespace: "*"}]`, dev, ""},
		"glob patterns match":                              {`destinations: [{server: "https://*.example.com", namespace: "namespace-*"}]`, dev, ""},
		"another namespace does not":                       {`destinations: [{server: "*", namespace: namespace-b}]`, dev, none},
		"another server does not":                          {`destinations: [{server: https://prod.example.com, namespace: "*"}]`, dev, none},
		"an empty list allows none":                        {`destinations: []`, dev, none},
		"an entry without cluster allows none":             {`destinations: [{namespace: "*"}]`, dev, none},
		"a forbidden namespace":                            {`destinations: [{server: "*", namespace: "*"}, {server: "*", namespace: "!namespace-a"}]`, dev, "the entry {server: *, namespace: !namespace-a} of spec.destinations forbids it"},
		"all but a forbidden namespace":                    {`destinations: [{server: "*", namespace: "!kube-system"}]`, dev, ""},
		"a forbidden server":                               {`destinations: [{server: "!https://dev.*", namespace: "*"}, {server: "*", namespace: "*"}]`, dev, "forbids it"},
		"a forbidden server in another namespace":          {`destinations: [{server: "!https://dev.*", namespace: namespace-b}, {server: "*", namespace: "*"}]`, dev, ""},
		"a forbidden name":                                 {`destinations: [{name: "!dev-*", namespace: "*"}, {server: "*", namespace: "*"}]`, dev, "forbids it"},
		"a forbidden namespace elsewhere does not matter":  {`destinations: [{server: https://prod.example.com, namespace: "!namespace-a"}, {server: "*", namespace: "*"}]`, dev, ""},
		"only clusters of the project, and this is none":   {"destinations: [{server: '*', namespace: '*'}]\npermitOnlyProjectScopedClusters: true", dev, "spec.permitOnlyProjectScopedClusters"},
		"only clusters of the project, and this is one":    {"destinations: [{server: '*', namespace: '*'}]\npermitOnlyProjectScopedClusters: true", tenancy.Destination{Server: "https://a", Namespace: "b", ClusterProject: "team"}, ""},
		"a cluster of the project must still be allowed":   {"destinations: []\npermitOnlyProjectScopedClusters: true", tenancy.Destination{Server: "https://a", ClusterProject: "team"}, none},
		"a pattern that cannot be read forbids when meant": {`destinations: [{server: "*", namespace: "*"}, {server: "*", namespace: "![a"}]`, dev, "forbids it"},
	} {
		t.Run(sentence, func(t *testing.T) {
			expect(t, tenancy.New(project(t, c.spec)).Destination(c.to), c.refused)
		})
	}
}

func TestKind(t *testing.T) {
	for sentence, c := range map[string]struct {
		spec, group, kind, name string
		namespaced              bool
		refused                 string
	}{
		"namespaced kinds are allowed by themselves":        {``, "apps", "Deployment", "a", true, ""},
		"kinds outside of namespaces are not":               {``, "", "Namespace", "a", false, "no entry of spec.clusterResourceWhitelist allows it"},
		"a whitelist allows":                                {`clusterResourceWhitelist: [{group: "", kind: Namespace}]`, "", "Namespace", "a", false, ""},
		"stars allow all":                                   {`clusterResourceWhitelist: [{group: "*", kind: "*"}]`, "a.example.com", "Thing", "a", false, ""},
		"a name allows some":                                {`clusterResourceWhitelist: [{group: "", kind: Namespace, name: "team-*"}]`, "", "Namespace", "team-1", false, ""},
		"and not others":                                    {`clusterResourceWhitelist: [{group: "", kind: Namespace, name: "team-*"}]`, "", "Namespace", "kube-system", false, "no entry"},
		"a blacklist goes first":                            {"clusterResourceWhitelist: [{group: '*', kind: '*'}]\nclusterResourceBlacklist: [{group: '', kind: Namespace, name: kube-*}]", "", "Namespace", "kube-system", false, `the entry {group: "", kind: "Namespace", name: "kube-*"} of spec.clusterResourceBlacklist forbids it`},
		"a blacklist by name leaves others":                 {"clusterResourceWhitelist: [{group: '*', kind: '*'}]\nclusterResourceBlacklist: [{group: '', kind: Namespace, name: kube-*}]", "", "Namespace", "a", false, ""},
		"a namespaced kind can be forbidden":                {`namespaceResourceBlacklist: [{group: "", kind: ResourceQuota}]`, "", "ResourceQuota", "a", true, "of spec.namespaceResourceBlacklist forbids it"},
		"a list of namespaced kinds allows only these":      {`namespaceResourceWhitelist: [{group: apps, kind: Deployment}]`, "", "Secret", "a", true, "no entry of spec.namespaceResourceWhitelist"},
		"an empty list of namespaced kinds allows none":     {`namespaceResourceWhitelist: []`, "", "Secret", "a", true, "no entry of spec.namespaceResourceWhitelist"},
		"a list of namespaced kinds says nothing of others": {"namespaceResourceWhitelist: []\nclusterResourceWhitelist: [{group: '*', kind: '*'}]", "", "Namespace", "a", false, ""},
		"groups match by pattern":                           {`namespaceResourceBlacklist: [{group: "*.example.com", kind: "*"}]`, "a.example.com", "Thing", "a", true, "forbids"},
	} {
		t.Run(sentence, func(t *testing.T) {
			expect(t, tenancy.New(project(t, c.spec)).Kind(c.group, c.kind, c.name, c.namespaced), c.refused)
		})
	}
}

func TestObject(t *testing.T) {
	p := tenancy.New(project(t, "destinations: [{server: '*', namespace: namespace-a}]\nclusterResourceWhitelist: [{group: '', kind: Namespace}]"))
	expect(t, p.Object("", "ConfigMap", "c", tenancy.Destination{Server: "https://a", Namespace: "namespace-a"}), "")
	expect(t, p.Object("", "ConfigMap", "c", tenancy.Destination{Server: "https://a", Namespace: "namespace-b"}), "destinations")
	expect(t, p.Object("", "Namespace", "n", tenancy.Destination{Server: "https://a"}), "")
	expect(t, p.Object("", "Node", "n", tenancy.Destination{Server: "https://a"}), "clusterResourceWhitelist")
}

func TestApplicationNamespace(t *testing.T) {
	for sentence, c := range map[string]struct{ spec, namespace, refused string }{
		"the namespace of the control plane is always allowed": {``, "argocd", ""},
		"no namespace means that of the control plane":         {``, "", ""},
		"others are not":                    {``, "namespace-a", "application 'app' in namespace 'namespace-a' is not permitted to use project 'team': no entry of spec.sourceNamespaces allows it"},
		"unless they are listed":            {`sourceNamespaces: [namespace-a]`, "namespace-a", ""},
		"by pattern":                        {`sourceNamespaces: ["namespace-*"]`, "namespace-b", ""},
		"by regular expression":             {`sourceNamespaces: ["/^namespace-[ab]$/"]`, "namespace-b", ""},
		"which must fit":                    {`sourceNamespaces: ["/^namespace-[ab]$/"]`, "namespace-c", "sourceNamespaces"},
		"and one that is none fits nothing": {`sourceNamespaces: ["/(/"]`, "namespace-c", "sourceNamespaces"},
	} {
		t.Run(sentence, func(t *testing.T) {
			expect(t, tenancy.New(project(t, c.spec)).ApplicationNamespace(c.namespace, "app", "argocd"), c.refused)
		})
	}
}

func TestGlobalProjects(t *testing.T) {
	p := project(t, "sourceRepos: [https://example.com/own]\nnamespaceResourceWhitelist: []")
	p.Labels = map[string]string{"opt": "prod"}
	base := project(t, `
sourceRepos: [https://example.com/shared]
destinations: [{server: "*", namespace: "*"}]
clusterResourceWhitelist: [{group: "", kind: Namespace}]
clusterResourceBlacklist: [{group: "", kind: Namespace, name: kube-*}]
namespaceResourceBlacklist: [{group: "", kind: ResourceQuota}]
sourceNamespaces: ["*"]`)
	base.Name = "base"
	configured := []settings.GlobalProject{
		{ProjectName: "base", Selector: labels.SelectorFromSet(labels.Set{"opt": "prod"})},
		{ProjectName: "team", Selector: labels.Everything()},
		{ProjectName: "absent", Selector: labels.Everything()},
		{ProjectName: "base", Selector: labels.SelectorFromSet(labels.Set{"opt": "dev"})},
	}
	globals := tenancy.Globals(p, configured, func(name string) *v1alpha1.AppProject {
		return map[string]*v1alpha1.AppProject{"base": base, "team": p}[name]
	})
	if len(globals) != 1 {
		t.Fatalf("inherits from %d projects", len(globals))
	}
	merged := tenancy.New(p, globals...)
	expect(t, merged.Source("https://example.com/own"), "")
	expect(t, merged.Source("https://example.com/shared"), "")
	expect(t, merged.Destination(tenancy.Destination{Server: "https://a", Namespace: "b"}), "")
	expect(t, merged.Kind("", "Namespace", "a", false), "")
	expect(t, merged.Kind("", "Namespace", "kube-a", false), "clusterResourceBlacklist")
	expect(t, merged.Kind("", "ResourceQuota", "a", true), "namespaceResourceBlacklist")
	expect(t, merged.Kind("", "Secret", "a", true), "namespaceResourceWhitelist")
	expect(t, merged.ApplicationNamespace("elsewhere", "app", "argocd"), "sourceNamespaces")
	if len(p.Spec.SourceRepos) != 1 || len(base.Spec.SourceRepos) != 1 {
		t.Error("merging changed its input")
	}
	open := project(t, `sourceRepos: []`)
	expect(t, tenancy.New(open, base).Kind("", "Secret", "a", true), "")
}

func TestDefaultProjectAllowsEverything(t *testing.T) {
	d := tenancy.Default()
	p := tenancy.New(d)
	expect(t, p.Source("https://example.com/a/b/c"), "")
	expect(t, p.Destination(tenancy.Destination{Server: "https://a", Namespace: "kube-system"}), "")
	expect(t, p.Kind("", "Namespace", "a", false), "")
	if len(d.Finalizers) != 0 {
		t.Error("it has a finalizer")
	}
}

// stored is a namespace with at most one project, as the API server would keep it.
type stored struct {
	project *v1alpha1.AppProject
	created int
	fail    error
}

func (s *stored) Get(_ context.Context, name string, _ metav1.GetOptions) (*v1alpha1.AppProject, error) {
	if s.fail != nil {
		return nil, s.fail
	}
	if s.project == nil {
		return nil, apierrors.NewNotFound(v1alpha1.AppProjectGVR.GroupResource(), name)
	}
	return s.project, nil
}

func (s *stored) Create(_ context.Context, p *v1alpha1.AppProject, _ metav1.CreateOptions) (*v1alpha1.AppProject, error) {
	if s.project != nil {
		return nil, apierrors.NewAlreadyExists(v1alpha1.AppProjectGVR.GroupResource(), p.Name)
	}
	s.project, s.created = p, s.created+1
	return p, nil
}

func TestEnsureDefaultProject(t *testing.T) {
	server := &stored{}
	for range 2 {
		if err := tenancy.EnsureDefaultProject(t.Context(), server); err != nil {
			t.Fatal(err)
		}
	}
	if server.created != 1 || server.project.Name != "default" {
		t.Errorf("created %d times: %v", server.created, server.project)
	}
	server = &stored{fail: errors.New("the API server is away")}
	if err := tenancy.EnsureDefaultProject(t.Context(), server); !errors.Is(err, server.fail) {
		t.Errorf("got %v", err)
	}
}
