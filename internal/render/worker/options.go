package worker

import (
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"strconv"
	"time"
)

// Subcommand is what makes the binary a worker.
const Subcommand = "render-worker"

// Options are the settings of a Pool; every field has a default.
type Options struct {
	// Command starts a worker; default: this binary with Subcommand. It has to end in Main.
	Command []string
	// Workers is how many processes there are at most, default GOMAXPROCS.
	Workers int
	// Timeout is how long a worker may work on one request, default 60 s. Time for which it waits for charts,
	// downloads and the like does not count.
	Timeout time.Duration
	// MemoryLimit of each worker in bytes, default 512 MiB; negative: none.
	MemoryLimit int64
	// MaxOutput bounds the encoded result of one request, default 64 MiB.
	MaxOutput int64
	// MaxReads and MaxReadBytes bound what one request may read: questions that it asks, default 100,000, and the
	// bytes of their answers, default 1 GiB.
	MaxReads     int
	MaxReadBytes int64
	// Idle is how long a worker stays that has nothing to do, default 1 minute. One stays for good.
	Idle time.Duration
	// CancelGrace is how long a worker may go on after its caller has gone, before it is ended, default 1 s.
	CancelGrace time.Duration
	// Logger is told of workers that ended; nil for none.
	Logger *slog.Logger
}

func (o Options) withDefaults() (Options, error) {
	setDefault(&o.Workers, runtime.GOMAXPROCS(0))
	setDefault(&o.Timeout, 60*time.Second)
	setDefault(&o.MemoryLimit, 512<<20)
	setDefault(&o.MaxOutput, 64<<20)
	setDefault(&o.MaxReads, 100_000)
	setDefault(&o.MaxReadBytes, 1<<30)
	setDefault(&o.Idle, time.Minute)
	setDefault(&o.CancelGrace, time.Second)
	o.MemoryLimit = max(o.MemoryLimit, 0)
	if o.MemoryLimit > 0 && o.MemoryLimit < MinMemory {
		return o, fmt.Errorf("the memory limit of rendering is %s; it has to be at least %s", size(o.MemoryLimit), size(MinMemory))
	}
	if o.MaxOutput > MaxMessage || o.MaxReadBytes > MaxMessage {
		return o, fmt.Errorf("the output and read limits of rendering have to be at most %s", size(MaxMessage))
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if len(o.Command) == 0 {
		binary, err := os.Executable()
		if err != nil {
			return o, fmt.Errorf("finding the binary of the rendering processes: %w", err)
		}
		o.Command = []string{binary, Subcommand}
	}
	return o, nil
}

// MinMemory is what a worker needs to be of any use.
const MinMemory = 64 << 20

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// memoryArgument is the argument of Main that states the memory limit in bytes.
func (o Options) memoryArgument() string { return strconv.FormatInt(o.MemoryLimit, 10) }
