package protocol

import (
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// StreamRequest is one message of a stream that carries an archive: the first has Metadata, all others a Chunk.
type StreamRequest struct {
	// Metadata says what the archive is, and for whom.
	Metadata *Metadata
	// Chunk is the next part of the archive, when Metadata is nil.
	Chunk []byte
}

// AppendWire implements Message.
func (m *StreamRequest) AppendWire(b []byte) []byte {
	if m.Metadata != nil {
		return appendMessage(b, 1, m.Metadata)
	}
	// File{chunk = 1} as field 2.
	inner := 0
	if len(m.Chunk) > 0 {
		inner = protowire.SizeTag(1) + protowire.SizeBytes(len(m.Chunk))
	}
	b = protowire.AppendTag(b, 2, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(inner))
	if inner > 0 {
		b = protowire.AppendTag(b, 1, protowire.BytesType)
		b = protowire.AppendBytes(b, m.Chunk)
	}
	return b
}

// ParseWire implements Message.
func (m *StreamRequest) ParseWire(b []byte) error {
	*m = StreamRequest{}
	return eachField(b, func(f field) error {
		switch {
		case f.isText(1): // what comes last counts
			*m = StreamRequest{Metadata: new(Metadata)}
			return m.Metadata.ParseWire(f.bytes)
		case f.isText(2):
			*m = StreamRequest{}
			return eachField(f.bytes, func(f field) error {
				if f.isText(1) {
					m.Chunk = slices.Clone(f.bytes)
				}
				return nil
			})
		}
		return nil
	})
}

// Metadata goes before an archive.
type Metadata struct {
	// AppName is the name of the Application.
	AppName string
	// AppRelPath is the path of the source in the archive.
	AppRelPath string
	// Checksum of the archive: sha256 in hexadecimal.
	Checksum string
	// Size of the archive in bytes.
	Size int64
	// Env are variables for the commands of the plugin.
	Env []Variable
}

// AppendWire implements Message.
func (m *Metadata) AppendWire(b []byte) []byte {
	b = appendText(b, 1, m.AppName)
	b = appendText(b, 2, m.AppRelPath)
	b = appendText(b, 3, m.Checksum)
	b = appendInt(b, 4, m.Size)
	for i := range m.Env {
		b = appendMessage(b, 5, &m.Env[i])
	}
	return b
}

// ParseWire implements Message.
func (m *Metadata) ParseWire(b []byte) error {
	*m = Metadata{}
	return eachField(b, func(f field) error {
		switch {
		case f.isText(1):
			m.AppName = string(f.bytes)
		case f.isText(2):
			m.AppRelPath = string(f.bytes)
		case f.isText(3):
			m.Checksum = string(f.bytes)
		case f.isNumber(4):
			m.Size = int64(f.varint)
		case f.isText(5):
			var v Variable
			if err := v.ParseWire(f.bytes); err != nil {
				return err
			}
			m.Env = append(m.Env, v)
		}
		return nil
	})
}

// Variable is one environment variable.
type Variable struct {
	Name, Value string
}

// AppendWire implements Message.
func (m *Variable) AppendWire(b []byte) []byte {
	b = appendText(b, 1, m.Name)
	return appendText(b, 2, m.Value)
}

// ParseWire implements Message.
func (m *Variable) ParseWire(b []byte) error {
	*m = Variable{}
	return eachField(b, func(f field) error {
		switch {
		case f.isText(1):
			m.Name = string(f.bytes)
		case f.isText(2):
			m.Value = string(f.bytes)
		}
		return nil
	})
}
