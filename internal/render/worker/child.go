package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/packed"
)

// errOver is what a renderer gets that asks on after it has returned.
var errOver = errors.New("the rendering that asks is over")

// conversation is one request within the worker: the questions it has asked and that are not answered.
type conversation struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	out    *frameWriter

	gate sync.Mutex // held while a question is sent, so that none follows the result
	over bool

	mu      sync.Mutex // never held while sending: who receives needs it
	last    uint64
	pending map[uint64]chan answer
}

type answer struct {
	ok   bool
	body []byte
}

func newConversation(ctx context.Context, out *frameWriter) *conversation {
	c := &conversation{out: out, pending: map[uint64]chan answer{}}
	c.ctx, c.cancel = context.WithCancelCause(ctx)
	return c
}

// ask sends a question and waits for its answer, until ctx or the request ends.
func (c *conversation) ask(ctx context.Context, op operation, arguments func([]byte) []byte) (*packed.Reader, error) {
	wait := make(chan answer, 1)
	c.mu.Lock()
	c.last++
	id := c.last
	c.pending[id] = wait
	c.mu.Unlock()
	frame := append(packed.Uint(newFrame(kindQuestion), id), byte(op))
	if err := c.send(arguments(frame)); err != nil {
		return nil, err
	}
	select {
	case a := <-wait:
		if a.ok {
			return packed.Read(a.body), nil
		}
		asked, err := render.DecodeError(a.body)
		return nil, errors.Join(err, asked)
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-c.ctx.Done():
		return nil, context.Cause(c.ctx)
	}
}

func (c *conversation) send(question []byte) error {
	if len(question) > maxQuestion {
		return fmt.Errorf("%w: a question of %d bytes", render.ErrTooLarge, len(question))
	}
	c.gate.Lock()
	defer c.gate.Unlock()
	if c.over {
		return errOver
	}
	return c.out.send(question)
}

// answered passes an answer on to who waits for it.
func (c *conversation) answered(body []byte) error {
	r := packed.Read(body)
	id, ok := r.Uint(), r.Bool()
	if r.Err() != nil {
		return r.Err()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	wait := c.pending[id]
	if wait == nil {
		return fmt.Errorf("%w: an answer to a question that nobody asked", errProtocol)
	}
	delete(c.pending, id)
	wait <- answer{ok, r.Take(r.Len())}
	return nil
}

// end lets no more questions out, and then sends the outcome.
func (c *conversation) end(frame []byte) error {
	c.gate.Lock()
	c.over = true
	c.gate.Unlock()
	c.cancel(errOver)
	return c.out.send(frame)
}

// assignment is a request as it comes to the worker.
type assignment struct {
	req       render.Request
	refs      []string
	sent      *sentFolder // nil: nothing
	maxOutput int64       // bytes of the result
	maxMemory int64       // bytes of the process; zero: no limit
}

func appendAssignment(b []byte, a assignment) ([]byte, error) {
	encoded, err := render.EncodeRequest(a.req)
	if err != nil {
		return nil, err
	}
	b = packed.Text(packed.Int(packed.Int(b, a.maxOutput), a.maxMemory), encoded)
	b = packed.Uint(b, uint64(len(a.refs)))
	for _, name := range a.refs {
		b = packed.Text(b, name)
	}
	return appendSentFolder(b, a.sent), nil
}

func readAssignment(body []byte) (assignment, error) {
	r := packed.Read(body)
	a := assignment{maxOutput: r.Int(), maxMemory: r.Int()}
	encoded := r.Bytes()
	for range r.Count(1) {
		a.refs = append(a.refs, r.Text())
	}
	a.sent = readSentFolder(r)
	if err := r.Close(); err != nil {
		return a, err
	}
	if !slices.IsSorted(a.refs) {
		return a, errProtocol
	}
	var err error
	a.req, err = render.DecodeRequest(encoded)
	return a, err
}
