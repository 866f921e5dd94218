package kubelet

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"time"
)

// lingerFor is how long a stream that has ended waits for the other side to
// close it.
const lingerFor = 2 * time.Second

// lingering is a response whose connection, once taken over, is closed with
// patience. A connection that is closed while something that came in is still
// unread is reset, and a reset drops what was sent but not yet read at the
// other side: the last output of a command and its exit code.
type lingering struct{ http.ResponseWriter }

// Hijack implements http.Hijacker.
func (l lingering) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(l.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	early, err := buffered.Reader.Peek(buffered.Reader.Buffered())
	if err != nil {
		conn.Close()
		return nil, nil, err
	}
	slow := slowToClose{conn}
	reader := bufio.NewReader(io.MultiReader(bytes.NewReader(bytes.Clone(early)), slow))
	return slow, bufio.NewReadWriter(reader, buffered.Writer), nil
}

// slowToClose is a connection that reads what still comes in before it closes.
type slowToClose struct{ net.Conn }

// Close implements net.Conn. It returns at once.
func (s slowToClose) Close() error {
	if err := s.SetReadDeadline(time.Now().Add(lingerFor)); err != nil {
		return s.Conn.Close()
	}
	go func() {
		_, _ = io.Copy(io.Discard, s.Conn)
		s.Conn.Close()
	}()
	return nil
}
