package worker

import (
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// statusMemory is the exit status of a worker that stopped itself because it needed too much memory.
	statusMemory = 86
	// watchEvery is how often a rendering worker looks at its memory.
	watchEvery = 20 * time.Millisecond
	// relaxAbove is how much memory an idle worker keeps at most, above what it had at its start.
	relaxAbove = 48 << 20
)

// memoryWatch ends the process when it exceeds its limit. It works on every system; where the kernel has a limit too,
// that is set somewhat higher and catches what is quicker than this.
type memoryWatch struct {
	base int64
}

func newMemoryWatch() *memoryWatch { return &memoryWatch{base: memoryInUse()} }

// memoryInUse is the memory that the Go runtime has from the system.
func memoryInUse() int64 {
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(samples)
	return int64(samples[0].Value.Uint64()) - int64(samples[1].Value.Uint64())
}

// start watches until stop is called.
func (w *memoryWatch) start(limit int64) (stop func()) {
	if limit <= 0 {
		return func() {}
	}
	done := make(chan struct{})
	go func() {
		ticker := time.NewTicker(watchEvery)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				if memoryInUse() > limit {
					os.Exit(statusMemory) //nolint:forbidigo // nothing else frees what a renderer holds on to
				}
			}
		}
	}()
	return func() { close(done) }
}

// relax gives memory back that a request has needed, after it has been answered.
func (w *memoryWatch) relax() {
	if memoryInUse() > w.base+relaxAbove {
		debug.FreeOSMemory()
	}
}
