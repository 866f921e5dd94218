package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"k8s.io/klog/v2"
)

// logs is where this program and the components in it say what they do.
type logs struct {
	logger *slog.Logger
	path   string // for people
	etcd   string // as etcd wants it named
	close  func()
}

// openLogs directs klog, and with it the Kubernetes components, to DIR/log or,
// when verbose, to standard error. The file is begun anew at each start.
func openLogs(dir string, verbose bool) (*logs, error) {
	l := &logs{path: "standard error", etcd: "stderr", close: func() {}}
	var out io.Writer = os.Stderr
	if !verbose {
		l.path = filepath.Join(dir, "log")
		l.etcd = l.path
		file, err := os.OpenFile(l.path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o600)
		if err != nil {
			return nil, fmt.Errorf("opening the log: %w", err)
		}
		out, l.close = file, func() { file.Close() }
	}
	l.logger = slog.New(slog.NewTextHandler(out, nil))
	klog.SetSlogLogger(l.logger)
	return l, nil
}
