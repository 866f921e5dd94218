package application

import (
	"fmt"
	"testing"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/settings"
)

func fleet(n int) map[string]settings.Cluster {
	out := map[string]settings.Cluster{v1alpha1.InClusterServer: {Server: v1alpha1.InClusterServer}}
	for i := range n {
		server := fmt.Sprintf("https://cluster-%d.example.com", i)
		out[server] = settings.Cluster{Server: server, UID: fmt.Sprintf("%08d-1111-4000-8000-%012d", i*7919, i)}
	}
	return out
}

func TestClustersAreSharedOut(t *testing.T) {
	const clusters, replicas = 300, 3
	for algorithm, c := range map[string]struct {
		unevenness int // how far the fullest may be from the average, in percent
		moved      int // how many may move when a controller is added, in percent
	}{
		ShardLegacy:            {40, 100},
		ShardRoundRobin:        {2, 100},
		ShardConsistentHashing: {25, 35},
	} {
		t.Run(algorithm, func(t *testing.T) {
			s := Sharding{Replicas: replicas, Algorithm: algorithm}
			placed := s.place(fleet(clusters))
			counts := make([]int, replicas)
			for _, shard := range placed {
				counts[shard]++
			}
			for shard, n := range counts {
				if n > (clusters/replicas)*(100+c.unevenness)/100+1 {
					t.Errorf("controller %d has %d of %d clusters", shard, n, clusters)
				}
			}
			if placed[v1alpha1.InClusterServer] != 0 {
				t.Error("the cluster of the control plane is not the first one's")
			}
			s.Replicas++
			moved := 0
			for server, shard := range s.place(fleet(clusters)) {
				if shard != placed[server] {
					moved++
				}
			}
			if moved > clusters*c.moved/100 {
				t.Errorf("%d of %d clusters moved", moved, clusters)
			}
		})
	}
}

func TestASecretMayNameTheShard(t *testing.T) {
	one, nine := 1, 9
	registered := fleet(1)
	for server, r := range registered {
		r.Shard = &one
		registered[server] = r
	}
	for server, shard := range (Sharding{Replicas: 3}).place(registered) {
		if shard != 1 {
			t.Errorf("%s is on %d", server, shard)
		}
	}
	for server, r := range registered {
		r.Shard = &nine
		registered[server] = r
	}
	for server, shard := range (Sharding{Replicas: 3}).place(registered) {
		if shard > 2 {
			t.Errorf("%s is on %d of 3", server, shard)
		}
	}
	for server, shard := range (Sharding{}).place(registered) {
		if shard != 0 {
			t.Errorf("%s is on %d although there is one", server, shard)
		}
	}
}
