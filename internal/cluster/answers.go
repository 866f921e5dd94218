package cluster

import (
	"context"
	"net/http"
	"strconv"
	"time"
)

// Answer tells how a request to the API server went.
type Answer struct {
	// Status is the HTTP status, 0 when no answer came.
	Status int
	// RetryAfter is how long the API server asks to wait before the next attempt.
	RetryAfter time.Duration
	// Begun and Took are when the request was sent, and how long the answer took to begin.
	Begun time.Time
	Took  time.Duration
}

type answersKey struct{}

// WithAnswers returns a context whose requests through Client and ClientAs tell how they went. The requests are not
// repeated by the client, as it otherwise does by itself and unseen when the API server asks to come back later: who
// listens does it, and can send less meanwhile. hear is called by several goroutines at once.
func WithAnswers(ctx context.Context, hear func(Answer)) context.Context {
	return context.WithValue(ctx, answersKey{}, hear)
}

// answering is the transport that tells.
type answering struct{ next http.RoundTripper }

// RoundTrip sends the request.
func (a answering) RoundTrip(request *http.Request) (*http.Response, error) {
	hear, ok := request.Context().Value(answersKey{}).(func(Answer))
	if !ok {
		return a.next.RoundTrip(request)
	}
	answer := Answer{Begun: time.Now()}
	response, err := a.next.RoundTrip(request)
	answer.Took = time.Since(answer.Begun)
	if err == nil {
		answer.Status = response.StatusCode
		if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil && seconds > 0 {
			answer.RetryAfter = time.Duration(seconds) * time.Second
		}
		response.Header.Del("Retry-After") // it is what makes the client repeat
	}
	hear(answer)
	return response, err
}

// WrappedRoundTripper returns the transport underneath.
func (a answering) WrappedRoundTripper() http.RoundTripper { return a.next }
