package application

import (
	"fmt"
	"strings"
	"time"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// failAttempt ends an attempt. The operation goes on when it may be retried.
func (r *reconciliation) failAttempt(state *v1alpha1.OperationState, message string) {
	retry := state.Operation.Retry
	if retry.Limit >= 0 && state.RetryCount >= retry.Limit {
		if state.RetryCount > 0 {
			message = fmt.Sprintf("%s (retried %d times)", message, state.RetryCount)
		}
		r.finish(v1alpha1.OperationFailed, message)
		return
	}
	state.FinishedAt, state.Waiting = &r.now, nil
	state.RetryCount++
	wait := r.untilRetry(state)
	state.Message = fmt.Sprintf("%s. Retrying attempt #%d at %s.", message, state.RetryCount, r.now.Add(wait).UTC().Format(time.RFC3339))
	r.lookIn(wait)
}

// beginAttempt clears what the attempt before left. It syncs to the same
// revision, unless the operation asks for the newest.
func (r *reconciliation) beginAttempt(state *v1alpha1.OperationState) {
	if state.FinishedAt == nil {
		return
	}
	state.FinishedAt = nil
	if state.SyncResult == nil {
		return
	}
	if !state.Operation.Retry.Refresh {
		state.SyncResult.Resources, state.SyncResult.OmittedResources = nil, 0
		return
	}
	state.SyncResult = nil
	if state.Operation.InitiatedBy.Automated {
		r.aim(state.Operation.Sync)
	}
}

// untilRetry is how long a failed attempt still waits for the next one.
func (r *reconciliation) untilRetry(state *v1alpha1.OperationState) time.Duration {
	if state.RetryCount == 0 || state.FinishedAt == nil {
		return 0
	}
	delay := retryDelay(state.Operation.Retry.Backoff, state.RetryCount)
	return state.FinishedAt.Add(delay).Sub(r.Now())
}

// retryDelay is the back-off before a retry: by default 5 s, doubled each
// time, 3 minutes at most, as documented for Argo CD.
func retryDelay(backoff *v1alpha1.Backoff, attempt int64) time.Duration {
	delay, factor, longest := 5*time.Second, int64(2), 3*time.Minute
	if backoff != nil {
		delay = durationOr(backoff.Duration, delay)
		longest = durationOr(backoff.MaxDuration, longest)
		if backoff.Factor != nil {
			factor = max(*backoff.Factor, 1)
		}
	}
	for range attempt - 1 {
		delay *= time.Duration(factor)
		if delay >= longest {
			return longest
		}
	}
	return min(delay, longest)
}

// durationOr reads a duration as users write it: "5s", "3m", or plain seconds.
func durationOr(text string, otherwise time.Duration) time.Duration {
	if text == "" {
		return otherwise
	}
	if strings.Trim(text, "0123456789") == "" {
		text += "s"
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return d
	}
	return otherwise
}
