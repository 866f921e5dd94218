package server

import (
	"context"
	"encoding/json"
	"io"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"
	"k8s.io/client-go/tools/remotecommand"
)

// terminalMessage is a message of a terminal's WebSocket, as Argo CD's pages have it: stdin and resize from the page,
// stdout to it.
type terminalMessage struct {
	Operation string `json:"operation"`
	Data      string `json:"data"`
	Rows      uint16 `json:"rows"`
	Cols      uint16 `json:"cols"`
}

// reconnect tells the page to open the terminal again, with the session that it has then.
const reconnect = `{"Code":1}`

// maxTerminalMessage is the most that may be pasted at once.
const maxTerminalMessage = 1 << 20

// terminal is one side of a WebSocket. Its output is what is written to it.
type terminal struct {
	ctx    context.Context
	cancel context.CancelFunc
	conn   *websocket.Conn
	stdin  chan []byte
	output atomic.Int64 // bytes that were written to it

	writing sync.Mutex
	rest    []byte // the begin of a character whose end has not come

	sizing  sync.Mutex
	size    remotecommand.TerminalSize
	resized chan struct{}
}

func newTerminal(ctx context.Context, conn *websocket.Conn) *terminal {
	t := &terminal{conn: conn, stdin: make(chan []byte), resized: make(chan struct{}, 1)}
	t.ctx, t.cancel = context.WithCancel(ctx)
	conn.SetReadLimit(maxTerminalMessage)
	alive := func(string) error { return conn.SetReadDeadline(time.Now().Add(silence)) }
	_ = alive("")
	conn.SetPongHandler(alive)
	go t.read()
	return t
}

// read takes the messages of the page until there are no more.
func (t *terminal) read() {
	defer t.cancel()
	for {
		_, data, err := t.conn.ReadMessage()
		if err != nil {
			return
		}
		var m terminalMessage
		if json.Unmarshal(data, &m) != nil {
			return
		}
		switch m.Operation {
		case "stdin":
			select {
			case t.stdin <- []byte(m.Data):
			case <-t.ctx.Done():
				return
			}
		case "resize":
			t.resize(remotecommand.TerminalSize{Width: m.Cols, Height: m.Rows})
		}
	}
}

// watch keeps the connection alive, and ends it when welcome says so.
func (t *terminal) watch(every time.Duration, welcome func() error) {
	ping, check := time.NewTicker(pingPeriod), time.NewTicker(every)
	defer ping.Stop()
	defer check.Stop()
	for {
		select {
		case <-t.ctx.Done():
			return
		case <-ping.C:
			if t.conn.WriteControl(websocket.PingMessage, []byte("ping"), time.Now().Add(pingPeriod)) != nil {
				t.cancel()
			}
		case <-check.C:
			if err := welcome(); err != nil {
				t.say("\r\nthe session has ended: " + err.Error() + "\r\n")
				_ = t.send([]byte(reconnect))
				t.cancel()
			}
		}
	}
}

// Write sends output. Characters are not torn apart: what is not complete waits for its rest.
func (t *terminal) Write(p []byte) (int, error) {
	t.output.Add(int64(len(p)))
	t.writing.Lock()
	text := append(t.rest, p...)
	whole := wholeRunes(text)
	t.rest = append([]byte(nil), text[whole:]...)
	t.writing.Unlock()
	if whole == 0 {
		return len(p), nil
	}
	data, err := json.Marshal(terminalMessage{Operation: "stdout", Data: string(text[:whole])})
	if err != nil {
		return 0, err
	}
	return len(p), t.send(data)
}

// wholeRunes is the length of text without a character at its end that is not complete.
func wholeRunes(text []byte) int {
	for i := 1; i < utf8.UTFMax && i <= len(text); i++ {
		if tail := text[len(text)-i:]; utf8.RuneStart(tail[0]) {
			if !utf8.FullRune(tail) {
				return len(text) - i
			}
			break
		}
	}
	return len(text)
}

// say writes a text that does not come from the container.
func (t *terminal) say(text string) { _, _ = t.Write([]byte(text)) }

func (t *terminal) send(data []byte) error {
	t.writing.Lock()
	defer t.writing.Unlock()
	if err := t.conn.SetWriteDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return err
	}
	return t.conn.WriteMessage(websocket.TextMessage, data)
}

func (t *terminal) close() {
	t.cancel()
	_ = t.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), time.Now().Add(time.Second))
	_ = t.conn.Close()
}

// input is what is typed, until ctx ends.
func (t *terminal) input(ctx context.Context) io.Reader {
	return &terminalInput{ctx: ctx, from: t.stdin}
}

type terminalInput struct {
	ctx  context.Context
	from <-chan []byte
	rest []byte
}

func (i *terminalInput) Read(p []byte) (int, error) {
	for len(i.rest) == 0 {
		select {
		case <-i.ctx.Done():
			return 0, io.EOF
		case i.rest = <-i.from:
		}
	}
	n := copy(p, i.rest)
	i.rest = i.rest[n:]
	return n, nil
}

func (t *terminal) resize(size remotecommand.TerminalSize) {
	t.sizing.Lock()
	t.size = size
	t.sizing.Unlock()
	select {
	case t.resized <- struct{}{}:
	default:
	}
}

// sizes are the sizes of the terminal, until ctx ends.
func (t *terminal) sizes(ctx context.Context) remotecommand.TerminalSizeQueue {
	return &terminalSizes{ctx: ctx, of: t}
}

type terminalSizes struct {
	ctx  context.Context
	of   *terminal
	sent remotecommand.TerminalSize
}

// Next waits for a size that was not sent yet; nil at the end.
func (s *terminalSizes) Next() *remotecommand.TerminalSize {
	for {
		s.of.sizing.Lock()
		size := s.of.size
		s.of.sizing.Unlock()
		if size != s.sent {
			s.sent = size
			return &size
		}
		select {
		case <-s.ctx.Done():
			return nil
		case <-s.of.resized:
		}
	}
}
