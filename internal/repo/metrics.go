package repo

import (
	"context"
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/source"
)

// Metrics count what the repo component does, under the names of Argo CD where it has some.
type Metrics struct {
	requests      *prometheus.CounterVec
	durations     *prometheus.HistogramVec
	failedListing *prometheus.CounterVec
	failedFetch   *prometheus.CounterVec
	pending       *prometheus.GaugeVec
}

// Kinds of requests to Git servers.
const (
	requestListing = "ls-remote"
	requestFetch   = "fetch"
)

// NewMetrics registers the metrics. stats gives the counts of the memo.
func NewMetrics(registerer prometheus.Registerer, stats func() render.Stats) (*Metrics, error) {
	m := &Metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "argocd_git_request_total", Help: "Requests to Git servers.",
		}, []string{"repo", "request_type"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "argocd_git_request_duration_seconds", Help: "Duration of requests to Git servers.",
			Buckets: []float64{0.1, 0.25, .5, 1, 2, 4, 10, 20},
		}, []string{"repo", "request_type"}),
		failedListing: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "argocd_git_lsremote_fail_total", Help: "Listings of references that failed.",
		}, []string{"repo"}),
		failedFetch: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "argocd_git_fetch_fail_total", Help: "Fetches that failed.",
		}, []string{"repo"}),
		pending: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "argocd_repo_pending_request_total", Help: "Requests to the repo component that have no answer yet.",
		}, []string{"repo"}),
	}
	for _, c := range []prometheus.Collector{
		m.requests, m.durations, m.failedListing, m.failedFetch, m.pending, &memoMetrics{stats: stats},
	} {
		if err := registerer.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// OnFetch counts one poll of a Git repository, see [source.Options].
func (m *Metrics) OnFetch(r source.FetchReport) {
	count := func(kind string, seconds float64) {
		m.requests.WithLabelValues(r.URL, kind).Inc()
		m.durations.WithLabelValues(r.URL, kind).Observe(seconds)
	}
	count(requestListing, r.Listing.Seconds())
	if r.Fetching > 0 {
		count(requestFetch, r.Fetching.Seconds())
	}
	switch {
	case r.Err == nil:
	case r.Fetching > 0:
		m.failedFetch.WithLabelValues(r.URL).Inc()
	default:
		m.failedListing.WithLabelValues(r.URL).Inc()
	}
}

// Count gives a Service that counts the calls in progress of another.
func (m *Metrics) Count(s Service) Service { return counted{s, m} }

type counted struct {
	Service
	metrics *Metrics
}

// Poll implements Service.
func (c counted) Poll(ctx context.Context, origin Origin) (bool, error) {
	defer c.metrics.begin(origin.URL)()
	return c.Service.Poll(ctx, origin)
}

// Render implements Service.
func (c counted) Render(ctx context.Context, req Request) (*Response, error) {
	if len(req.Sources) == 0 {
		return nil, errors.New("rendering an Application: it states no source")
	}
	defer c.metrics.begin(req.Sources[0].RepoURL)()
	return c.Service.Render(ctx, req)
}

func (m *Metrics) begin(url string) (end func()) {
	gauge := m.pending.WithLabelValues(source.WithoutCredentials(url))
	gauge.Inc()
	return gauge.Dec
}

// memoMetrics reads the counts of a memo when they are asked for.
type memoMetrics struct{ stats func() render.Stats }

func rendersDesc() *prometheus.Desc {
	return prometheus.NewDesc("fairlead_render_requests_total",
		"Requests to render a source, by what they took: rendered, failed, same (the commit is the same), verified (nothing "+
			"that was read has changed) or joined (a render in progress).", []string{"outcome"}, nil)
}

func resultsDesc() *prometheus.Desc {
	return prometheus.NewDesc("fairlead_render_results", "Results that are kept in memory.", nil, nil)
}

func bytesDesc() *prometheus.Desc {
	return prometheus.NewDesc("fairlead_render_results_bytes", "Memory of the results that are kept, roughly.", nil, nil)
}

// Describe implements prometheus.Collector.
func (*memoMetrics) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{rendersDesc(), resultsDesc(), bytesDesc()} {
		out <- desc
	}
}

// Collect implements prometheus.Collector.
func (m *memoMetrics) Collect(out chan<- prometheus.Metric) {
	s := m.stats()
	renders := rendersDesc()
	for outcome, n := range map[string]uint64{
		"rendered": s.Renders - s.Errors, "failed": s.Errors, "same": s.Same, "verified": s.Verified, "joined": s.Joined,
	} {
		out <- prometheus.MustNewConstMetric(renders, prometheus.CounterValue, float64(n), outcome)
	}
	out <- prometheus.MustNewConstMetric(resultsDesc(), prometheus.GaugeValue, float64(s.Results))
	out <- prometheus.MustNewConstMetric(bytesDesc(), prometheus.GaugeValue, float64(s.Bytes))
}
