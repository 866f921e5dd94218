package protocol

import (
	"fmt"

	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto" // the codec of other services on the same socket
	"google.golang.org/grpc/mem"
)

// Codec encodes the messages of this package for gRPC, and leaves others, such as those of the health service, to gRPC's
// own codec. On the wire it is the same.
type Codec struct{}

var _ encoding.CodecV2 = Codec{}

// Name is the content subtype.
func (Codec) Name() string { return proto.Name }

// Marshal implements encoding.CodecV2.
func (Codec) Marshal(v any) (mem.BufferSlice, error) {
	m, ok := v.(Message)
	if !ok {
		return encoding.GetCodecV2(proto.Name).Marshal(v)
	}
	return mem.BufferSlice{mem.SliceBuffer(m.AppendWire(nil))}, nil
}

// Unmarshal implements encoding.CodecV2.
func (Codec) Unmarshal(data mem.BufferSlice, v any) error {
	m, ok := v.(Message)
	if !ok {
		return encoding.GetCodecV2(proto.Name).Unmarshal(data, v)
	}
	buffer := data.MaterializeToBuffer(mem.DefaultBufferPool())
	defer buffer.Free()
	if err := m.ParseWire(buffer.ReadOnlyData()); err != nil {
		return fmt.Errorf("reading a %T: %w", v, err)
	}
	return nil
}
