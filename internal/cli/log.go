package cli

import (
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
)

// newLogger returns the logger of the process. Kubernetes' own libraries log
// through it too, without their chatter.
func newLogger(out io.Writer, level, format string) (*slog.Logger, error) {
	var threshold slog.Level
	if err := threshold.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("--log-level is %q; choose debug, info, warn or error", level)
	}
	options := &slog.HandlerOptions{Level: threshold}
	var handler slog.Handler
	switch strings.ToLower(format) {
	case "text":
		handler = slog.NewTextHandler(out, options)
	case "json":
		handler = slog.NewJSONHandler(out, options)
	default:
		return nil, fmt.Errorf("--log-format is %q; choose text or json", format)
	}
	logger := slog.New(handler)
	klog.SetLogger(logr.FromSlogHandler(handler))
	return logger, nil
}
