package application

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

var (
	clusterInfo = prometheus.NewDesc("argocd_cluster_info", "A cluster; the value is always 1.",
		[]string{"server", "k8s_version", "name"}, nil)
	clusterConnected = prometheus.NewDesc("argocd_cluster_connection_status", "1 while the API server of a cluster that is watched can be reached, else 0.",
		[]string{"server", "k8s_version"}, nil)
	clusterKinds = prometheus.NewDesc("argocd_cluster_api_resources", "Kinds of objects that are watched in a cluster.",
		[]string{"server"}, nil)
	clusterObjects = prometheus.NewDesc("argocd_cluster_api_resource_objects", "Objects that are known of a cluster.",
		[]string{"server"}, nil)
	clusterAge = prometheus.NewDesc("argocd_cluster_cache_age_seconds", "Seconds since everything of a cluster was first listed; since then it is watched.",
		[]string{"server"}, nil)
	noisyObject = prometheus.NewDesc("fairlead_noisy_object", "An object that changes many times a minute, and is looked at less often; the value is always 1.",
		[]string{"server", "group", "kind", "namespace", "name"}, nil)
)

// Describe implements prometheus.Collector.
func (c *Clusters) Describe(descriptions chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{clusterInfo, clusterConnected, clusterKinds, clusterObjects, clusterAge, noisyObject} {
		descriptions <- d
	}
}

// Collect implements prometheus.Collector: what is known of the clusters when
// it is asked for.
func (c *Clusters) Collect(metrics chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for server, e := range c.entries {
		info := e.info()
		gauge(clusterInfo, 1, server, info.ServerVersion, e.registration.Name)
		if e.destination == nil {
			continue
		}
		connected := 0.0
		if info.ConnectionState.Status == v1alpha1.ConnectionStatusSuccessful {
			connected = 1
		}
		gauge(clusterConnected, connected, server, info.ServerVersion)
		gauge(clusterKinds, float64(info.CacheInfo.APIsCount), server)
		gauge(clusterObjects, float64(info.CacheInfo.ResourcesCount), server)
		if !e.synced.IsZero() {
			gauge(clusterAge, c.options.Now().Sub(e.synced).Truncate(time.Second).Seconds(), server)
		}
		for _, key := range e.updates.noisyObjects() {
			gauge(noisyObject, 1, server, key.Group, key.Kind, key.Namespace, key.Name)
		}
	}
}
