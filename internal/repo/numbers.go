package repo

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/worker"
	"github.com/fairlead-cd/fairlead/internal/source/content"
)

// Numbers are metrics whose values are read when somebody asks for them.
type Numbers struct {
	families []family
	read     func(emit func(family int, value float64, labels ...string))
}

// family is the metrics of one name.
type family struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
}

func counter(name, help string, labels ...string) family {
	return family{prometheus.NewDesc(name, help, labels, nil), prometheus.CounterValue}
}

func gauge(name, help string, labels ...string) family {
	return family{prometheus.NewDesc(name, help, labels, nil), prometheus.GaugeValue}
}

var _ prometheus.Collector = (*Numbers)(nil)

// Describe implements prometheus.Collector.
func (n *Numbers) Describe(out chan<- *prometheus.Desc) {
	for _, f := range n.families {
		out <- f.desc
	}
}

// Collect implements prometheus.Collector.
func (n *Numbers) Collect(out chan<- prometheus.Metric) {
	n.read(func(i int, value float64, labels ...string) {
		f := n.families[i]
		out <- prometheus.MustNewConstMetric(f.desc, f.kind, value, labels...)
	})
}

// MemoNumbers are those of what keeps results.
func MemoNumbers(stats func() render.Stats) *Numbers {
	return &Numbers{
		families: []family{
			counter("fairlead_render_requests_total",
				"Requests to render a source, by what they took: rendered, failed, same (the commit is the same), verified (nothing "+
					"that was read has changed) or joined (a render in progress).", "outcome"),
			gauge("fairlead_render_results", "Results that are kept in memory."),
			gauge("fairlead_render_results_bytes", "Memory of the results that are kept, roughly."),
			counter("fairlead_render_loaded_total", "Results that were taken from Redis."),
		},
		read: func(emit func(int, float64, ...string)) {
			s := stats()
			for outcome, n := range map[string]uint64{
				"rendered": s.Renders - s.Errors, "failed": s.Errors, "same": s.Same, "verified": s.Verified, "joined": s.Joined,
			} {
				emit(0, float64(n), outcome)
			}
			emit(1, float64(s.Results))
			emit(2, float64(s.Bytes))
			emit(3, float64(s.Loaded))
		},
	}
}

// WorkerNumbers are those of rendering processes.
func WorkerNumbers(stats func() worker.Stats) *Numbers {
	return &Numbers{
		families: []family{
			gauge("fairlead_render_workers", "Rendering processes, by whether they render: busy, idle.", "state"),
			gauge("fairlead_render_waiting", "Sources that wait for a rendering process."),
			counter("fairlead_render_worker_starts_total", "Rendering processes that were started."),
			counter("fairlead_render_worker_deaths_total",
				"Rendering processes that ended before their time, by why: limit (of time, memory or output), crash, outside "+
					"(somebody else ended it, and the source was rendered again).", "reason"),
		},
		read: func(emit func(int, float64, ...string)) {
			s := stats()
			emit(0, float64(s.Busy), "busy")
			emit(0, float64(max(s.Workers-s.Busy, 0)), "idle")
			emit(1, float64(s.Waiting))
			emit(2, float64(s.Starts))
			emit(3, float64(s.Limits), "limit")
			emit(3, float64(s.Crashes), "crash")
			emit(3, float64(s.Repeated), "outside")
		},
	}
}

// StoreNumbers are those of what is kept on disk, by the name of the store.
func StoreNumbers(stores map[string]func() content.Stats) *Numbers {
	return &Numbers{
		families: []family{
			counter("fairlead_store_reads_total", "Reads of archives and layers on disk, by whether they were there: hit, miss.", "store", "outcome"),
			gauge("fairlead_store_bytes", "Archives and layers on disk, roughly.", "store"),
		},
		read: func(emit func(int, float64, ...string)) {
			for name, stats := range stores {
				s := stats()
				emit(0, float64(s.Hits), name, "hit")
				emit(0, float64(s.Misses), name, "miss")
				emit(1, float64(s.Bytes), name)
			}
		},
	}
}
