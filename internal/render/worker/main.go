package worker

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strconv"

	"github.com/fairlead-cd/fairlead/internal/render"
)

// Main is the whole of a worker process: it gives up what a renderer does not need, and serves until standard input ends.
// The argument is the memory limit that the Pool states.
func Main(args []string, renderer render.Renderer) error {
	if len(args) != 1 {
		return fmt.Errorf("%s is started by fairlead itself, and not by hand", Subcommand)
	}
	limit, err := strconv.ParseInt(args[0], 10, 64)
	if err != nil {
		return fmt.Errorf("%s: the memory limit %q is no number", Subcommand, args[0])
	}
	// Signals have their plain effect, so that the parent can tell that the end came from outside.
	signal.Reset()
	runtime.GOMAXPROCS(1)   // one request needs one, and more of them wake each other all the time
	debug.SetGCPercent(200) // what a worker keeps is little, and what it makes is soon garbage
	if limit > 0 {
		debug.SetMemoryLimit(limit / 10 * 9)
		debug.SetMaxStack(int(limit / 4))
	}
	os.Clearenv()
	in, out := os.Stdin, os.Stdout
	os.Stdout = os.Stderr // libraries that print must not disturb the conversation
	// Helm's merging logs values, which may be secret; this silences package log too.
	slog.SetDefault(slog.New(slog.DiscardHandler))
	if err := harden(); err != nil {
		return fmt.Errorf("giving up rights: %w", err)
	}
	return Serve(context.Background(), in, out, renderer)
}
