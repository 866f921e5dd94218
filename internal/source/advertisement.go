package source

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// errVersion2 says that an advertisement lists capabilities of protocol version 2 instead of references.
var errVersion2 = errors.New("server speaks protocol version 2")

// readAdvertisement reads the answer to GET info/refs. A version 2 server gives errVersion2, an older one its
// references, which are all it has.
func readAdvertisement(in io.Reader, extra []string) (*refs, error) {
	r, buffer := bufio.NewReader(in), make([]byte, maxPacket)
	found := newRefs()
	first := true
	for {
		kind, data, err := readPacket(r, buffer)
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
		line := string(data)
		switch {
		case kind == packetFlush && !first:
			return found, nil
		case kind != packetData || strings.HasPrefix(line, "# service=") || line == "version 1":
		case first && line == "version 2":
			return nil, errVersion2
		default:
			first = false
			line, capabilities, _ := strings.Cut(line, "\x00")
			for _, c := range strings.Fields(capabilities) {
				if target, ok := strings.CutPrefix(c, "symref=HEAD:"); ok {
					found.head = target
				}
				if format, ok := strings.CutPrefix(c, "object-format="); ok && format != "sha1" {
					return nil, fmt.Errorf("object format %s is not supported", format)
				}
			}
			if err := found.addLine(line, extra); err != nil {
				return nil, err
			}
		}
	}
}

// addLine takes one "<id> <name>" line; a name that ends in ^{} is the commit an annotated tag points to.
func (r *refs) addLine(line string, extra []string) error {
	id, name, ok := strings.Cut(line, " ")
	if !ok || len(id) != 40 || !isHex(id) {
		return errPacket
	}
	if name == "capabilities^{}" { // an empty repository
		return nil
	}
	if tag, ok := strings.CutSuffix(name, "^{}"); ok {
		r.peeled[tag] = id
		return nil
	}
	if wantedRef(name) || slices.Contains(extra, name) {
		r.add(name, id)
	}
	return nil
}

// lsRefsRequest is the body of a version 2 ls-refs command for HEAD, branches, tags and some references more.
func lsRefsRequest(extra []string) []byte {
	body := appendPacket(nil, "command=ls-refs")
	body = append(body, "0001"...)
	for _, line := range []string{"peel", "symrefs", "ref-prefix HEAD", "ref-prefix refs/heads/", "ref-prefix refs/tags/"} {
		body = appendPacket(body, line)
	}
	for _, name := range extra {
		body = appendPacket(body, "ref-prefix "+name)
	}
	return append(body, "0000"...)
}

// readLsRefs reads the answer to lsRefsRequest.
func readLsRefs(in io.Reader, extra []string) (*refs, error) {
	r, buffer := bufio.NewReader(in), make([]byte, maxPacket)
	found := newRefs()
	for {
		kind, data, err := readPacket(r, buffer)
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
		if kind == packetFlush {
			return found, nil
		}
		fields := strings.Split(string(data), " ")
		if kind != packetData || len(fields) < 2 || fields[0] != "unborn" && (len(fields[0]) != 40 || !isHex(fields[0])) {
			return nil, errPacket
		}
		id, name := fields[0], fields[1]
		for _, attribute := range fields[2:] {
			if target, ok := strings.CutPrefix(attribute, "symref-target:"); ok && name == "HEAD" {
				found.head = target
			}
			if commit, ok := strings.CutPrefix(attribute, "peeled:"); ok {
				found.peeled[name] = commit
			}
		}
		if id != "unborn" && (wantedRef(name) || slices.Contains(extra, name)) {
			found.add(name, id)
		}
	}
}

// wantedRef reports whether the mirror follows the reference without having been asked for it.
func wantedRef(name string) bool {
	return name == "HEAD" || strings.HasPrefix(name, "refs/heads/") || strings.HasPrefix(name, "refs/tags/")
}
