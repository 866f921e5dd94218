package worker

import (
	"bytes"
	"io"
	"testing"
	"testing/fstest"

	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/packed"
)

// FuzzQuestions lets a worker ask its parent anything.
func FuzzQuestions(f *testing.F) {
	for op := opOpen; op <= opGenerate; op++ {
		f.Add(byte(op), packed.Text(packed.Uint(nil, 0), "app/a.yaml"))
		f.Add(byte(op), packed.Text(packed.Text(nil, "x"), "y"))
	}
	f.Fuzz(func(t *testing.T, op byte, b []byte) {
		s := newServed(render.Inputs{Files: fstest.MapFS{"app/a.yaml": {Data: []byte("x")}}}, Options{MaxReads: 10, MaxReadBytes: 1 << 20})
		frame, err := s.answer(t.Context(), 1, operation(op), packed.Read(b))
		if err == nil && len(frame) <= headerSize {
			t.Error("neither an answer nor an error")
		}
	})
}

// FuzzServe lets a parent send anything.
func FuzzServe(f *testing.F) {
	request, err := appendAssignment(newFrame(kindRequest), assignment{refs: []string{"values"}, maxOutput: 1 << 20})
	if err != nil {
		f.Fatal(err)
	}
	var sent bytes.Buffer
	if err := (&frameWriter{w: &sent}).send(request); err != nil {
		f.Fatal(err)
	}
	f.Add(sent.Bytes())
	f.Add([]byte{1, 0, 0, 0, 'C', 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		r := newFrameReader(bytes.NewReader(b))
		for {
			k, body, err := r.next(func(kind) int64 { return 1 << 20 })
			if err != nil {
				return
			}
			c := newConversation(t.Context(), &frameWriter{w: io.Discard})
			_ = c.answered(body) // only has to return
			if k == kindRequest {
				_, _ = readAssignment(body)
			}
		}
	})
}
