package cluster

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
)

// item carries an Object through the Reflector. The Reflector asks it for little more than its name and version; the
// embedded nil interface stands for all that it never asks.
type item struct {
	metav1.Object
	object           *Object
	initialEventsEnd bool
}

var _ runtime.Object = (*item)(nil)

func (i *item) GetName() string                  { return i.object.Name }
func (i *item) GetNamespace() string             { return i.object.Namespace }
func (i *item) GetResourceVersion() string       { return i.object.ResourceVersion }
func (i *item) GetObjectKind() schema.ObjectKind { return schema.EmptyObjectKind }
func (i *item) DeepCopyObject() runtime.Object   { return i }

func (i *item) GetAnnotations() map[string]string {
	if i.initialEventsEnd {
		return map[string]string{metav1.InitialEventsAnnotationKey: "true"}
	}
	return nil
}

// list is a page of items.
type list struct {
	metav1.TypeMeta
	metav1.ListMeta
	Items []runtime.Object
}

func (l *list) DeepCopyObject() runtime.Object { return l }

// decodeList reads the answer to a list request.
func (d *decoder) decodeList(data []byte) (runtime.Object, error) {
	l := &list{}
	err := members(data, func(key, value []byte) error {
		switch string(key) {
		case "metadata":
			return json.Unmarshal(value, &l.ListMeta)
		case "items":
			return elements(value, func(value []byte) error {
				o, err := d.decode(value)
				if err == nil {
					l.Items = append(l.Items, &item{object: o})
				}
				return err
			})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading a list of %s: %w", d.gvk.Kind, err)
	}
	return l, nil
}

// streamDecoder reads the events of a watch, one line of JSON each.
type streamDecoder struct {
	body    io.ReadCloser
	reader  *bufio.Reader
	decoder *decoder
	// broken is told about events that cannot be read.
	broken func(error)
	line   []byte
	// version is the last that the stream brought, or that it began after.
	version string
	ended   bool
}

const (
	readBuffer = 4 << 10
	// maxIdleLine is how large a buffer an idle watch may hold on to.
	maxIdleLine = 64 << 10
)

func newStreamDecoder(body io.ReadCloser, d *decoder, broken func(error), version string) *streamDecoder {
	return &streamDecoder{body: body, reader: bufio.NewReaderSize(body, readBuffer), decoder: d, broken: broken, version: version}
}

// Close ends the stream.
func (s *streamDecoder) Close() { _ = s.body.Close() }

// Decode returns the next event. Whatever ends the stream is io.EOF: the Reflector then watches on from where it was.
//
// The Reflector takes a stream that ends soon and empty for a sign of something wrong with what it watches: it backs off
// and lists everything again. When the connection broke, nothing is wrong with it; a bookmark of what is known already
// keeps the stream from being empty.
func (s *streamDecoder) Decode() (watch.EventType, runtime.Object, error) {
	if cap(s.line) > maxIdleLine {
		s.line = nil
	}
	s.line = s.line[:0]
	for {
		chunk, err := s.reader.ReadSlice('\n')
		s.line = append(s.line, chunk...)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil {
			return s.end(err)
		}
		if len(bytes.TrimSpace(s.line)) == 0 {
			continue
		}
		event, obj, err := s.event(s.line)
		if errors.Is(err, errJSON) && !json.Valid(s.line) {
			continue // a server that spreads an event over lines
		}
		if err != nil {
			s.broken(err)
		}
		return event, obj, err
	}
}

func (s *streamDecoder) end(err error) (watch.EventType, runtime.Object, error) {
	if errors.Is(err, io.EOF) || s.ended {
		return "", nil, io.EOF
	}
	s.ended = true
	return watch.Bookmark, &item{object: &Object{ResourceVersion: s.version}}, nil
}

func (s *streamDecoder) event(line []byte) (watch.EventType, runtime.Object, error) {
	var kind watch.EventType
	var body []byte
	err := members(line, func(key, value []byte) error {
		switch string(key) {
		case "type":
			kind = watch.EventType(text(value))
		case "object":
			body = value
		}
		return nil
	})
	if err != nil {
		return "", nil, err
	}
	if kind == watch.Error {
		status := &metav1.Status{}
		if err := json.Unmarshal(body, status); err != nil {
			return "", nil, fmt.Errorf("reading an error of a watch of %s: %w", s.decoder.gvk.Kind, err)
		}
		return kind, status, nil
	}
	if kind == watch.Bookmark {
		i, err := bookmark(body)
		if err == nil {
			s.version = i.object.ResourceVersion
		}
		return kind, i, err
	}
	o, err := s.decoder.decode(body)
	if err != nil {
		return "", nil, err
	}
	s.version = o.ResourceVersion
	return kind, &item{object: o}, nil
}

// bookmark reads an object that carries nothing but a resource version.
func bookmark(body []byte) (*item, error) {
	var b metav1.PartialObjectMetadata
	if err := json.Unmarshal(body, &b); err != nil {
		return nil, fmt.Errorf("reading a bookmark: %w", err)
	}
	return &item{
		object:           &Object{ResourceVersion: b.ResourceVersion},
		initialEventsEnd: b.Annotations[metav1.InitialEventsAnnotationKey] == "true",
	}, nil
}

// resourcePath returns the parts of the URL path under which a kind's objects lie.
func resourcePath(r Resource, namespace string) []string {
	path := []string{"apis", r.Kind.Group, r.Kind.Version}
	if r.Kind.Group == "" {
		path = []string{"api", r.Kind.Version}
	}
	if namespace != "" && r.Namespaced {
		path = append(path, "namespaces", namespace)
	}
	return append(path, r.Name)
}
