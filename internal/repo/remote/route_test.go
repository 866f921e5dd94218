package remote

import (
	"crypto/tls"
	"fmt"
	"testing"
	"time"

	"google.golang.org/grpc/balancer"
	"google.golang.org/grpc/balancer/base"
	"google.golang.org/grpc/resolver"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/peer"
	"github.com/fairlead-cd/fairlead/internal/repo"
)

func withoutCertificate(i *peer.Identity) *tls.Config {
	config := i.ClientConfig("h2")
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &tls.Certificate{}, nil }
	return config
}

// connection stands for one to a server.
type connection struct {
	balancer.SubConn
	address string
}

func pickerOf(addresses ...string) balancer.Picker {
	info := base.PickerBuildInfo{ReadySCs: map[balancer.SubConn]base.SubConnInfo{}}
	for _, address := range addresses {
		info.ReadySCs[&connection{address: address}] = base.SubConnInfo{Address: resolver.Address{Addr: address}}
	}
	return pickerBuilder{}.Build(info)
}

func pick(t *testing.T, p balancer.Picker, url string) string {
	t.Helper()
	result, err := p.Pick(balancer.PickInfo{Ctx: withRoute(t.Context(), url)})
	if err != nil {
		t.Fatal(err)
	}
	return result.SubConn.(*connection).address
}

func TestARepositoryStaysWithItsServer(t *testing.T) {
	addresses := []string{"10.0.0.1:8081", "10.0.0.2:8081", "10.0.0.3:8081"}
	all, fewer := pickerOf(addresses...), pickerOf(addresses[0], addresses[2])
	counts := map[string]int{}
	const repositories = 300
	for i := range repositories {
		url := fmt.Sprintf("https://git.example.com/team-%d/app.git", i)
		before := pick(t, all, url)
		counts[before]++
		if again := pick(t, pickerOf(addresses[2], addresses[1], addresses[0]), url); again != before {
			t.Errorf("%s is with %s and with %s", url, before, again)
		}
		if after := pick(t, fewer, url); before != addresses[1] && after != before {
			t.Errorf("%s moves from %s to %s although its server stayed", url, before, after)
		}
	}
	for _, address := range addresses {
		if counts[address] < repositories/6 {
			t.Errorf("%s has %d of %d repositories", address, counts[address], repositories)
		}
	}
	if _, err := pickerOf().Pick(balancer.PickInfo{Ctx: t.Context()}); err == nil {
		t.Error("a server is found where there is none")
	}
}

func TestAServerLearnsHowOldItsKnowledgeMayBe(t *testing.T) {
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	s := &service{result: manyObjects(1)}
	server := start(t, "127.0.0.1:0", ServerOptions{Service: s})
	c := connect(t, ClientOptions{Address: server.address, Now: func() time.Time { return now }})
	req := request()
	req.Sources = append(req.Sources, v1alpha1.ApplicationSource{RepoURL: "https://git.example.com/values.git", Ref: "values"})
	ages := func() []time.Duration {
		t.Helper()
		if _, err := c.Render(t.Context(), req); err != nil {
			t.Fatal(err)
		}
		_, calls := s.seen()
		return calls[len(calls)-1].MaxAge
	}
	if got := ages(); got[0] != 0 || got[1] != 0 {
		t.Errorf("before any poll: %v", got)
	}
	origin, _ := repo.OriginOf(req.Sources[1], req.Project)
	if _, err := c.Poll(t.Context(), origin); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Minute)
	if got := ages(); got[0] != 0 || got[1] != time.Minute {
		t.Errorf("a minute after the poll of the second: %v", got)
	}
}
