package remote

import (
	"context"
	"hash/fnv"
	"io"

	"google.golang.org/grpc/balancer"
	"google.golang.org/grpc/balancer/base"
)

// balancerName is how the service configuration of Client names the choice of a server.
const balancerName = "fairlead_rendezvous"

func init() { //nolint:gochecknoinits // how gRPC learns of balancers
	balancer.Register(base.NewBalancerBuilder(balancerName, pickerBuilder{}, base.Config{HealthCheck: true}))
}

// routeKey is where a call's context carries the repository that it is about.
type routeKey struct{}

func withRoute(ctx context.Context, url string) context.Context {
	return context.WithValue(ctx, routeKey{}, url)
}

type pickerBuilder struct{}

// Build implements base.PickerBuilder.
func (pickerBuilder) Build(info base.PickerBuildInfo) balancer.Picker {
	if len(info.ReadySCs) == 0 {
		return base.NewErrPicker(balancer.ErrNoSubConnAvailable)
	}
	p := make(picker, 0, len(info.ReadySCs))
	for conn, about := range info.ReadySCs {
		p = append(p, server{conn: conn, address: about.Address.Addr})
	}
	return p
}

// picker chooses among the servers that are ready.
type picker []server

type server struct {
	conn    balancer.SubConn
	address string
}

// Pick implements balancer.Picker: of all servers that with the highest hash of the repository and its address.
func (p picker) Pick(info balancer.PickInfo) (balancer.PickResult, error) {
	route, _ := info.Ctx.Value(routeKey{}).(string)
	best, highest := 0, uint64(0)
	for i := range p {
		if weight := weigh(route, p[i].address); i == 0 || weight > highest {
			best, highest = i, weight
		}
	}
	return balancer.PickResult{SubConn: p[best].conn}, nil
}

// weigh hashes a repository and a server. The last step spreads what FNV leaves alike in similar addresses.
func weigh(route, address string) uint64 {
	h := fnv.New64a()
	_, _ = io.WriteString(h, route)
	_, _ = h.Write([]byte{0})
	_, _ = io.WriteString(h, address)
	x := h.Sum64()
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}
