package source

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// Kinds of packets in Git's wire format.
type packet int

const (
	packetData packet = iota
	packetFlush
	packetDelimiter
	packetEnd
)

var errPacket = errors.New("the server's answer is not in git's packet format")

// readPacket reads one packet. The data is valid until the next call.
func readPacket(r *bufio.Reader, buffer []byte) (packet, []byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	var raw [2]byte
	if _, err := hex.Decode(raw[:], head[:]); err != nil {
		return 0, nil, errPacket
	}
	n := int(raw[0])<<8 | int(raw[1])
	switch n {
	case 0:
		return packetFlush, nil, nil
	case 1:
		return packetDelimiter, nil, nil
	case 2:
		return packetEnd, nil, nil
	case 3:
		return 0, nil, errPacket
	}
	n -= 4
	if n > cap(buffer) {
		return 0, nil, errPacket
	}
	data := buffer[:n]
	if _, err := io.ReadFull(r, data); err != nil {
		return 0, nil, io.ErrUnexpectedEOF
	}
	return packetData, bytes.TrimSuffix(data, []byte("\n")), nil
}

// maxPacket is the largest packet, in bytes.
const maxPacket = 65520

func appendPacket(b []byte, line string) []byte {
	return append(append(b, fmt.Sprintf("%04x", len(line)+5)...), line+"\n"...)
}
