package cache

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// initiator is who asks Redis: rendered results are the repo component's.
const initiator = "argocd-repo-server"

// Metrics count requests to Redis under Argo CD's names.
type Metrics struct {
	requests  *prometheus.CounterVec
	durations *prometheus.HistogramVec
}

// NewMetrics registers the metrics.
func NewMetrics(registerer prometheus.Registerer) (*Metrics, error) {
	m := &Metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "argocd_redis_request_total", Help: "Requests to Redis.",
		}, []string{"initiator", "failed"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "argocd_redis_request_duration_seconds", Help: "Duration of requests to Redis.",
			Buckets: []float64{0.01, 0.05, 0.10, 0.25, .5, 1},
		}, []string{"initiator"}),
	}
	for _, c := range []prometheus.Collector{m.requests, m.durations} {
		if err := registerer.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// OnRequest counts one request, see [Options].
func (m *Metrics) OnRequest(duration time.Duration, failed bool) {
	m.requests.WithLabelValues(initiator, strconv.FormatBool(failed)).Inc()
	m.durations.WithLabelValues(initiator).Observe(duration.Seconds())
}
