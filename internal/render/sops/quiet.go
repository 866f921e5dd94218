package sops

import (
	"io"

	"github.com/getsops/sops/v3/logging"
)

// SOPS's packages log to standard error with loggers of their own, and comments of files are among what they log.
func init() {
	for _, logger := range logging.Loggers {
		logger.SetOutput(io.Discard)
	}
}
