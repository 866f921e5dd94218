package auth

import (
	"fmt"
	"net"
	"sync"
	"time"
)

// How failed logins are slowed down: the first few cost nothing, each further one doubles the wait.
const (
	freeFailures   = 5
	firstWait      = time.Second
	longestWait    = 30 * time.Second
	forgottenAfter = 10 * time.Minute
	maxRemembered  = 10_000
)

// TooManyFailures says that a login is not looked at for a while.
type TooManyFailures struct {
	// Wait is how long.
	Wait time.Duration
}

// Error gives a sentence for the user.
func (e *TooManyFailures) Error() string {
	return fmt.Sprintf("too many failed logins from this address; wait %s and try again", e.Wait.Round(time.Second))
}

// Throttle slows down guessing. It counts by account and address together: failures from one address never keep the
// owner of the account out at another. Safe for concurrent use.
type Throttle struct {
	now func() time.Time

	mu       sync.Mutex
	failures map[attempt]failure
}

type attempt struct{ username, from string }

type failure struct {
	count int
	last  time.Time
}

// NewThrottle gives a throttle without memory of failures.
func NewThrottle(now func() time.Time) *Throttle {
	return &Throttle{now: now, failures: map[attempt]failure{}}
}

// Check gives a *TooManyFailures when it is too early for another attempt.
func (t *Throttle) Check(username, from string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	f, ok := t.failures[key(username, from)]
	if !ok {
		return nil
	}
	if wait := f.last.Add(waitAfter(f.count)).Sub(t.now()); wait > 0 {
		return &TooManyFailures{Wait: max(wait, time.Second)}
	}
	return nil
}

// Failed counts a failure.
func (t *Throttle) Failed(username, from string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	k := key(username, from)
	f, ok := t.failures[k]
	if !ok && len(t.failures) >= maxRemembered {
		t.makeRoom(now)
	}
	if now.Sub(f.last) > forgottenAfter {
		f.count = 0
	}
	t.failures[k] = failure{count: f.count + 1, last: now}
}

// Succeeded forgets the failures.
func (t *Throttle) Succeeded(username, from string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.failures, key(username, from))
}

// makeRoom looks at some entries and drops those that are old, and when none is, the one that has failed least.
func (t *Throttle) makeRoom(now time.Time) {
	const looks = 64
	var least attempt
	fewest, looked := failure{count: -1}, 0
	for k, f := range t.failures {
		if now.Sub(f.last) > forgottenAfter {
			delete(t.failures, k)
			continue
		}
		if looked++; looked > looks {
			break
		}
		if fewest.count < 0 || f.count < fewest.count || f.count == fewest.count && f.last.Before(fewest.last) {
			least, fewest = k, f
		}
	}
	if len(t.failures) >= maxRemembered {
		delete(t.failures, least)
	}
}

func waitAfter(failures int) time.Duration {
	if failures < freeFailures {
		return 0
	}
	wait := firstWait
	for range failures - freeFailures {
		if wait *= 2; wait >= longestWait {
			return longestWait
		}
	}
	return wait
}

// key takes addresses of IPv6 by their network, since one host has a whole network of them.
func key(username, from string) attempt {
	host, _, err := net.SplitHostPort(from)
	if err != nil {
		host = from
	}
	if ip := net.ParseIP(host); ip != nil && ip.To4() == nil {
		host = ip.Mask(net.CIDRMask(64, 128)).String()
	}
	if len(username) > maxUsername {
		username = username[:maxUsername]
	}
	return attempt{username, host}
}
