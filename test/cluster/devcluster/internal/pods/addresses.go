package pods

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

// podRange holds the addresses of all pods; 65,534 fit in it.
var podRange = netip.MustParsePrefix("10.244.0.0/16")

// pool hands out addresses of pods. It may be used concurrently.
type pool struct {
	mu    sync.Mutex
	last  uint16
	owner map[uint16]types.UID
	given map[types.UID]uint16
}

func newPool() *pool {
	return &pool{owner: map[uint16]types.UID{}, given: map[types.UID]uint16{}}
}

// keep records an address that a pod has already.
func (p *pool) keep(uid types.UID, address string) {
	parsed, err := netip.ParseAddr(address)
	if err != nil || !podRange.Contains(parsed) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	bytes := parsed.As4()
	p.give(uid, binary.BigEndian.Uint16(bytes[2:]))
}

// get returns the address of a pod, a new one when it has none.
func (p *pool) get(uid types.UID) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	number, ok := p.given[uid]
	if !ok {
		var err error
		if number, err = p.free(); err != nil {
			return "", err
		}
		p.give(uid, number)
	}
	bytes := podRange.Addr().As4()
	binary.BigEndian.PutUint16(bytes[2:], number)
	return netip.AddrFrom4(bytes).String(), nil
}

// free finds a number that nobody has, going round so that an address is not
// used again at once.
func (p *pool) free() (uint16, error) {
	for range 1 << 16 {
		p.last++
		_, taken := p.owner[p.last]
		if p.last != 0 && p.last != 1<<16-1 && !taken {
			return p.last, nil
		}
	}
	return 0, fmt.Errorf("all addresses of %s are in use", podRange)
}

func (p *pool) give(uid types.UID, number uint16) {
	p.owner[number] = uid
	p.given[uid] = number
	p.last = max(p.last, number)
}

// release takes the address of a pod back.
func (p *pool) release(uid types.UID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if number, ok := p.given[uid]; ok && p.owner[number] == uid {
		delete(p.owner, number)
	}
	delete(p.given, uid)
}
