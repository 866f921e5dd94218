package settings_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/fairlead-cd/fairlead/internal/settings"
)

func withConfig(data map[string]string) settings.Input {
	return settings.Input{ConfigMaps: map[string]map[string]string{settings.ConfigMapName: data}}
}

func TestDefaults(t *testing.T) {
	for sentence, in := range map[string]settings.Input{
		"nothing exists":          {},
		"the ConfigMap is empty":  withConfig(nil),
		"the values are empty":    withConfig(map[string]string{"timeout.reconciliation": "", "application.resourceTrackingMethod": " ", "users.session.duration": ""}),
		"only other keys are set": withConfig(map[string]string{"something.else": "x"}),
	} {
		t.Run(sentence, func(t *testing.T) {
			s := settings.Parse(in, nil, nil)
			if s.Reconciliation != 2*time.Minute || s.ReconciliationJitter != time.Minute || s.HardReconciliation != 0 {
				t.Errorf("times are %v %v %v", s.Reconciliation, s.ReconciliationJitter, s.HardReconciliation)
			}
			if s.TrackingMethod != "annotation" || s.InstanceLabelKey != "app.kubernetes.io/instance" || s.InstallationID != "" {
				t.Errorf("tracking is %q %q %q", s.TrackingMethod, s.InstanceLabelKey, s.InstallationID)
			}
			if s.SessionDuration != 24*time.Hour || !s.InClusterEnabled || s.AnonymousEnabled || s.URL != "" {
				t.Errorf("%+v", s)
			}
			if admin := s.Accounts["admin"]; !admin.Can(settings.CapabilityLogin) || admin.Can(settings.CapabilityAPIKey) || admin.PasswordHash != "" {
				t.Errorf("admin is %+v", admin)
			}
			if len(s.Warnings) != 0 {
				t.Errorf("warnings: %v", s.Warnings)
			}
		})
	}
}

func TestValues(t *testing.T) {
	for sentence, c := range map[string]struct {
		key, value string
		holds      func(*settings.Settings) bool
	}{
		"a time in seconds":         {"timeout.reconciliation", "90s", func(s *settings.Settings) bool { return s.Reconciliation == 90*time.Second }},
		"a time in days":            {"timeout.reconciliation", "1d12h", func(s *settings.Settings) bool { return s.Reconciliation == 36*time.Hour }},
		"zero switches polling off": {"timeout.reconciliation", "0", func(s *settings.Settings) bool { return s.Reconciliation == 0 }},
		"the jitter":                {"timeout.reconciliation.jitter", "0s", func(s *settings.Settings) bool { return s.ReconciliationJitter == 0 }},
		"the hard time":             {"timeout.hard.reconciliation", "24h", func(s *settings.Settings) bool { return s.HardReconciliation == 24*time.Hour }},
		"the label":                 {"application.instanceLabelKey", "example.com/app", func(s *settings.Settings) bool { return s.InstanceLabelKey == "example.com/app" }},
		"the tracking method":       {"application.resourceTrackingMethod", "annotation+label", func(s *settings.Settings) bool { return s.TrackingMethod == "annotation+label" }},
		"the installation":          {"installationID", "one", func(s *settings.Settings) bool { return s.InstallationID == "one" }},
		"the address":               {"url", "https://argocd.example.com", func(s *settings.Settings) bool { return s.URL == "https://argocd.example.com" }},
		"more addresses":            {"additionalUrls", "- https://a.example.com\n- https://b.example.com", func(s *settings.Settings) bool { return len(s.AdditionalURLs) == 2 }},
		"the length of a session":   {"users.session.duration", "7d", func(s *settings.Settings) bool { return s.SessionDuration == 7*24*time.Hour }},
		"anonymous users":           {"users.anonymous.enabled", "true", func(s *settings.Settings) bool { return s.AnonymousEnabled }},
		"the own cluster":           {"cluster.inClusterEnabled", "false", func(s *settings.Settings) bool { return !s.InClusterEnabled }},
		"the pattern of passwords":  {"passwordPattern", "^.{12,}$", func(s *settings.Settings) bool { return !s.PasswordPattern.MatchString("short") }},
		"projects for all": {"globalProjects", "- projectName: base\n  labelSelector: {matchLabels: {team: a}}", func(s *settings.Settings) bool {
			return len(s.GlobalProjects) == 1 && s.GlobalProjects[0].ProjectName == "base" && s.GlobalProjects[0].Selector.Matches(labels.Set{"team": "a"}) && !s.GlobalProjects[0].Selector.Matches(labels.Set{})
		}},
		"admin switched off":        {"admin.enabled", "false", func(s *settings.Settings) bool { return !s.Accounts["admin"].Enabled }},
		"an account for two things": {"accounts.robot", "login, apiKey", func(s *settings.Settings) bool { a := s.Accounts["robot"]; return a.Can("login") && a.Can("apiKey") }},
		"shells":                    {"exec.enabled", "true", func(s *settings.Settings) bool { return s.Inspection.ExecEnabled && len(s.Inspection.Shells) == 4 }},
		"other shells":              {"exec.shells", "zsh, sh", func(s *settings.Settings) bool { return slices.Equal(s.Inspection.Shells, []string{"zsh", "sh"}) }},
		"how many pods' logs":       {"server.maxPodLogsToRender", "3", func(s *settings.Settings) bool { return s.Inspection.MaxPodLogs == 3 }},
		"annotations to be masked": {"resource.sensitive.mask.annotations", "token,key", func(s *settings.Settings) bool {
			return slices.Equal(s.Inspection.MaskedAnnotations, []string{"token", "key"})
		}},
		"a switched off account": {"accounts.robot.enabled", "false", func(s *settings.Settings) bool { return !s.Accounts["robot"].Enabled }},
		"tokens for admin":       {"accounts.admin", "apiKey", func(s *settings.Settings) bool { a := s.Accounts["admin"]; return a.Can("login") && a.Can("apiKey") }},
		"an exclusion": {"resource.exclusions", "- apiGroups: ['']\n  kinds: [Endpoints]", func(s *settings.Settings) bool {
			return s.Resources.Excludes("", "Endpoints", "https://a") && !s.Resources.Excludes("apps", "Endpoints", "https://a")
		}},
		"an exclusion in a cluster": {"resource.exclusions", "- apiGroups: ['*.example.com']\n  clusters: ['https://*.test']", func(s *settings.Settings) bool {
			return s.Resources.Excludes("a.example.com", "A", "https://x.test") && !s.Resources.Excludes("a.example.com", "A", "https://x.prod")
		}},
		"an inclusion hides others": {"resource.inclusions", "- apiGroups: [apps]\n  kinds: [Deployment]", func(s *settings.Settings) bool {
			return !s.Resources.Excludes("apps", "Deployment", "x") && s.Resources.Excludes("", "Pod", "x")
		}},
		"an inclusion for a cluster": {"resource.inclusions", "- apiGroups: [apps]\n  clusters: [https://a]", func(s *settings.Settings) bool {
			return s.Resources.Excludes("", "Pod", "https://a") && !s.Resources.Excludes("", "Pod", "https://b")
		}},
	} {
		t.Run(sentence, func(t *testing.T) {
			s := settings.Parse(withConfig(map[string]string{c.key: c.value}), nil, nil)
			if !c.holds(s) {
				t.Errorf("%s: %s is not read right: %+v", c.key, c.value, s)
			}
			if len(s.Warnings) > 0 {
				t.Errorf("warnings: %v", s.Warnings)
			}
		})
	}
}

func TestExclusionsThatAlwaysHold(t *testing.T) {
	none := settings.ResourceFilter{}
	for sentence, c := range map[string]struct {
		group, kind string
		want        bool
	}{
		"events are left alone":             {"", "Event", true},
		"new events too":                    {"events.k8s.io", "Event", true},
		"metrics too":                       {"metrics.k8s.io", "PodMetrics", true},
		"leases too":                        {"coordination.k8s.io", "Lease", true},
		"Endpoints only when somebody says": {"", "Endpoints", false},
		"pods are looked at":                {"", "Pod", false},
	} {
		t.Run(sentence, func(t *testing.T) {
			if got := none.Excludes(c.group, c.kind, "https://a"); got != c.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestMalformedValuesKeepTheLastGoodOne(t *testing.T) {
	good := settings.Parse(withConfig(map[string]string{
		"timeout.reconciliation":             "5m",
		"application.resourceTrackingMethod": "label",
		"resource.exclusions":                "- kinds: [ConfigMap]",
		"url":                                "https://good.example.com",
		"admin.enabled":                      "false",
		"globalProjects":                     "- projectName: base",
	}), nil, nil)
	bad := settings.Parse(withConfig(map[string]string{
		"timeout.reconciliation":             "five minutes",
		"application.resourceTrackingMethod": "magic",
		"resource.exclusions":                "kinds: [[",
		"url":                                "good.example.com",
		"admin.enabled":                      "nope",
		"globalProjects":                     "- labelSelector: {matchExpressions: [{key: a, operator: Sometimes}]}",
		"accounts.a.b.c":                     "login",
		"accounts.robot":                     "login, fly",
	}), nil, good)
	if bad.Reconciliation != 5*time.Minute || bad.TrackingMethod != "label" || bad.URL != "https://good.example.com" {
		t.Errorf("last good values are gone: %+v", bad)
	}
	if !bad.Resources.Excludes("", "ConfigMap", "x") || bad.Accounts["admin"].Enabled || len(bad.GlobalProjects) != 1 {
		t.Errorf("last good values are gone: %+v", bad)
	}
	keys := make([]string, 0, len(bad.Warnings))
	for _, w := range bad.Warnings {
		keys = append(keys, w.Key)
		if w.Object != "ConfigMap argocd-cm" || w.Message == "" {
			t.Errorf("warning %+v", w)
		}
	}
	slices.Sort(keys)
	want := "accounts.a.b.c accounts.robot admin.enabled application.resourceTrackingMethod globalProjects resource.exclusions timeout.reconciliation url"
	if got := strings.Join(keys, " "); got != want {
		t.Errorf("warnings about\n%s, want\n%s", got, want)
	}
	again := settings.Parse(withConfig(map[string]string{"timeout.reconciliation": "5 minutes"}), nil, bad)
	if again.Reconciliation != 5*time.Minute || again.TrackingMethod != "annotation" {
		t.Errorf("a key that is gone must fall back to its default, and a bad one keep its value: %+v", again)
	}
}

func TestNegativeTimesAreRefused(t *testing.T) {
	s := settings.Parse(withConfig(map[string]string{"timeout.reconciliation": "-5m", "users.session.duration": "xd"}), nil, nil)
	if s.Reconciliation != 2*time.Minute || s.SessionDuration != 24*time.Hour || len(s.Warnings) != 2 {
		t.Errorf("%v %v %v", s.Reconciliation, s.SessionDuration, s.Warnings)
	}
}

func TestAccountsReadTheirSecrets(t *testing.T) {
	in := withConfig(map[string]string{"accounts.robot": "apiKey"})
	in.Secret = map[string][]byte{
		"admin.password":               []byte("hash-1"),
		"admin.passwordMtime":          []byte("2026-01-31T12:00:00Z"),
		"accounts.robot.tokens":        []byte(`[{"id":"t1","iat":1700000000}]`),
		"accounts.robot.password":      []byte("hash-2"),
		"accounts.robot.passwordMtime": []byte("yesterday"),
		"server.secretkey":             []byte("key"),
		"tls.crt":                      []byte("no certificate"),
		"tls.key":                      []byte("top-secret-value"),
	}
	s := settings.Parse(in, nil, nil)
	if a := s.Accounts["admin"]; a.PasswordHash != "hash-1" || !a.PasswordModified.Equal(time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)) {
		t.Errorf("admin is %+v", a)
	}
	if a := s.Accounts["robot"]; a.PasswordHash != "hash-2" || len(a.Tokens) != 1 || a.Tokens[0].ID != "t1" || !a.PasswordModified.IsZero() {
		t.Errorf("robot is %+v", a)
	}
	if string(s.ServerKey) != "key" || s.Certificate != nil {
		t.Errorf("key %q, certificate %v", s.ServerKey, s.Certificate)
	}
	if len(s.Warnings) != 2 {
		t.Errorf("warnings: %v", s.Warnings)
	}
	for _, w := range s.Warnings {
		if strings.Contains(w.Message, "yesterday") || strings.Contains(w.Message, "top-secret") {
			t.Errorf("a warning repeats a secret: %v", w)
		}
	}
}

// FuzzParse shows that no text in any key makes parsing panic.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"", "120s", "1d", "d", "true", "- a", "- {kinds: [1]}", "{{", "[null]", "- labelSelector: 1", "[{\"id\":1}]"} {
		f.Add(seed)
	}
	f.Fuzz(func(_ *testing.T, text string) {
		data := map[string]string{"accounts." + text: text}
		for _, key := range []string{
			"timeout.reconciliation", "application.instanceLabelKey", "application.resourceTrackingMethod", "resource.exclusions",
			"resource.inclusions", "globalProjects", "url", "additionalUrls", "users.session.duration", "passwordPattern", "admin.enabled",
		} {
			data[key] = text
		}
		in := withConfig(data)
		in.Secret = map[string][]byte{"admin.tokens": []byte(text), "admin.passwordMtime": []byte(text), "tls.crt": []byte(text), "tls.key": []byte(text)}
		for _, kind := range []string{"repository", "repo-creds", "cluster"} {
			in.Labelled = append(in.Labelled, settings.LabelledSecret{Name: kind, Type: kind, Data: map[string][]byte{
				"url": []byte(text), "insecure": []byte(text), "server": []byte(text), "shard": []byte(text), "namespaces": []byte(text),
			}})
		}
		s := settings.Parse(in, nil, nil)
		s.Repository(text, "p")
		s.Resources.Excludes(text, text, text)
	})
}

func TestDefaultsOfTheEnvironment(t *testing.T) {
	own := settings.Defaults()
	own.Reconciliation = time.Hour
	if s := settings.Parse(settings.Input{}, own, nil); s.Reconciliation != time.Hour {
		t.Errorf("the own default gives way to %v", s.Reconciliation)
	}
	if s := settings.Parse(withConfig(map[string]string{"timeout.reconciliation": "5m"}), own, nil); s.Reconciliation != 5*time.Minute {
		t.Errorf("the key gives way to %v", s.Reconciliation)
	}
	if own.Reconciliation != time.Hour || own.Accounts["admin"].PasswordHash != "" {
		t.Error("parsing changed the defaults")
	}
}
