package application

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/cluster/access"
)

// notMonitored is what Argo CD says of a cluster that nothing is deployed to.
const notMonitored = "Cluster has no applications and is not being monitored."

// List returns the clusters by their server, as the API shows them: with what was last seen of them, and with their
// credentials, for which there is [v1alpha1.Cluster.Sanitized].
func (c *Clusters) List() []v1alpha1.Cluster {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.follow()
	out := make([]v1alpha1.Cluster, 0, len(c.entries))
	for _, e := range c.entries {
		if e.server == v1alpha1.InClusterServer && !c.applied.InClusterEnabled {
			continue
		}
		out = append(out, e.describe())
	}
	slices.SortFunc(out, func(a, b v1alpha1.Cluster) int { return cmp.Compare(a.Server, b.Server) })
	return out
}

func (e *entry) describe() v1alpha1.Cluster {
	r := e.registration
	config, _ := access.Parse(r.Config) // what is wrong with it is told by info
	out := v1alpha1.Cluster{
		Server: e.server, Name: r.Name, Config: config, Namespaces: slices.Clone(r.Namespaces), ClusterResources: r.ClusterResources,
		Project: r.Project, Labels: maps.Clone(r.Labels), Annotations: maps.Clone(r.Annotations), Info: e.info(),
	}
	if r.Shard != nil {
		shard := int64(*r.Shard)
		out.Shard = &shard
	}
	hash := fnv.New64a()
	fmt.Fprintf(hash, "%s\x00%q\x00%t\x00%s\x00%s", r.Name, r.Namespaces, r.ClusterResources, r.Project, r.Config)
	sum := hash.Sum64()
	out.ConfigHash = &sum
	out.ConnectionState, out.ServerVersion = out.Info.ConnectionState, out.Info.ServerVersion
	return out
}

// info tells what is known of the cluster at the moment.
func (e *entry) info() v1alpha1.ClusterInfo {
	now := metav1.NewTime(e.set.options.Now().UTC())
	out := v1alpha1.ClusterInfo{ApplicationsCount: int64(len(e.users))}
	out.ConnectionState.ModifiedAt = &now
	if e.destination == nil {
		out.ConnectionState.Status, out.ConnectionState.Message = v1alpha1.ConnectionStatusUnknown, notMonitored
		if e.broken != nil {
			out.ConnectionState.Status, out.ConnectionState.Message = v1alpha1.ConnectionStatusFailed, e.broken.Error()
		}
		return out
	}
	state := e.destination.Live.State()
	out.ServerVersion = state.Version
	_, out.APIVersions = e.destination.Live.Version()
	out.CacheInfo = v1alpha1.ClusterCacheInfo{ResourcesCount: int64(state.Objects), APIsCount: int64(state.Kinds)}
	if !e.synced.IsZero() {
		out.CacheInfo.LastCacheSyncTime = &metav1.Time{Time: e.synced.UTC()}
	}
	out.ConnectionState.Message = state.Error
	switch {
	case e.broken != nil:
		out.ConnectionState.Status, out.ConnectionState.Message = v1alpha1.ConnectionStatusFailed, e.broken.Error()
	case state.Connected && state.Synced:
		out.ConnectionState.Status = v1alpha1.ConnectionStatusSuccessful
	case state.Error != "":
		out.ConnectionState.Status = v1alpha1.ConnectionStatusFailed
		if !state.AwaySince.IsZero() {
			out.ConnectionState.ModifiedAt = &metav1.Time{Time: state.AwaySince.UTC()}
		}
	default:
		out.ConnectionState.Status, out.ConnectionState.Message = v1alpha1.ConnectionStatusUnknown, "the cluster is being listed"
	}
	return out
}
