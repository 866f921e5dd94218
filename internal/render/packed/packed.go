package packed

import (
	"encoding/binary"
	"errors"
	"math"
)

// ErrDamaged means that an input is not what a writer has written.
var ErrDamaged = errors.New("encoding is damaged")

// Uint appends a number.
func Uint(b []byte, n uint64) []byte { return binary.AppendUvarint(b, n) }

// Int appends a number that may be negative.
func Int(b []byte, n int64) []byte { return binary.AppendVarint(b, n) }

// Bool appends a truth value.
func Bool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

// Float appends a floating-point number.
func Float(b []byte, f float64) []byte {
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(f))
}

// Text appends a text or bytes with their length.
func Text[T ~string | ~[]byte](b []byte, text T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

// Reader reads what the functions of this package have written, in the same order. After the first thing that is wrong
// it gives zero values.
type Reader struct {
	rest []byte
	err  error
}

// Read begins to read.
func Read(b []byte) *Reader { return &Reader{rest: b} }

// Fail notes that what was read makes no sense.
func (r *Reader) Fail() {
	r.err = ErrDamaged
	r.rest = nil
}

// Err is nil as long as everything was right.
func (r *Reader) Err() error { return r.err }

// Close is Err at the end, where nothing may be left.
func (r *Reader) Close() error {
	if len(r.rest) > 0 {
		r.Fail()
	}
	return r.err
}

// Len is how many bytes are left.
func (r *Reader) Len() int { return len(r.rest) }

// Uint reads a number.
func (r *Reader) Uint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.Fail()
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// Int reads a number that may be negative.
func (r *Reader) Int() int64 {
	v, n := binary.Varint(r.rest)
	if n <= 0 {
		r.Fail()
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// Byte reads one byte.
func (r *Reader) Byte() byte {
	if len(r.rest) == 0 {
		r.Fail()
		return 0
	}
	v := r.rest[0]
	r.rest = r.rest[1:]
	return v
}

// Bool reads a truth value.
func (r *Reader) Bool() bool {
	v := r.Byte()
	if v > 1 {
		r.Fail()
	}
	return v == 1
}

// Float reads a floating-point number.
func (r *Reader) Float() float64 { return math.Float64frombits(binary.LittleEndian.Uint64(r.Take(8))) }

// Take reads that many bytes as they are. They share memory with the input. Of a damaged input they are zero.
func (r *Reader) Take(n int) []byte {
	if n < 0 || n > len(r.rest) {
		r.Fail()
		return make([]byte, min(max(n, 0), 64))
	}
	v := r.rest[:n:n]
	r.rest = r.rest[n:]
	return v
}

// Bytes reads bytes with their length. They share memory with the input.
func (r *Reader) Bytes() []byte {
	n := r.Uint()
	if n > uint64(len(r.rest)) {
		r.Fail()
		return nil
	}
	return r.Take(int(n))
}

// Text reads a text.
func (r *Reader) Text() string { return string(r.Bytes()) }

// Count reads how many things follow, each of which takes at least size bytes: so a list is never larger than its text.
func (r *Reader) Count(size int) int {
	n := r.Uint()
	if n > uint64(len(r.rest)/size) {
		r.Fail()
		return 0
	}
	return int(n)
}
