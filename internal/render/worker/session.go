package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"time"

	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/packed"
)

// maxWaiting is how many questions of one request wait for the network at once.
const maxWaiting = 64

// session is one request that a worker has.
type session struct {
	p       *process
	inputs  *served
	noting  render.Noting // the source's files, if what is looked at is noted
	ahead   *sentFolder   // what of them has gone along, or nil
	clock   *clock
	waiting sync.WaitGroup
	slots   chan struct{}

	sending sync.Mutex // held while an answer is sent, so that none follows the end
	watch   watch
}

// watch lets time limits end a worker as long as what they limit goes on, and not a moment longer: afterwards the worker
// has somebody else's request.
type watch struct {
	mu   sync.Mutex
	over bool
}

// kill ends the worker, unless it is too late.
func (w *watch) kill(p *process, reason error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.over {
		p.kill(reason)
	}
}

func (w *watch) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
}

func (w *watch) ended() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.over
}

// result is what comes of a request at a worker.
type result struct {
	result render.Result
	err    error
	// memory that the worker has afterwards, in bytes.
	memory int64
	// dead: the worker is gone. outside: that was not the request's fault.
	dead, outside bool
}

// render has the worker do one request. Nothing of the inputs is used any more when it returns.
func (p *process) render(ctx context.Context, in render.Inputs, req render.Request) result {
	s := &session{p: p, inputs: newServed(in, p.o), slots: make(chan struct{}, maxWaiting)}
	if s.noting, _ = in.Files.(render.Noting); s.noting != nil {
		s.ahead = readAhead(s.noting.Behind(), req.Source)
	}
	frame, err := appendAssignment(newFrame(kindRequest), assignment{
		req: req, refs: s.inputs.refs, sent: s.ahead, maxOutput: p.o.MaxOutput, maxMemory: p.o.MemoryLimit,
	})
	if err == nil {
		err = s.inputs.count(len(frame))
	}
	if err != nil {
		return result{err: err}
	}
	asking, stopAsking := context.WithCancel(ctx)
	s.clock = startClock(p.o.Timeout, func() { s.watch.kill(p, timeError(p.o.Timeout)) })
	ended := make(chan struct{})
	stopWatching := context.AfterFunc(ctx, func() {
		grace := time.AfterFunc(p.o.CancelGrace, func() { s.watch.kill(p, context.Cause(ctx)) })
		defer grace.Stop()
		s.send(newFrame(kindCancel))
		<-ended
	})
	_ = p.send.send(frame) // when that fails there is nothing to receive either
	r := s.converse(asking)
	s.end()
	close(ended)
	stopWatching()
	stopAsking()
	s.waiting.Wait()
	r.dead = r.dead || p.ending()
	if r.dead {
		p.kill(nil)
		<-p.exited
		if s.ahead != nil {
			s.noting.Note(render.LookTree, s.ahead.dir) // nobody tells any more what was looked at
		}
	}
	if r.err != nil && ctx.Err() != nil {
		r.err = context.Cause(ctx)
	}
	return r
}

// converse answers the worker's questions until it has a result, or is gone.
func (s *session) converse(ctx context.Context) result {
	for {
		k, body, err := s.p.reader.next(s.limit)
		if err != nil {
			return s.broken(err)
		}
		r := packed.Read(body)
		switch k {
		case kindQuestion:
			id, op := r.Uint(), operation(r.Byte())
			if r.Err() != nil {
				return s.broken(errProtocol)
			}
			s.question(ctx, id, op, r)
		default:
			memory := int64(r.Uint())
			looks := readLooks(r)
			rest := r.Take(r.Len())
			if r.Err() != nil || !s.note(looks) {
				return s.broken(errProtocol)
			}
			return s.outcome(k, memory, rest)
		}
	}
}

// note notes what the worker has looked at of what went along, as if it had asked for it. It may name nothing else.
func (s *session) note(looks []look) bool {
	if len(looks) > maxLooks {
		return false
	}
	for _, l := range looks {
		if s.ahead == nil || !l.how.Valid() || !fs.ValidPath(l.name) || !s.ahead.covers(l.name) {
			return false
		}
		s.noting.Note(l.how, l.name)
	}
	return true
}

func (s *session) limit(k kind) int64 {
	switch k {
	case kindQuestion, kindFailed:
		return maxQuestion
	case kindDone:
		return s.p.o.MaxOutput + headerSize + maxLooks*(maxLookName+8)
	}
	return -1
}

func (s *session) outcome(k kind, memory int64, body []byte) result {
	if k == kindFailed {
		r := packed.Read(body)
		c := class(r.Byte())
		rendering, err := s.inputs.crossing.Decode(r.Take(r.Len()))
		if err != nil || c > classCrash {
			return s.broken(errors.Join(errProtocol, err))
		}
		return result{err: c.restore(rendering), memory: memory}
	}
	rendered, err := render.DecodeResult(body)
	if err != nil {
		return s.broken(err)
	}
	return result{result: rendered, memory: memory}
}

// question answers at once what is at hand, and lets the rest take its time.
func (s *session) question(ctx context.Context, id uint64, op operation, r *packed.Reader) {
	if op.local() {
		frame, err := s.inputs.answer(ctx, id, op, r)
		s.reply(frame, err)
		return
	}
	s.clock.pause()
	s.slots <- struct{}{}
	s.waiting.Go(func() {
		frame, err := s.inputs.answer(ctx, id, op, r)
		<-s.slots
		s.clock.resume()
		s.reply(frame, err)
	})
}

// reply sends an answer, unless it is too late.
func (s *session) reply(frame []byte, err error) {
	if err != nil {
		s.watch.kill(s.p, err)
		return
	}
	s.send(frame)
}

// send sends something that belongs to the request. When the worker is gone, that is noticed where it is read from.
func (s *session) send(frame []byte) {
	s.sending.Lock()
	defer s.sending.Unlock()
	if !s.watch.ended() {
		_ = s.p.send.send(frame)
	}
}

// end lets nothing more out. Until the last answer is on its way the time limit holds.
func (s *session) end() {
	s.sending.Lock()
	defer s.sending.Unlock()
	s.watch.end()
	s.clock.stop()
}

// broken ends a worker that says nothing more, or nonsense, and tells why.
func (s *session) broken(err error) result {
	var long *frameTooLongError
	switch {
	case errors.As(err, &long) && long.kind == kindDone:
		s.p.kill(outputError(s.p.o.MaxOutput))
	case !errors.Is(err, io.EOF):
		s.p.kill(fmt.Errorf("%w: %w", ErrCrashed, err))
	default:
		// It may have closed its output only.
		timer := time.AfterFunc(time.Second, func() { s.p.kill(fmt.Errorf("%w: it does not answer any more", ErrCrashed)) })
		defer timer.Stop()
	}
	<-s.p.exited
	s.p.mu.Lock()
	reason := s.p.reason
	s.p.mu.Unlock()
	if reason != nil {
		return result{err: reason, dead: true}
	}
	d := diagnose(s.p.cmd.ProcessState, s.p.stderr, s.p.o.MemoryLimit)
	return result{err: d.err, dead: true, outside: d.outside}
}
