package protocol

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// Message is a message of the services of this package.
type Message interface {
	// AppendWire appends the message in the binary encoding of protocol buffers.
	AppendWire(b []byte) []byte
	// ParseWire replaces the message by an encoded one. Fields that it does not know are skipped. What it keeps does
	// not share memory with b.
	ParseWire(b []byte) error
}

// ErrMalformed means that bytes are not the encoding of a message.
var ErrMalformed = errors.New("malformed message")

// field is one field of an encoded message.
type field struct {
	number protowire.Number
	kind   protowire.Type
	bytes  []byte // of a field with a length
	varint uint64 // of a number
}

// eachField calls f with the fields of a message that are numbers or have a length. Others are skipped: no message here
// has any.
func eachField(b []byte, f func(field) error) error {
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return fmt.Errorf("%w: %w", ErrMalformed, protowire.ParseError(n))
		}
		b = b[n:]
		one := field{number: number, kind: kind}
		switch kind {
		case protowire.VarintType:
			one.varint, n = protowire.ConsumeVarint(b)
		case protowire.BytesType:
			one.bytes, n = protowire.ConsumeBytes(b)
		default:
			n = protowire.ConsumeFieldValue(number, kind, b)
		}
		if n < 0 {
			return fmt.Errorf("%w: field %d: %w", ErrMalformed, number, protowire.ParseError(n))
		}
		b = b[n:]
		if kind != protowire.VarintType && kind != protowire.BytesType {
			continue
		}
		if err := f(one); err != nil {
			return err
		}
	}
	return nil
}

// isText reports whether the field is the one of that number, and has a length.
func (f field) isText(number protowire.Number) bool {
	return f.number == number && f.kind == protowire.BytesType
}

// isNumber reports whether the field is the one of that number, and is a number.
func (f field) isNumber(number protowire.Number) bool {
	return f.number == number && f.kind == protowire.VarintType
}

func appendText(b []byte, number protowire.Number, text string) []byte {
	if text == "" {
		return b
	}
	return appendElement(b, number, text)
}

// appendElement is appendText for a repeated field, where the empty text counts.
func appendElement(b []byte, number protowire.Number, text string) []byte {
	b = protowire.AppendTag(b, number, protowire.BytesType)
	return protowire.AppendString(b, text)
}

func appendBool(b []byte, number protowire.Number, is bool) []byte {
	if !is {
		return b
	}
	b = protowire.AppendTag(b, number, protowire.VarintType)
	return protowire.AppendVarint(b, 1)
}

func appendInt(b []byte, number protowire.Number, n int64) []byte {
	if n == 0 {
		return b
	}
	b = protowire.AppendTag(b, number, protowire.VarintType)
	return protowire.AppendVarint(b, uint64(n))
}

func appendMessage(b []byte, number protowire.Number, m Message) []byte {
	b = protowire.AppendTag(b, number, protowire.BytesType)
	return protowire.AppendBytes(b, m.AppendWire(nil))
}
