package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Cluster is a Kubernetes cluster that Applications can go to.
type Cluster struct {
	// Server is the address of its API.
	Server string `json:"server" protobuf:"bytes,1,opt,name=server"`
	// Name is its name. Default: Server.
	Name string `json:"name" protobuf:"bytes,2,opt,name=name"`
	// Config is what is needed to reach it.
	Config ClusterConfig `json:"config" protobuf:"bytes,3,opt,name=config"`
	// ConnectionState is the old place of Info.ConnectionState.
	ConnectionState ConnectionState `json:"connectionState,omitempty" protobuf:"bytes,4,opt,name=connectionState"`
	// ServerVersion is the old place of Info.ServerVersion.
	ServerVersion string `json:"serverVersion,omitempty" protobuf:"bytes,5,opt,name=serverVersion"`
	// Namespaces limits what is seen of the cluster to these namespaces. Empty means all.
	Namespaces []string `json:"namespaces,omitempty" protobuf:"bytes,6,opt,name=namespaces"`
	// RefreshRequestedAt is when somebody asked to look at the whole cluster anew.
	RefreshRequestedAt *metav1.Time `json:"refreshRequestedAt,omitempty" protobuf:"bytes,7,opt,name=refreshRequestedAt"`
	// Info is what the controller last observed.
	Info ClusterInfo `json:"info,omitempty" protobuf:"bytes,8,opt,name=info"`
	// Shard is the replica of the controller that looks after the cluster. Absent: chosen by the
	// controller.
	Shard *int64 `json:"shard,omitempty" protobuf:"bytes,9,opt,name=shard"`
	// ClusterResources also manages objects without a namespace when Namespaces is not empty.
	ClusterResources bool `json:"clusterResources,omitempty" protobuf:"bytes,10,opt,name=clusterResources"`
	// Project is the project that the cluster belongs to. Its Applications may go there without
	// more ado.
	Project string `json:"project,omitempty" protobuf:"bytes,11,opt,name=project"`
	// Labels are the labels of the cluster's Secret. Generators pick clusters by them.
	Labels map[string]string `json:"labels,omitempty" protobuf:"bytes,12,opt,name=labels"`
	// Annotations are the annotations of the cluster's Secret.
	Annotations map[string]string `json:"annotations,omitempty" protobuf:"bytes,13,opt,name=annotations"`
	// ConfigHash changes when anything that matters about the cluster changes. Its value has no
	// meaning.
	ConfigHash *uint64 `json:"configHash,omitempty" protobuf:"bytes,14,opt,name=configHash"`
}

// ClusterList is the answer to a request for clusters.
type ClusterList struct {
	// ListMeta is always empty.
	metav1.ListMeta `json:"metadata,omitempty" protobuf:"bytes,1,opt,name=metadata"`
	// Items are the clusters.
	Items []Cluster `json:"items" protobuf:"bytes,2,rep,name=items"`
}

// ClusterInfo is what the controller last observed about a cluster.
type ClusterInfo struct {
	// ConnectionState is what came out of the last attempt to reach it.
	ConnectionState ConnectionState `json:"connectionState,omitempty" protobuf:"bytes,1,opt,name=connectionState"`
	// ServerVersion is its Kubernetes version.
	ServerVersion string `json:"serverVersion,omitempty" protobuf:"bytes,2,opt,name=serverVersion"`
	// CacheInfo tells what the controller knows of it.
	CacheInfo ClusterCacheInfo `json:"cacheInfo,omitempty" protobuf:"bytes,3,opt,name=cacheInfo"`
	// ApplicationsCount is the number of Applications that go there.
	ApplicationsCount int64 `json:"applicationsCount" protobuf:"bytes,4,opt,name=applicationsCount"`
	// APIVersions are the resource types that it serves, each as group/version/kind and
	// group/version.
	APIVersions []string `json:"apiVersions,omitempty" protobuf:"bytes,5,opt,name=apiVersions"`
}

// ClusterCacheInfo tells what the controller knows of a cluster.
type ClusterCacheInfo struct {
	// ResourcesCount is the number of objects that it watches.
	ResourcesCount int64 `json:"resourcesCount,omitempty" protobuf:"bytes,1,opt,name=resourcesCount"`
	// APIsCount is the number of resource types that it watches.
	APIsCount int64 `json:"apisCount,omitempty" protobuf:"bytes,2,opt,name=apisCount"`
	// LastCacheSyncTime is when it last looked at the whole cluster.
	LastCacheSyncTime *metav1.Time `json:"lastCacheSyncTime,omitempty" protobuf:"bytes,3,opt,name=lastCacheSyncTime"`
}

// Sanitized returns a copy without credentials, fit for an answer of the API.
func (c *Cluster) Sanitized() *Cluster {
	out := c.DeepCopy()
	out.Config = ClusterConfig{
		AWSAuthConfig:      out.Config.AWSAuthConfig,
		DisableCompression: out.Config.DisableCompression,
		ProxyUrl:           out.Config.ProxyUrl,
		TLSClientConfig:    TLSClientConfig{Insecure: out.Config.Insecure, ServerName: out.Config.ServerName},
	}
	return out
}
