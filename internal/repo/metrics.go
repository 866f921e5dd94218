package repo

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fairlead-cd/fairlead/internal/source"
	"github.com/fairlead-cd/fairlead/internal/source/chart"
	"github.com/fairlead-cd/fairlead/internal/source/oci"
)

// Metrics count what the repo component does, under the names of Argo CD where it has some.
type Metrics struct {
	git           requests
	failedListing *prometheus.CounterVec
	failedFetch   *prometheus.CounterVec
	pending       *prometheus.GaugeVec
	registries    requests
	artifactFails map[oci.RequestKind]*prometheus.CounterVec
	charts        requests
	chartFails    *prometheus.CounterVec
}

// requests count requests to servers, by repository and kind.
type requests struct {
	total     *prometheus.CounterVec
	durations *prometheus.HistogramVec
}

func newRequests(prefix, what string) requests {
	labels := []string{"repo", "request_type"}
	return requests{
		total: prometheus.NewCounterVec(prometheus.CounterOpts{Name: prefix + "_request_total", Help: "Requests " + what + "."}, labels),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: prefix + "_request_duration_seconds", Help: "Duration of requests " + what + ".",
			Buckets: []float64{0.1, 0.25, .5, 1, 2, 4, 10, 20},
		}, labels),
	}
}

func (r requests) count(repo, kind string, took time.Duration) {
	r.total.WithLabelValues(repo, kind).Inc()
	r.durations.WithLabelValues(repo, kind).Observe(took.Seconds())
}

// failures count failed requests, by repository.
func failures(name, what string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: what + " that failed."}, []string{"repo"})
}

// Kinds of requests to Git servers.
const (
	requestListing = "ls-remote"
	requestFetch   = "fetch"
)

// NewMetrics registers the metrics of requests to servers and of those in progress.
func NewMetrics(registerer prometheus.Registerer) (*Metrics, error) {
	m := &Metrics{
		git:           newRequests("argocd_git", "to Git servers"),
		failedListing: failures("argocd_git_lsremote_fail_total", "Listings of references"),
		failedFetch:   failures("argocd_git_fetch_fail_total", "Fetches"),
		pending: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "argocd_repo_pending_request_total", Help: "Requests to the repo component that have no answer yet.",
		}, []string{"repo"}),
		registries: newRequests("argocd_oci", "to registries about artifacts"),
		artifactFails: map[oci.RequestKind]*prometheus.CounterVec{
			oci.RequestResolve:  failures("argocd_oci_resolve_revision_fail_total", "Requests for the digest of a revision"),
			oci.RequestMetadata: failures("argocd_oci_digest_metadata_fail_total", "Requests for a manifest"),
			oci.RequestExtract:  failures("argocd_oci_extract_fail_total", "Requests for the content of an artifact"),
			oci.RequestTags:     failures("argocd_oci_get_tags_fail_total", "Listings of tags"),
			oci.RequestTest:     failures("argocd_oci_test_repo_fail_total", "Tests of a repository"),
		},
		charts:     newRequests("fairlead_chart", "to Helm repositories and to registries about charts"),
		chartFails: failures("fairlead_chart_request_fail_total", "Requests about charts"),
	}
	all := []prometheus.Collector{
		m.git.total, m.git.durations, m.failedListing, m.failedFetch, m.pending,
		m.registries.total, m.registries.durations, m.charts.total, m.charts.durations, m.chartFails,
	}
	for _, fails := range m.artifactFails {
		all = append(all, fails)
	}
	for _, c := range all {
		if err := registerer.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// OnFetch counts one poll of a Git repository, see [source.Options].
func (m *Metrics) OnFetch(r source.FetchReport) {
	m.git.count(r.URL, requestListing, r.Listing)
	if r.Fetching > 0 {
		m.git.count(r.URL, requestFetch, r.Fetching)
	}
	switch {
	case r.Err == nil:
	case r.Fetching > 0:
		m.failedFetch.WithLabelValues(r.URL).Inc()
	default:
		m.failedListing.WithLabelValues(r.URL).Inc()
	}
}

// OnArtifact counts one request about an OCI artifact, see [oci.Options].
func (m *Metrics) OnArtifact(r oci.Request) {
	m.registries.count(r.URL, string(r.Kind), r.Duration)
	if r.Err != nil {
		m.artifactFails[r.Kind].WithLabelValues(r.URL).Inc()
	}
}

// OnChart counts one request about charts, see [chart.Options].
func (m *Metrics) OnChart(r chart.Request) {
	m.charts.count(r.URL, r.Kind, r.Duration)
	if r.Err != nil {
		m.chartFails.WithLabelValues(r.URL).Inc()
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
