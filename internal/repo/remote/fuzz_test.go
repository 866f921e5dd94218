package remote

import (
	"testing"

	"google.golang.org/grpc/mem"

	"github.com/fairlead-cd/fairlead/internal/render"
)

func FuzzMessagesOfAnybodyAreNoDanger(f *testing.F) {
	seed := func(m *message) {
		encoded, err := codec{}.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(encoded.Materialize())
	}
	body, err := encodeResult(manyObjects(2))
	if err != nil {
		f.Fatal(err)
	}
	seed(&message{head: renderAnswer{Tag: "t"}, body: body})
	seed(&message{head: renderCall{Request: request(), APIs: "x", APIVersions: []string{"v1"}}})
	seed(&message{head: renderAnswer{Error: encodeError(render.ErrInvalidSource)}})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})
	f.Fuzz(func(t *testing.T, encoded []byte) {
		for _, head := range []any{new(renderCall), new(pollCall), new(pollAnswer)} {
			_ = codec{}.Unmarshal(mem.BufferSlice{mem.SliceBuffer(encoded)}, &message{head: head})
		}
		var answer renderAnswer
		m := &message{head: &answer}
		if err := (codec{}).Unmarshal(mem.BufferSlice{mem.SliceBuffer(encoded)}, m); err != nil {
			return
		}
		if answer.Error != nil && answer.Error.decode().Error() == "" && len(answer.Error.Error) == 0 {
			t.Error("an error without a text came of nothing")
		}
		result, err := render.DecodeResult(m.body)
		if err != nil {
			return
		}
		if _, err := encodeResult(&result); err != nil {
			t.Errorf("what was read cannot be written: %v", err)
		}
	})
}
