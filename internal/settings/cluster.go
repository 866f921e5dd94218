package settings

import (
	"maps"
	"strconv"
	"strings"
)

// Cluster is a registered cluster as its Secret describes it. It holds credentials: never log it.
type Cluster struct {
	// SecretName is the name of the Secret, UID its identity.
	SecretName, UID string
	// Name is what users call it.
	Name string
	// Server is the address of its API server.
	Server string
	// Project is the project that alone may use it; "" for all.
	Project string
	// Namespaces are the only ones to look at; empty for all.
	Namespaces []string
	// ClusterResources tells whether objects outside of namespaces are looked at although Namespaces is set.
	ClusterResources bool
	// Shard is the number of the controller that is to take it; nil when any may.
	Shard *int
	// Labels and Annotations are those of the Secret.
	Labels      map[string]string
	Annotations map[string]string
	// Config is the JSON of credentials and TLS options.
	Config []byte
}

func cluster(p *parser, secret LabelledSecret) (Cluster, bool) {
	server := strings.TrimSuffix(strings.TrimSpace(string(secret.Data["server"])), "/")
	if server == "" {
		p.warn("Secret "+secret.Name, "server", "the Secret has no server and is not used; add one or remove the label "+labelSecretType)
		return Cluster{}, false
	}
	c := Cluster{
		SecretName:       secret.Name,
		UID:              secret.UID,
		Name:             string(secret.Data["name"]),
		Server:           server,
		Project:          string(secret.Data["project"]),
		ClusterResources: secretFlag(p, secret, "clusterResources"),
		Labels:           secret.Labels,
		Annotations:      withoutLastApplied(secret.Annotations),
		Config:           secret.Data["config"],
	}
	for ns := range strings.SplitSeq(string(secret.Data["namespaces"]), ",") {
		if ns = strings.TrimSpace(ns); ns != "" {
			c.Namespaces = append(c.Namespaces, ns)
		}
	}
	if raw := strings.TrimSpace(string(secret.Data["shard"])); raw != "" {
		shard, err := strconv.Atoi(raw)
		if err != nil || shard < 0 {
			p.warn("Secret "+secret.Name, "shard", "the value is not a number and is not used")
		} else {
			c.Shard = &shard
		}
	}
	return c, true
}

// withoutLastApplied leaves out the copy of the whole Secret that kubectl apply keeps, credentials included.
func withoutLastApplied(annotations map[string]string) map[string]string {
	out := maps.Clone(annotations)
	delete(out, "kubectl.kubernetes.io/last-applied-configuration")
	return out
}
