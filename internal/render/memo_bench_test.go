package render_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/fairlead-cd/fairlead/internal/render"
)

const folders = 1000

// monorepo has a folder of manifests for each of 1,000 applications.
func monorepo() map[string]string {
	content := map[string]string{"README.md": "0"}
	for i := range folders {
		dir := fmt.Sprintf("apps/app-%04d/", i)
		for j := range 5 {
			content[fmt.Sprintf("%smanifest-%d.yaml", dir, j)] = fmt.Sprintf(
				"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: app-%d-%d\n  labels: {a: b}\ndata:\n  key: value\n", i, j)
		}
	}
	return content
}

// BenchmarkCommit measures what a commit costs in rendering, with 1,000 applications of one folder each: the first time,
// after a commit that touches none of them, and after one that touches one. Fetching is not measured.
func BenchmarkCommit(b *testing.B) {
	h := newHistory(b, monorepo())
	requests := make([]render.Request, folders)
	for i := range requests {
		requests[i] = request(fmt.Sprintf("apps/app-%04d", i), nil)
		requests[i].AppName = fmt.Sprintf("app-%04d", i)
		requests[i].KubeVersion = "1.36"
	}
	memo := newMemo(render.Options{})
	all := func(b *testing.B, commit map[string]string, renders uint64) {
		b.Helper()
		b.StopTimer()
		s := h.commit(b, commit)
		before := memo.Stats().Renders
		b.StartTimer()
		for _, req := range requests {
			if _, err := memo.Render(b.Context(), render.Inputs{Files: s}, req, render.CallOptions{}); err != nil {
				b.Fatal(err)
			}
		}
		b.StopTimer()
		if got := memo.Stats().Renders - before; got != renders {
			b.Fatalf("%d renders, want %d", got, renders)
		}
		b.StartTimer()
	}
	perApplication := func(b *testing.B) {
		b.Helper()
		b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/folders, "µs/application")
	}
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			memo.Forget()
			b.StartTimer()
			all(b, map[string]string{"README.md": time.Now().String()}, folders)
		}
		perApplication(b)
		b.ReportMetric(float64(memo.Stats().Bytes)/1e6, "MB")
	})
	b.Run("readme", func(b *testing.B) {
		for b.Loop() {
			all(b, map[string]string{"README.md": time.Now().String()}, 0)
		}
		perApplication(b)
	})
	b.Run("one file", func(b *testing.B) {
		for b.Loop() {
			all(b, map[string]string{"apps/app-0500/manifest-2.yaml": configMap(fmt.Sprintf("a%d", time.Now().UnixNano()))}, 1)
		}
		perApplication(b)
	})
	b.Run("nothing", func(b *testing.B) {
		for b.Loop() {
			all(b, map[string]string{"README.md": "0"}, 0)
		}
		perApplication(b)
	})
}
