package server

import (
	"context"
	"errors"
	"runtime/debug"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/fairlead-cd/fairlead/internal/render/plugin/archive"
	"github.com/fairlead-cd/fairlead/internal/render/plugin/command"
)

// early is how long before the caller stops waiting a request ends, so that the answer says why.
const early = 100 * time.Millisecond

// intercept gives requests their deadline, logs them, and turns errors and panics into those of gRPC. Requests end when
// all does.
func (s *Server) intercept(all context.Context) grpc.StreamServerInterceptor {
	return func(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) (err error) {
		ctx, cancel := context.WithCancel(stream.Context())
		defer cancel()
		defer context.AfterFunc(all, cancel)()
		if deadline, ok := ctx.Deadline(); ok {
			var stop context.CancelFunc
			ctx, stop = context.WithDeadline(ctx, deadline.Add(-early))
			defer stop()
		}
		start := time.Now()
		defer func() {
			if problem := recover(); problem != nil {
				s.o.Logger.Error("a request has failed by a mistake in this program", "method", info.FullMethod, "problem", problem, "stack", string(debug.Stack()))
				err = status.Error(codes.Internal, "the plugin's server has failed; its log says more")
				return
			}
			if err != nil {
				s.o.Logger.Warn("a request has failed", "method", info.FullMethod, "duration", time.Since(start), "error", err)
				err = status.Error(code(err), err.Error())
				return
			}
			s.o.Logger.Info("a request is done", "method", info.FullMethod, "duration", time.Since(start))
		}()
		return handle(srv, withContext{stream, ctx})
	}
}

type withContext struct {
	grpc.ServerStream
	ctx context.Context // of the stream
}

// Context implements grpc.ServerStream.
func (w withContext) Context() context.Context { return w.ctx }

// code is what an error is to gRPC.
func code(err error) codes.Code {
	switch {
	case errors.Is(err, archive.ErrInvalid), errors.Is(err, errStream):
		return codes.InvalidArgument
	case errors.Is(err, archive.ErrTooLarge), errors.Is(err, command.ErrTooMuchOutput):
		return codes.ResourceExhausted
	case errors.Is(err, command.ErrTimeout), errors.Is(err, context.DeadlineExceeded):
		return codes.DeadlineExceeded
	case errors.Is(err, context.Canceled):
		return codes.Canceled
	}
	if s, ok := status.FromError(err); ok {
		return s.Code()
	}
	return codes.Unknown
}
