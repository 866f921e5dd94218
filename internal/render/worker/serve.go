package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"sync"

	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/packed"
)

// Serve is the worker's side: it renders what comes in until that ends, one request at a time. Everything that the
// renderer sees of the world goes through in and out.
func Serve(ctx context.Context, in io.Reader, out io.Writer, renderer render.Renderer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if closer, ok := in.(io.Closer); ok {
		defer context.AfterFunc(ctx, func() { closer.Close() })()
	}
	s := &server{renderer: renderer, out: &frameWriter{w: out}, memory: newMemoryWatch()}
	if err := s.out.send(append(newFrame(kindHello), protocolVersion)); err != nil {
		return fmt.Errorf("greeting: %w", err)
	}
	r := newFrameReader(in)
	for {
		k, body, err := r.next(func(kind) int64 { return MaxMessage })
		if errors.Is(err, io.EOF) || ctx.Err() != nil {
			return nil
		}
		if err == nil {
			err = s.handle(ctx, k, body)
		}
		if err != nil {
			return fmt.Errorf("serving: %w", err)
		}
	}
}

// protocolVersion makes sure that both sides are of one build.
const protocolVersion = 2

// server is the state of Serve.
type server struct {
	renderer render.Renderer
	out      *frameWriter
	memory   *memoryWatch

	mu      sync.Mutex
	current *conversation
}

func (s *server) handle(ctx context.Context, k kind, body []byte) error {
	s.mu.Lock()
	current := s.current
	s.mu.Unlock()
	switch k {
	case kindRequest:
		if current != nil {
			return fmt.Errorf("%w: a request before the last one has ended", errProtocol)
		}
		a, err := readAssignment(body)
		if err != nil {
			return err
		}
		c := newConversation(ctx, s.out)
		s.mu.Lock()
		s.current = c
		s.mu.Unlock()
		go s.render(c, a)
		return nil
	case kindCancel:
		if current != nil { // else it has ended in the meantime
			current.cancel(context.Canceled)
		}
		return nil
	case kindAnswer:
		if current == nil {
			return nil // to a question of what has ended in the meantime
		}
		return current.answered(body)
	}
	return fmt.Errorf("%w of kind %d", errProtocol, k)
}

// render does one request and sends what comes of it. That it could not be sent is noticed by the parent's end of it.
func (s *server) render(c *conversation, a assignment) {
	stop := s.memory.start(a.maxMemory)
	frame := outcome(c, a, s.renderer)
	stop()
	s.mu.Lock()
	s.current = nil
	s.mu.Unlock()
	_ = c.end(frame)
	s.memory.relax()
}

// outcome renders and encodes what comes of it.
func outcome(c *conversation, a assignment, renderer render.Renderer) []byte {
	sent := newReceived(a.sent)
	result, err := attempt(c, a, sent, renderer)
	if err == nil {
		frame := appendLooks(packed.Uint(newFrame(kindDone), inUse()), sent.reported())
		begin := len(frame)
		frame, err = render.AppendResult(frame, result)
		if err == nil && int64(len(frame)-begin) > a.maxOutput {
			err = outputError(a.maxOutput)
		}
		if err == nil {
			return frame
		}
	}
	frame := appendLooks(packed.Uint(newFrame(kindFailed), inUse()), sent.reported())
	return render.AppendError(append(frame, byte(classOf(err))), err)
}

func inUse() uint64 { return uint64(max(memoryInUse(), 0)) }

// attempt calls the renderer. A panic ends the request and not the worker.
func attempt(c *conversation, a assignment, sent *received, renderer render.Renderer) (result render.Result, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = panicError(r)
		}
	}()
	in := render.Inputs{Files: &remoteFS{c: c, root: rootFiles, sent: sent}, External: newRemoteExternal(c)}
	if len(a.refs) > 0 {
		in.Refs = make(map[string]fs.FS, len(a.refs))
		for i, name := range a.refs {
			in.Refs[name] = &remoteFS{c: c, root: uint64(rootFiles + 1 + i)}
		}
	}
	return renderer.Render(c.ctx, in, a.req)
}

// panicError tells where it happened. What a library panics with may hold values of the source; the runtime's words do
// not.
func panicError(value any) error {
	what := fmt.Sprintf("a %T", value)
	if e, ok := value.(runtime.Error); ok {
		what = e.Error()
	}
	where := ""
	var callers [32]uintptr
	frames := runtime.CallersFrames(callers[:runtime.Callers(3, callers[:])])
	for {
		frame, more := frames.Next()
		if frame.Function != "" && !isRuntime(frame.Function) {
			where = " in " + frame.Function
			break
		}
		if !more {
			break
		}
	}
	return fmt.Errorf("%w: panic%s: %s", ErrCrashed, where, what)
}
