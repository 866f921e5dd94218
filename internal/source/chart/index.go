package chart

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"iter"
	"maps"
	"slices"
	"time"
)

// index is a Helm repository's index in a compact form. It is not changed once it is made.
type index struct {
	header
	// data holds the charts one after another, as encoder writes them.
	data string
	// charts says where in data the versions of a chart are.
	charts map[string]span
}

type span struct{ start, end uint32 }

// header is what a server said about an index.
type header struct {
	ETag         string `json:"etag,omitempty"`
	LastModified string `json:"lastModified,omitempty"`
}

// entry is one version of a chart in an index.
type entry struct {
	Version
	url string
}

// encoder makes an index out of entries. Only what differs from the entry before is kept of a URL.
type encoder struct {
	data   []byte
	charts map[string]span
	start  int
	last   string // URL of the entry before
}

const (
	flagDeprecated = 1 << iota
	flagDigest
	flagCreated
)

// begin starts the versions of a chart.
func (e *encoder) begin() { e.start, e.last = len(e.data), "" }

// add adds a version to the chart.
func (e *encoder) add(one entry) {
	var flags byte
	digest, err := hex.DecodeString(one.Digest)
	if err == nil && len(digest) == 32 {
		flags |= flagDigest
	}
	if one.Deprecated {
		flags |= flagDeprecated
	}
	if !one.Created.IsZero() {
		flags |= flagCreated
	}
	shared := 0
	for shared < len(e.last) && shared < len(one.url) && e.last[shared] == one.url[shared] {
		shared++
	}
	e.last = one.url
	e.data = append(e.data, flags)
	e.text(one.Version.Version)
	e.text(one.AppVersion)
	e.data = binary.AppendUvarint(e.data, uint64(shared))
	e.text(one.url[shared:])
	if flags&flagDigest != 0 {
		e.data = append(e.data, digest...)
	}
	if flags&flagCreated != 0 {
		e.data = binary.AppendVarint(e.data, one.Created.Unix())
	}
}

func (e *encoder) text(s string) {
	e.data = binary.AppendUvarint(e.data, uint64(len(s)))
	e.data = append(e.data, s...)
}

// end finishes a chart. One without versions or name is left out.
func (e *encoder) end(name string) {
	if name == "" {
		e.data = e.data[:e.start]
	}
	if len(e.data) > e.start {
		e.charts[name] = span{uint32(e.start), uint32(len(e.data))}
	}
}

func (e *encoder) index(h header) *index {
	return &index{header: h, data: string(e.data), charts: e.charts}
}

// all gives the versions of a chart in the order of the index.
func (x *index) all(name string) iter.Seq[entry] {
	return func(yield func(entry) bool) {
		at, ok := x.charts[name]
		if !ok {
			return
		}
		d := decoder{left: x.data[at.start:at.end]}
		for d.left != "" && !d.bad {
			if one := d.entry(); d.bad || !yield(one) {
				return
			}
		}
	}
}

// names of all charts, sorted.
func (x *index) names() []string { return slices.Sorted(maps.Keys(x.charts)) }

type decoder struct {
	left string
	last string
	bad  bool
}

func (d *decoder) entry() (one entry) {
	flags := d.take(1)
	if d.bad {
		return one
	}
	one.Version.Version = d.text()
	one.AppVersion = d.text()
	shared := d.number()
	rest := d.text()
	if shared > uint64(len(d.last)) {
		d.bad = true
		return one
	}
	one.url = d.last[:shared] + rest
	d.last = one.url
	if flags[0]&flagDigest != 0 {
		one.Digest = hex.EncodeToString([]byte(d.take(32)))
	}
	if flags[0]&flagCreated != 0 {
		seconds, n := binary.Varint([]byte(d.left[:min(len(d.left), binary.MaxVarintLen64)]))
		if n <= 0 {
			d.bad = true
			return one
		}
		d.left = d.left[n:]
		one.Created = time.Unix(seconds, 0).UTC()
	}
	one.Deprecated = flags[0]&flagDeprecated != 0
	return one
}

func (d *decoder) number() uint64 {
	v, n := binary.Uvarint([]byte(d.left[:min(len(d.left), binary.MaxVarintLen64)]))
	if n <= 0 {
		d.bad = true
		return 0
	}
	d.left = d.left[n:]
	return v
}

func (d *decoder) text() string { return d.take(d.number()) }

func (d *decoder) take(n uint64) string {
	if d.bad || n > uint64(len(d.left)) {
		d.bad = true
		return ""
	}
	s := d.left[:n]
	d.left = d.left[n:]
	return s
}

// indexMagic begins a kept index; another form of it gets another number.
const indexMagic = "fairlead chart index 1\n"

var errIndexForm = errors.New("the kept index has another form")

// marshal writes an index for disk.
func (x *index) marshal() ([]byte, error) {
	head, err := json.Marshal(x.header)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, len(indexMagic)+len(head)+len(x.data)+64*len(x.charts)+16)
	out = append(out, indexMagic...)
	out = append(append(out, head...), '\n')
	e := encoder{data: out}
	for _, name := range x.names() {
		at := x.charts[name]
		e.text(name)
		e.data = binary.AppendUvarint(e.data, uint64(at.start))
		e.data = binary.AppendUvarint(e.data, uint64(at.end))
	}
	e.text("")
	return append(e.data, x.data...), nil
}

// unmarshalIndex reads what marshal has written.
func unmarshalIndex(raw []byte) (*index, error) {
	rest, ok := bytes.CutPrefix(raw, []byte(indexMagic))
	head, body, more := bytes.Cut(rest, []byte("\n"))
	if !ok || !more {
		return nil, errIndexForm
	}
	x := &index{charts: map[string]span{}}
	if err := json.Unmarshal(head, &x.header); err != nil {
		return nil, err
	}
	d := decoder{left: string(body)}
	for {
		name := d.text()
		if d.bad || name == "" {
			break
		}
		x.charts[string([]byte(name))] = span{uint32(d.number()), uint32(d.number())}
	}
	x.data = d.left
	for _, at := range x.charts {
		if d.bad || at.start > at.end || int(at.end) > len(x.data) {
			return nil, errIndexForm
		}
	}
	if d.bad {
		return nil, errIndexForm
	}
	return x, nil
}
