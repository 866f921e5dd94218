package apply

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/fairlead-cd/fairlead/internal/cluster"
)

// patience says how long a write is tried, and what follows it waited for.
type patience struct {
	// attempts is how often one write is sent, within total. The second attempt
	// is made in any case.
	attempts int
	total    time.Duration
	// attempt bounds one of them. It is longer than a webhook may take.
	attempt time.Duration
	// pause is what passes before the second attempt; it doubles each time.
	pause time.Duration
	// gone is how long an object may take to disappear that is made anew.
	gone time.Duration
}

func usualPatience() patience {
	return patience{attempts: 6, total: 30 * time.Second, attempt: 35 * time.Second, pause: 200 * time.Millisecond, gone: 5 * time.Minute}
}

// errNoAnswer is how an attempt ends that took too long.
var errNoAnswer = errors.New("the API server did not answer in time")

// try sends a write again while its failure is one that passes. That is safe:
// what is sent here is the same when it is sent twice, or is tied to the uid or
// the version of its object.
func (a *Applier) try(ctx context.Context, write func(context.Context) error) error {
	begun := time.Now()
	pause := a.patience.pause
	for attempt := 1; ; attempt++ {
		asked, err := a.attempt(ctx, write)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case !transient(err) || attempt >= a.patience.attempts:
			return err
		}
		wait := max(asked, pause/2+rand.N(pause)) //nolint:gosec // jitter is no secret
		if attempt > 1 && time.Since(begun)+wait > a.patience.total {
			return err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
		pause *= 2
	}
}

// attempt sends a write once, and returns how long the API server asks to wait.
func (a *Applier) attempt(ctx context.Context, write func(context.Context) error) (time.Duration, error) {
	bounded, cancel := context.WithTimeout(ctx, a.patience.attempt)
	defer cancel()
	var asked atomic.Int64
	err := write(cluster.WithAnswers(bounded, func(answer cluster.Answer) {
		asked.Store(int64(answer.RetryAfter))
		a.limit.hear(answer)
	}))
	if err != nil && bounded.Err() != nil && ctx.Err() == nil {
		err = fmt.Errorf("%w (%s)", errNoAnswer, a.patience.attempt)
	}
	return time.Duration(asked.Load()), err
}

// transient says that the same write may succeed a moment later.
func transient(err error) bool {
	if errors.Is(err, cluster.ErrKindUnknown) {
		return false
	}
	status, ok := statusOf(err)
	if !ok {
		return !untrusted(err) && !errors.Is(err, context.Canceled)
	}
	if permanent(status.Message) {
		return false
	}
	return status.Code == http.StatusConflict || status.Code == http.StatusTooManyRequests || status.Code >= http.StatusInternalServerError
}

// permanent tells the answers that come as failures of the server although the
// object is at fault.
func permanent(message string) bool {
	return strings.Contains(message, typedPatchFailed) || strings.Contains(message, conversionFailed) || strings.Contains(message, "request is too large")
}

// untrusted says that the two sides do not accept each other's certificates.
func untrusted(err error) bool {
	_, authority := errors.AsType[x509.UnknownAuthorityError](err)
	_, name := errors.AsType[x509.HostnameError](err)
	_, verification := errors.AsType[*tls.CertificateVerificationError](err)
	return authority || name || verification
}
