package settings

import (
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/yaml"
)

// Input is the raw data of the objects that hold settings.
type Input struct {
	// ConfigMaps is the data of the ConfigMaps by their name; one that does not exist is absent.
	ConfigMaps map[string]map[string]string
	// Secret is the data of argocd-secret.
	Secret map[string][]byte
	// ServerTLS is the data of argocd-server-tls.
	ServerTLS map[string][]byte
	// Labelled are the Secrets of repositories, repository credentials and clusters.
	Labelled []LabelledSecret
	// SOPSKeys are the Secrets with keys for encrypted files.
	SOPSKeys []LabelledSecret
	// Referable are the other Secrets that values of argocd-secret refer to.
	Referable []LabelledSecret
}

// LabelledSecret is a Secret that describes a repository, credentials or a cluster.
type LabelledSecret struct {
	Name        string
	UID         string
	Type        string
	Labels      map[string]string
	Annotations map[string]string
	Data        map[string][]byte
}

// Parse reads all settings. Where nothing is set, byDefault holds, and for a value that cannot be used, last does; both
// may be nil. Parse is pure and changes neither.
func Parse(in Input, byDefault, last *Settings) *Settings {
	if byDefault == nil {
		byDefault = Defaults()
	}
	if last == nil {
		last = byDefault
	}
	p := &parser{data: in.ConfigMaps[ConfigMapName], object: "ConfigMap " + ConfigMapName}
	s := new(*byDefault)
	s.Reconciliation = parsed(p, "timeout.reconciliation", duration, s.Reconciliation, last.Reconciliation)
	s.ReconciliationJitter = parsed(p, "timeout.reconciliation.jitter", duration, s.ReconciliationJitter, last.ReconciliationJitter)
	s.HardReconciliation = parsed(p, "timeout.hard.reconciliation", duration, s.HardReconciliation, last.HardReconciliation)
	s.InstanceLabelKey = parsed(p, "application.instanceLabelKey", labelKey, s.InstanceLabelKey, last.InstanceLabelKey)
	s.TrackingMethod = parsed(p, "application.resourceTrackingMethod", trackingMethod, s.TrackingMethod, last.TrackingMethod)
	s.InstallationID = p.data["installationID"]
	s.Resources.Exclusions = parsed(p, "resource.exclusions", resourceRules, nil, last.Resources.Exclusions)
	s.Resources.Inclusions = parsed(p, "resource.inclusions", resourceRules, nil, last.Resources.Inclusions)
	s.Customizations, s.customizations = customizations(p, last.customizations)
	s.Comparison = comparison(p, last.Comparison)
	s.RespectRBAC = parsed(p, "resource.respectRBAC", respectRBAC, s.RespectRBAC, last.RespectRBAC)
	s.Impersonation = parsed(p, "application.sync.impersonation.enabled", strconv.ParseBool, false, last.Impersonation)
	s.AllowedNodeLabels = parsed(p, "application.allowedNodeLabels", labelKeys, nil, last.AllowedNodeLabels)
	s.InClusterEnabled = parsed(p, "cluster.inClusterEnabled", strconv.ParseBool, s.InClusterEnabled, last.InClusterEnabled)
	s.GlobalProjects = parsed(p, "globalProjects", globalProjects, nil, last.GlobalProjects)
	s.Inspection = inspection(p, last.Inspection)
	s.Rendering = rendering(p, last.Rendering)
	s.URL = parsed(p, "url", externalURL, "", last.URL)
	s.AdditionalURLs = parsed(p, "additionalUrls", externalURLs, nil, last.AdditionalURLs)
	s.SessionDuration = parsed(p, "users.session.duration", duration, s.SessionDuration, last.SessionDuration)
	s.AnonymousEnabled = parsed(p, "users.anonymous.enabled", strconv.ParseBool, false, last.AnonymousEnabled)
	s.PasswordPattern = parsed(p, "passwordPattern", regexp.Compile, s.PasswordPattern, last.PasswordPattern)
	s.Accounts = accounts(p, in.Secret, last.Accounts)
	s.Webhooks = webhooks(p, in, last.Webhooks)

	s.ServerKey = slices.Clone(in.Secret["server.secretkey"])
	s.Certificate = certificate(p, in, last.Certificate)
	s.RBAC = maps.Clone(in.ConfigMaps[RBACConfigMapName])
	s.CommandParams = maps.Clone(in.ConfigMaps[ParamsConfigMapName])
	s.tlsCerts = maps.Clone(in.ConfigMaps[TLSCertsConfigMapName])
	s.knownHosts = in.ConfigMaps[KnownHostsConfigMapName]["ssh_known_hosts"]
	s.gpgKeys = maps.Clone(in.ConfigMaps[GPGKeysConfigMapName])
	labelled(p, s, in.Labelled)
	s.SOPSKeys = sopsKeys(p, in.SOPSKeys)
	s.Warnings = p.warnings
	return s
}

// parser collects warnings while the keys of one ConfigMap are read.
type parser struct {
	data     map[string]string
	object   string
	warnings []Warning
}

func (p *parser) warn(object, key, message string) {
	p.warnings = append(p.warnings, Warning{Object: object, Key: key, Message: message})
}

// parsed reads one key: absent or empty gives the default, a value that cannot be read gives the last one.
func parsed[T any](p *parser, key string, read func(string) (T, error), byDefault, last T) T {
	raw := strings.TrimSpace(p.data[key])
	if raw == "" {
		return byDefault
	}
	v, err := read(raw)
	if err != nil {
		p.warn(p.object, key, err.Error()+"; the last good value stays in force")
		return last
	}
	return v
}

// duration reads a length of time, also in days, as in 90s, 24h, 7d or 1d12h.
func duration(s string) (time.Duration, error) {
	rest, days := s, time.Duration(0)
	if n, after, ok := strings.Cut(s, "d"); ok {
		count, err := strconv.ParseUint(n, 10, 16)
		if err != nil {
			return 0, fmt.Errorf("%q is not a duration such as 90s, 24h or 7d", s)
		}
		rest, days = after, time.Duration(count)*24*time.Hour
		if rest == "" {
			return days, nil
		}
	}
	d, err := time.ParseDuration(rest)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is not a duration such as 90s, 24h or 7d", s)
	}
	return days + d, nil
}

func labelKey(s string) (string, error) {
	if problems := validation.IsQualifiedName(s); len(problems) > 0 {
		return "", fmt.Errorf("%q is not a label key: %s", s, problems[0])
	}
	return s, nil
}

// labelKeys reads label keys between commas.
func labelKeys(s string) (out []string, err error) {
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		key, err := labelKey(part)
		if err != nil {
			return nil, err
		}
		out = append(out, key)
	}
	return out, nil
}

func trackingMethod(s string) (string, error) {
	switch s {
	case TrackingAnnotation, TrackingLabel, TrackingAnnotationAndLabel:
		return s, nil
	default:
		return "", fmt.Errorf("%q is none of annotation, label, annotation+label", s)
	}
}

func respectRBAC(s string) (string, error) {
	switch s {
	case "normal", "strict":
		return s, nil
	default:
		return "", fmt.Errorf("%q is neither normal nor strict", s)
	}
}

func externalURL(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", fmt.Errorf("%q is not a URL that begins with http:// or https://", s)
	}
	return s, nil
}

func externalURLs(s string) ([]string, error) {
	var list []string
	if err := yaml.UnmarshalStrict([]byte(s), &list); err != nil {
		return nil, errors.New("the value is not a YAML list of URLs")
	}
	for _, u := range list {
		if _, err := externalURL(u); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func globalProjects(s string) ([]GlobalProject, error) {
	var list []struct {
		ProjectName   string               `json:"projectName"`
		LabelSelector metav1.LabelSelector `json:"labelSelector"`
	}
	if err := yaml.Unmarshal([]byte(s), &list); err != nil {
		return nil, fmt.Errorf("the value is not a YAML list of global projects: %w", err)
	}
	out := make([]GlobalProject, 0, len(list))
	for _, g := range list {
		selector, err := metav1.LabelSelectorAsSelector(&g.LabelSelector)
		if err != nil {
			return nil, fmt.Errorf("the label selector of project %q: %w", g.ProjectName, err)
		}
		out = append(out, GlobalProject{ProjectName: g.ProjectName, Selector: selector})
	}
	return out, nil
}

// certificate takes the certificate of others before our own.
func certificate(p *parser, in Input, last *tls.Certificate) *tls.Certificate {
	for _, from := range []struct {
		name string
		data map[string][]byte
	}{{ServerTLSSecretName, in.ServerTLS}, {SecretName, in.Secret}} {
		crt, key := from.data["tls.crt"], from.data["tls.key"]
		if len(crt) == 0 || len(key) == 0 {
			continue
		}
		pair, err := tls.X509KeyPair(crt, key)
		if err != nil {
			p.warn("Secret "+from.name, "tls.crt", "the certificate and the key are not a usable pair; the last good certificate stays in force")
			return last
		}
		return &pair
	}
	return nil
}
