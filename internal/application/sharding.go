package application

import (
	"cmp"
	"hash/fnv"
	"slices"
	"strconv"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/settings"
)

// Sharding says which clusters this controller takes when several share the work. The zero value takes all.
type Sharding struct {
	// Replicas is how many controllers there are; 0 and 1 mean that this is the only one.
	Replicas int
	// Shard is the number of this one, from 0.
	Shard int
	// Algorithm is how clusters are shared out; empty means ShardLegacy.
	Algorithm string
}

// The algorithms, by the names that Argo CD has for them.
const (
	// ShardLegacy takes a hash of the cluster's identity. It looks at one cluster alone, and may be uneven.
	ShardLegacy = "legacy"
	// ShardRoundRobin deals out the clusters in the order of their identities: even, but one more or less moves many.
	ShardRoundRobin = "round-robin"
	// ShardConsistentHashing is nearly even, and one controller more or less moves only the clusters that it has to.
	ShardConsistentHashing = "consistent-hashing"
)

// ShardingAlgorithms are the names that Sharding knows.
var ShardingAlgorithms = []string{ShardLegacy, ShardRoundRobin, ShardConsistentHashing}

// all says that one controller takes every cluster.
func (s Sharding) all() bool { return s.Replicas <= 1 }

// place gives the number of the controller that takes each cluster, by server.
func (s Sharding) place(registered map[string]settings.Cluster) map[string]int {
	clusters := make([]settings.Cluster, 0, len(registered))
	for server, r := range registered {
		r.Server = server
		clusters = append(clusters, r)
	}
	slices.SortFunc(clusters, func(a, b settings.Cluster) int {
		return cmp.Or(cmp.Compare(a.UID, b.UID), cmp.Compare(a.Server, b.Server))
	})
	out := make(map[string]int, len(clusters))
	for i, c := range clusters {
		switch {
		case s.all():
			out[c.Server] = s.Shard
		case c.Shard != nil && *c.Shard < s.Replicas:
			out[c.Server] = *c.Shard
		case c.Server == v1alpha1.InClusterServer && c.UID == "":
			out[c.Server] = 0
		case s.Algorithm == ShardRoundRobin:
			out[c.Server] = i % s.Replicas
		case s.Algorithm == ShardConsistentHashing:
			out[c.Server] = highest(c.UID, s.Replicas)
		default:
			out[c.Server] = int(hash32(c.UID) % uint32(s.Replicas))
		}
	}
	return out
}

func hash32(text string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(text))
	return h.Sum32()
}

// highest is the controller whose hash together with the cluster's is the highest (rendezvous hashing).
func highest(uid string, replicas int) int {
	best, most := 0, uint32(0)
	for shard := range replicas {
		// Short texts that differ in one character hash alike but for a mix.
		h := hash32(strconv.Itoa(shard) + "/" + uid)
		h = (h ^ h>>16) * 0x85ebca6b
		h = (h ^ h>>13) * 0xc2b2ae35
		h ^= h >> 16
		if shard == 0 || h > most {
			best, most = shard, h
		}
	}
	return best
}
