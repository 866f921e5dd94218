package remote

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
)

// message is what this package sends: a head as JSON, and a body that is not looked into on the way.
type message struct {
	head any
	body []byte
}

// codec encodes messages of this package, and those of protocol buffers for the health service.
type codec struct{}

// Name is what both ends call the encoding.
func (codec) Name() string { return "fairlead" }

// Marshal implements encoding.CodecV2.
func (codec) Marshal(v any) (mem.BufferSlice, error) {
	switch v := v.(type) {
	case *message:
		head, err := v.encodeHead()
		if err != nil {
			return nil, err
		}
		parts := mem.BufferSlice{mem.SliceBuffer(head)}
		if len(v.body) > 0 {
			parts = append(parts, mem.SliceBuffer(v.body))
		}
		return parts, nil
	case proto.Message:
		encoded, err := proto.Marshal(v)
		return mem.BufferSlice{mem.SliceBuffer(encoded)}, err
	}
	return nil, fmt.Errorf("%T is no message", v)
}

// Unmarshal implements encoding.CodecV2.
func (codec) Unmarshal(data mem.BufferSlice, v any) error {
	switch v := v.(type) {
	case *message:
		return v.decode(data.Materialize())
	case proto.Message:
		return proto.Unmarshal(data.Materialize(), v)
	}
	return fmt.Errorf("%T is no message", v)
}

func (m *message) encodeHead() ([]byte, error) {
	head, err := json.Marshal(m.head)
	if err != nil {
		return nil, fmt.Errorf("encoding a message: %w", err)
	}
	return append(binary.AppendUvarint(nil, uint64(len(head))), head...), nil
}

// decode reads a message. The body shares the memory of the input.
func (m *message) decode(encoded []byte) error {
	length, n := binary.Uvarint(encoded)
	if n <= 0 || length > uint64(len(encoded)-n) {
		return errors.New("decoding a message: its length is wrong")
	}
	encoded = encoded[n:]
	if err := json.Unmarshal(encoded[:length], m.head); err != nil {
		return fmt.Errorf("decoding a message: %w", err)
	}
	m.body = encoded[length:]
	return nil
}
