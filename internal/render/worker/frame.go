package worker

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
)

// errProtocol means that the other side says what nobody understands.
var errProtocol = errors.New("unexpected message")

// kind says what a message is.
type kind byte

const (
	kindHello    kind = 'H' // the worker is ready
	kindRequest  kind = 'R' // to the worker: render this
	kindCancel   kind = 'C' // to the worker: nobody waits any more
	kindQuestion kind = 'Q' // from the worker, about its inputs
	kindAnswer   kind = 'A' // to the worker
	kindDone     kind = 'D' // from the worker: the result
	kindFailed   kind = 'F' // from the worker: an error instead
)

// headerSize is the length of the body, in four bytes, and the kind.
const headerSize = 5

// frameWriter sends messages. It is safe for concurrent use.
type frameWriter struct {
	mu sync.Mutex
	w  io.Writer
}

// newFrame begins a message, to whose end its body is appended.
func newFrame(k kind) []byte { return append(make([]byte, 0, 256), 0, 0, 0, 0, byte(k)) }

// send writes a message that newFrame has begun, in one piece.
func (w *frameWriter) send(frame []byte) error {
	if len(frame)-headerSize > MaxMessage {
		return fmt.Errorf("a message of %d bytes is too long", len(frame))
	}
	binary.LittleEndian.PutUint32(frame, uint32(len(frame)-headerSize))
	w.mu.Lock()
	defer w.mu.Unlock()
	_, err := w.w.Write(frame)
	return err
}

// MaxMessage bounds every message; most have lower limits.
const MaxMessage = 1 << 30

// frameReader receives messages, one caller at a time.
type frameReader struct {
	r *bufio.Reader
}

func newFrameReader(r io.Reader) *frameReader { return &frameReader{bufio.NewReaderSize(r, 64<<10)} }

// next reads a message. limit says how long the body of a kind may be, or a negative number when it may not come now.
func (r *frameReader) next(limit func(kind) int64) (kind, []byte, error) {
	var header [headerSize]byte
	if _, err := io.ReadFull(r.r, header[:]); err != nil {
		return 0, nil, err
	}
	k, n := kind(header[4]), int64(binary.LittleEndian.Uint32(header[:]))
	if most := limit(k); n > most {
		if most < 0 {
			return k, nil, fmt.Errorf("%w of kind %d", errProtocol, k)
		}
		return k, nil, &frameTooLongError{kind: k, size: n}
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(r.r, body); err != nil {
		return k, nil, fmt.Errorf("a message ends early: %w", err)
	}
	return k, body, nil
}

// frameTooLongError is a message that exceeds the limit of its kind.
type frameTooLongError struct {
	kind kind
	size int64
}

func (e *frameTooLongError) Error() string {
	return fmt.Sprintf("a message of kind %c has %d bytes, which is too long", e.kind, e.size)
}
