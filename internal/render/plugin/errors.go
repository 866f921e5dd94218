package plugin

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Reasons why there are no manifests. Test with errors.Is.
var (
	// ErrNoPlugin: there is no plugin of that name, or none that takes the source.
	ErrNoPlugin = errors.New("no plugin")
	// ErrUnavailable: the plugin does not answer.
	ErrUnavailable = errors.New("the plugin does not answer")
	// ErrTimeout: the plugin has not answered in time.
	ErrTimeout = errors.New("the plugin has not answered in time")
	// ErrFailed: the plugin has answered with an error of its own.
	ErrFailed = errors.New("the plugin has failed")
)

// maxErrorText bounds what a plugin may say about a failure, in bytes.
const maxErrorText = 16 << 10

// translate makes an error for people out of one of gRPC.
func translate(ctx context.Context, name string, err error) error {
	if err == nil {
		return nil
	}
	s, ok := status.FromError(err)
	if !ok {
		return fmt.Errorf("plugin %q: %w", name, err)
	}
	text := strings.ToValidUTF8(s.Message(), "�")
	if len(text) > maxErrorText {
		text = strings.ToValidUTF8(text[:maxErrorText], "") + " …"
	}
	switch {
	case s.Code() == codes.Unavailable:
		return fmt.Errorf("plugin %q: %w: %s; is its container running?", name, ErrUnavailable, text)
	case s.Code() == codes.DeadlineExceeded && ctx.Err() != nil, s.Code() == codes.Canceled && ctx.Err() != nil:
		return fmt.Errorf("plugin %q: %w", name, context.Cause(ctx))
	case s.Code() == codes.DeadlineExceeded:
		return fmt.Errorf("plugin %q: %w: %s", name, ErrTimeout, text)
	}
	return fmt.Errorf("plugin %q: %w: %s", name, ErrFailed, text)
}
