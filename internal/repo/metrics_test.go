package repo_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/worker"
	"github.com/fairlead-cd/fairlead/internal/repo"
	"github.com/fairlead-cd/fairlead/internal/source"
	"github.com/fairlead-cd/fairlead/internal/source/chart"
	"github.com/fairlead-cd/fairlead/internal/source/content"
	"github.com/fairlead-cd/fairlead/internal/source/oci"
)

// gathered prints the metrics of a registry, a line each; of durations the count alone.
func gathered(t *testing.T, registry *prometheus.Registry) string {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, f := range families {
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetName()+"="+l.GetValue())
			}
			value := m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			lines = append(lines, fmt.Sprintf("%s %s %v", f.GetName(), strings.Join(labels, ","), value))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n") + "\n"
}

func TestRequestsToServersAreCounted(t *testing.T) {
	registry := prometheus.NewRegistry()
	m, err := repo.NewMetrics(registry)
	if err != nil {
		t.Fatal(err)
	}
	failed := errors.New("the server is unreachable")
	m.OnFetch(source.FetchReport{URL: "https://git", Listing: time.Second})
	m.OnFetch(source.FetchReport{URL: "https://git", Listing: time.Second, Fetching: time.Second, Err: failed})
	m.OnFetch(source.FetchReport{URL: "https://gone", Listing: time.Second, Err: failed})
	for _, kind := range []oci.RequestKind{oci.RequestResolve, oci.RequestMetadata, oci.RequestExtract, oci.RequestTags, oci.RequestTest} {
		m.OnArtifact(oci.Request{URL: "oci://registry/a", Kind: kind, Duration: time.Second, Err: failed})
	}
	m.OnArtifact(oci.Request{URL: "oci://registry/a", Kind: oci.RequestTags})
	m.OnChart(chart.Request{URL: "https://charts", Kind: "index"})
	m.OnChart(chart.Request{URL: "https://charts", Kind: "archive", Err: failed})
	want := `argocd_git_fetch_fail_total repo=https://git 1
argocd_git_lsremote_fail_total repo=https://gone 1
argocd_git_request_duration_seconds repo=https://git,request_type=fetch 1
argocd_git_request_duration_seconds repo=https://git,request_type=ls-remote 2
argocd_git_request_duration_seconds repo=https://gone,request_type=ls-remote 1
argocd_git_request_total repo=https://git,request_type=fetch 1
argocd_git_request_total repo=https://git,request_type=ls-remote 2
argocd_git_request_total repo=https://gone,request_type=ls-remote 1
argocd_oci_digest_metadata_fail_total repo=oci://registry/a 1
argocd_oci_extract_fail_total repo=oci://registry/a 1
argocd_oci_get_tags_fail_total repo=oci://registry/a 1
argocd_oci_request_duration_seconds repo=oci://registry/a,request_type=digest-metadata 1
argocd_oci_request_duration_seconds repo=oci://registry/a,request_type=extract 1
argocd_oci_request_duration_seconds repo=oci://registry/a,request_type=get-tags 2
argocd_oci_request_duration_seconds repo=oci://registry/a,request_type=resolve-revision 1
argocd_oci_request_duration_seconds repo=oci://registry/a,request_type=test-repo 1
argocd_oci_request_total repo=oci://registry/a,request_type=digest-metadata 1
argocd_oci_request_total repo=oci://registry/a,request_type=extract 1
argocd_oci_request_total repo=oci://registry/a,request_type=get-tags 2
argocd_oci_request_total repo=oci://registry/a,request_type=resolve-revision 1
argocd_oci_request_total repo=oci://registry/a,request_type=test-repo 1
argocd_oci_resolve_revision_fail_total repo=oci://registry/a 1
argocd_oci_test_repo_fail_total repo=oci://registry/a 1
fairlead_chart_request_duration_seconds repo=https://charts,request_type=archive 1
fairlead_chart_request_duration_seconds repo=https://charts,request_type=index 1
fairlead_chart_request_fail_total repo=https://charts 1
fairlead_chart_request_total repo=https://charts,request_type=archive 1
fairlead_chart_request_total repo=https://charts,request_type=index 1
`
	if diff := cmp.Diff(want, gathered(t, registry)); diff != "" {
		t.Error(diff)
	}
}

func TestNumbersAreReadWhenAskedFor(t *testing.T) {
	registry := prometheus.NewRegistry()
	memo := render.Stats{Renders: 5, Errors: 2, Same: 3, Verified: 4, Joined: 1, Loaded: 6, Results: 7, Bytes: 8}
	pool := worker.Stats{Workers: 3, Busy: 2, Waiting: 4, Starts: 9, Limits: 1, Crashes: 2, Repeated: 3}
	disk := content.Stats{Hits: 1, Misses: 2, Bytes: 3}
	registry.MustRegister(repo.MemoNumbers(func() render.Stats { return memo }), repo.WorkerNumbers(func() worker.Stats { return pool }),
		repo.StoreNumbers(map[string]func() content.Stats{"charts": func() content.Stats { return disk }}))
	want := `fairlead_render_loaded_total  6
fairlead_render_requests_total outcome=failed 2
fairlead_render_requests_total outcome=joined 1
fairlead_render_requests_total outcome=rendered 3
fairlead_render_requests_total outcome=same 3
fairlead_render_requests_total outcome=verified 4
fairlead_render_results  7
fairlead_render_results_bytes  8
fairlead_render_waiting  4
fairlead_render_worker_deaths_total reason=crash 2
fairlead_render_worker_deaths_total reason=limit 1
fairlead_render_worker_deaths_total reason=outside 3
fairlead_render_worker_starts_total  9
fairlead_render_workers state=busy 2
fairlead_render_workers state=idle 1
fairlead_store_bytes store=charts 3
fairlead_store_reads_total outcome=hit,store=charts 1
fairlead_store_reads_total outcome=miss,store=charts 2
`
	if diff := cmp.Diff(want, gathered(t, registry)); diff != "" {
		t.Error(diff)
	}
	memo.Joined = 10
	if got := gathered(t, registry); !strings.Contains(got, "outcome=joined 10\n") {
		t.Errorf("the numbers are old ones:\n%s", got)
	}
}
