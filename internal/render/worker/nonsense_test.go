package worker_test

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/worker"
)

// message is what a worker sends, whatever it contains.
func message(kind byte, body ...byte) []byte {
	return append(append(binary.LittleEndian.AppendUint32(nil, uint32(len(body))), kind), body...)
}

// nonsense are ways in which a worker can break the protocol, by the argument that makes this binary do so.
func nonsense() map[string][]byte {
	hello := message('H', 2)
	after := func(b []byte) []byte { return append(hello[:len(hello):len(hello)], b...) }
	return map[string][]byte{
		"nonsense: a giant message":             after([]byte{0xff, 0xff, 0xff, 0xff, 'D'}),
		"nonsense: a giant question":            after([]byte{0xff, 0xff, 0xff, 0x0f, 'Q', 1}),
		"nonsense: an unknown kind":             after(message('X', 1)),
		"nonsense: a second hello":              after(message('H', 1)),
		"nonsense: a message of the parent":     after(message('A', 1, 1)),
		"nonsense: an empty question":           after(message('Q')),
		"nonsense: an unknown question":         after(message('Q', 1, 99)),
		"nonsense: a root that is not":          after(message('Q', 1, 2, 9, 1, 'a')),
		"nonsense: a text without end":          after(message('Q', 1, 2, 0, 99, 'a')),
		"nonsense: a chart that is not":         after(message('Q', 1, 12, 9)),
		"nonsense: a damaged result":            after(message('D', 0, 0, 1, 2, 3)),
		"nonsense: an empty result":             after(message('D')),
		"nonsense: a damaged error":             after(message('F', 0, 0, 0, 0xff)),
		"nonsense: an error never sent":         after(message('F', 0, 0, 0, 1, 'x', 0, 0, 0, 1, 7)),
		"nonsense: a look at what was not sent": after(message('D', 0, 1, 0, 1, 'a')),
		"nonsense: more looks than it says":     after(message('D', 0, 0xff, 0xff, 1, 0, 1, 'a')),
		"nonsense: a cut off message":           after([]byte{9, 0, 0, 0, 'Q', 1}),
	}
}

// talkNonsense is such a worker. It goes on as long as its parent lets it.
func talkNonsense(text []byte) {
	_, _ = os.Stdout.Write(text)
	os.Stdout.Close()
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func TestAWorkerThatTalksNonsenseIsTakenForCrashed(t *testing.T) {
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name := range nonsense() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := worker.New(worker.Options{Command: []string{binary, name}, Timeout: time.Minute})
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			_, err = p.Render(t.Context(), render.Inputs{Files: five()}, app("web"))
			if !errors.Is(err, worker.ErrCrashed) && !errors.Is(err, worker.ErrLimit) {
				t.Errorf("error %v", err)
			}
			if s := p.Stats(); s.Starts != 1 || s.Workers != 0 {
				t.Errorf("stats %+v", s)
			}
		})
	}
}

func TestAWorkerThatDoesNotGetReadyIsReported(t *testing.T) {
	for name, command := range map[string][]string{
		"a program that is no worker": {"/bin/true"},
		"no program":                  {"/no/such/program"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := worker.New(worker.Options{Command: command})
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			if _, err := p.Render(t.Context(), render.Inputs{Files: five()}, app("web")); err == nil {
				t.Error("no error")
			}
		})
	}
}

func TestAClosedPoolRendersNothing(t *testing.T) {
	p := newPool(t, worker.Options{})
	done := make(chan error, 1)
	go func() {
		_, err := p.Render(t.Context(), render.Inputs{Files: five()}, app("wait"))
		done <- err
	}()
	for len(p.PIDs()) == 0 {
		time.Sleep(time.Millisecond)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, worker.ErrClosed) {
		t.Errorf("a request in progress: %v", err)
	}
	if _, err := p.Render(t.Context(), render.Inputs{Files: five()}, app("web")); !errors.Is(err, worker.ErrClosed) {
		t.Errorf("a later request: %v", err)
	}
	if n := len(p.PIDs()); n != 0 {
		t.Errorf("%d workers are left", n)
	}
}

func TestIdleWorkersEndButOne(t *testing.T) {
	p := newPool(t, worker.Options{Workers: 3, Idle: 50 * time.Millisecond})
	gate := &stopping{MapFS: five(), reached: make(chan struct{}), goOn: make(chan struct{})}
	done := make(chan error)
	go func() {
		_, err := p.Render(t.Context(), render.Inputs{Files: gate}, app("web"))
		done <- err
	}()
	<-gate.reached
	if _, err := p.Render(t.Context(), render.Inputs{Files: five()}, app("web")); err != nil {
		t.Fatal(err)
	}
	close(gate.goOn)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); p.Stats().Workers > 1; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d workers", p.Stats().Workers)
		}
	}
	if s := p.Stats(); s.Starts != 2 {
		t.Errorf("stats %+v", s)
	}
}
