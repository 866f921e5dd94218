package application

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// Metrics are what the controller tells Prometheus, under the names that
// dashboards for Argo CD know.
type Metrics struct {
	watch     *Watch
	reconcile *prometheus.HistogramVec
	sync      *prometheus.CounterVec
	info      *prometheus.Desc
	written   prometheus.Counter
	drift     *prometheus.CounterVec
	drifting  *prometheus.Desc
	held      *prometheus.GaugeVec
}

// NewMetrics registers the metrics of a controller whose Applications are in
// watch.
func NewMetrics(registry prometheus.Registerer, watch *Watch) (*Metrics, error) {
	m := &Metrics{
		watch: watch,
		reconcile: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "argocd_app_reconcile", Help: "Duration of a reconcile of an Application, in seconds.",
			Buckets: []float64{0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16},
		}, []string{"namespace"}),
		sync: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "argocd_app_sync_total", Help: "Finished syncs of an Application.",
		}, []string{"namespace", "name", "project", "dest_server", "phase", "dry_run"}),
		info: prometheus.NewDesc("argocd_app_info", "An Application and its state; the value is always 1.",
			[]string{"namespace", "name", "project", "autosync_enabled", "repo", "dest_server", "dest_namespace", "sync_status", "health_status", "operation"}, nil),
		drift: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fairlead_app_drift_total", Help: "Objects that left their desired state without a change of the source, by cause.",
		}, []string{"namespace", "name", "project", "cause"}),
		drifting: prometheus.NewDesc("fairlead_app_drifted_resources", "Objects of an Application that are out of their desired state without a change of the source; absent when there are none.",
			[]string{"namespace", "name", "project", "cause"}, nil),
		held: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "fairlead_app_sync_held", Help: "Applications whose automated sync waits, by cause; the value is always 1, and absent when nothing holds it.",
		}, []string{"namespace", "name", "project", "cause"}),
		written: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "fairlead_application_writes_total", Help: "Writes of Applications to the API server.",
		}),
	}
	for _, collector := range []prometheus.Collector{m, m.reconcile, m.sync, m.written, m.drift, m.held} {
		if err := registry.Register(collector); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(descriptions chan<- *prometheus.Desc) {
	descriptions <- m.info
	descriptions <- m.drifting
}

// Collect implements prometheus.Collector: one series an Application, made
// when it is asked for.
func (m *Metrics) Collect(metrics chan<- prometheus.Metric) {
	for _, app := range m.watch.List() {
		automated := "false"
		if app.Spec.SyncPolicy.IsAutomated() {
			automated = "true"
		}
		operation := ""
		switch {
		case !app.DeletionTimestamp.IsZero():
			operation = "delete"
		case app.Operation != nil && app.Operation.Sync != nil:
			operation = "sync"
		}
		source := app.Spec.GetSource()
		metrics <- prometheus.MustNewConstMetric(m.info, prometheus.GaugeValue, 1,
			app.Namespace, app.Name, app.Spec.GetProject(), automated, source.RepoURL,
			app.Spec.Destination.Server, app.Spec.Destination.Namespace,
			orUnknown(string(app.Status.Sync.Status)), orUnknown(string(app.Status.Health.Status)), operation)
		m.collectDrift(metrics, app)
	}
}

func (m *Metrics) collectDrift(metrics chan<- prometheus.Metric, app *v1alpha1.Application) {
	causes := make(map[v1alpha1.DriftCause]float64)
	for i := range app.Status.Resources {
		if drift := app.Status.Resources[i].Drift; drift != nil {
			causes[drift.Cause]++
		}
	}
	for cause, count := range causes {
		metrics <- prometheus.MustNewConstMetric(m.drifting, prometheus.GaugeValue, count,
			app.Namespace, app.Name, app.Spec.GetProject(), string(cause))
	}
}

func orUnknown(word string) string {
	if word == "" {
		return "Unknown"
	}
	return word
}

func (m *Metrics) reconciled(app types.NamespacedName, took time.Duration) {
	m.reconcile.WithLabelValues(app.Namespace).Observe(took.Seconds())
}

func (m *Metrics) synced(app *v1alpha1.Application) {
	state := app.Status.OperationState
	dryRun := "false"
	if state.Operation.DryRun() {
		dryRun = "true"
	}
	m.sync.WithLabelValues(app.Namespace, app.Name, app.Spec.GetProject(), app.Spec.Destination.Server, string(state.Phase), dryRun).Inc()
}

func (m *Metrics) drifted(app *v1alpha1.Application, cause v1alpha1.DriftCause) {
	m.drift.WithLabelValues(app.Namespace, app.Name, app.Spec.GetProject(), string(cause)).Inc()
}

// heldBy says what holds the automated sync of an Application; nothing for no causes.
func (m *Metrics) heldBy(app *v1alpha1.Application, causes []holdCause) {
	m.held.DeletePartialMatch(prometheus.Labels{"namespace": app.Namespace, "name": app.Name})
	for _, cause := range causes {
		m.held.WithLabelValues(app.Namespace, app.Name, app.Spec.GetProject(), string(cause)).Set(1)
	}
}

func (m *Metrics) statusWritten() { m.written.Inc() }

// forget drops the series of an Application that is gone.
func (m *Metrics) forget(app types.NamespacedName) {
	labels := prometheus.Labels{"namespace": app.Namespace, "name": app.Name}
	m.sync.DeletePartialMatch(labels)
	m.drift.DeletePartialMatch(labels)
	m.held.DeletePartialMatch(labels)
}
