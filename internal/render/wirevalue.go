package render

import (
	"encoding/json"
	"fmt"
	"unique"

	kjson "k8s.io/apimachinery/pkg/util/json"

	"github.com/fairlead-cd/fairlead/internal/render/packed"
)

const (
	// maxValueDepth bounds objects in objects.
	maxValueDepth = 1000
	// maxValues bounds the values in all objects of a result together: of the smallest ones, whose memory is many
	// times their encoding.
	maxValues = 8 << 20
)

// Marks before a value.
const (
	markNull byte = iota
	markFalse
	markTrue
	markInt
	markFloat
	markText
	markList
	markObject
	markEmptyList // nil, which JSON writes as null
	markJSON      // of types that decoded JSON does not have
)

// valueWriter writes the content of objects. A key is written once and referred to by its number afterwards.
type valueWriter struct {
	b      []byte
	keys   map[string]uint64
	values int
}

func (w *valueWriter) object(fields map[string]any, depth int) error {
	w.b = packed.Uint(w.b, uint64(len(fields)))
	for key, field := range fields {
		number, known := w.keys[key]
		if !known {
			number = uint64(len(w.keys))
			w.keys[key] = number
			w.b = packed.Text(packed.Uint(w.b, 0), key)
		} else {
			w.b = packed.Uint(w.b, number+1)
		}
		if err := w.value(field, depth+1); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	return nil
}

func (w *valueWriter) value(value any, depth int) error {
	if depth > maxValueDepth {
		return fmt.Errorf("it is nested more than %d deep", maxValueDepth)
	}
	if w.values++; w.values > maxValues {
		return fmt.Errorf("%w: there are more than %d values in all objects", ErrTooLarge, maxValues)
	}
	switch v := value.(type) {
	case nil:
		w.b = append(w.b, markNull)
	case bool:
		w.b = append(w.b, markFalse)
		if v {
			w.b[len(w.b)-1] = markTrue
		}
	case int64:
		w.b = packed.Int(append(w.b, markInt), v)
	case float64:
		w.b = packed.Float(append(w.b, markFloat), v)
	case string:
		w.b = packed.Text(append(w.b, markText), v)
	case map[string]any:
		w.b = append(w.b, markObject)
		return w.object(v, depth)
	case []any:
		if v == nil {
			w.b = append(w.b, markEmptyList)
			return nil
		}
		w.b = packed.Uint(append(w.b, markList), uint64(len(v)))
		for i, item := range v {
			if err := w.value(item, depth+1); err != nil {
				return fmt.Errorf("[%d]: %w", i, err)
			}
		}
	default:
		encoded, err := json.Marshal(v)
		if err != nil {
			return err
		}
		w.b = packed.Text(append(w.b, markJSON), encoded)
	}
	return nil
}

// valueReader reads the content of one object. Texts share the memory of the object's encoding, since they are kept and
// dropped together; keys are those of all objects in the process.
type valueReader struct {
	text string // the whole encoding
	r    *packed.Reader
	*valueCount
}

// valueCount is what the objects of a result have in common.
type valueCount struct {
	keys   []string
	values int
}

func newValueReader(encoded []byte, shared *valueCount) *valueReader {
	return &valueReader{text: string(encoded), r: packed.Read(encoded), valueCount: shared}
}

func (v *valueReader) whole() map[string]any { return v.object(0) }

func (v *valueReader) failed() bool { return v.r.Close() != nil }

func (v *valueReader) object(depth int) map[string]any {
	n := v.r.Count(2)
	fields := make(map[string]any, min(n, 1024))
	for range n {
		key := v.key()
		if v.r.Err() != nil {
			return nil
		}
		fields[key] = v.value(depth + 1)
	}
	return fields
}

func (v *valueReader) key() string {
	number := v.r.Uint()
	if number == 0 {
		key := unique.Make(v.r.Text()).Value()
		v.keys = append(v.keys, key)
		return key
	}
	if number > uint64(len(v.keys)) {
		v.r.Fail()
		return ""
	}
	return v.keys[number-1]
}

func (v *valueReader) value(depth int) any {
	if v.values++; depth > maxValueDepth || v.values > maxValues {
		v.r.Fail()
		return nil
	}
	switch v.r.Byte() {
	case markNull:
		return nil
	case markFalse:
		return false
	case markTrue:
		return true
	case markInt:
		return v.r.Int()
	case markFloat:
		return v.r.Float()
	case markText:
		n := len(v.r.Bytes())
		end := len(v.text) - v.r.Len()
		if v.r.Err() != nil {
			return nil
		}
		return v.text[end-n : end]
	case markObject:
		return v.object(depth)
	case markEmptyList:
		return []any(nil)
	case markList:
		n := v.r.Count(1)
		items := make([]any, 0, min(n, 1024))
		for range n {
			items = append(items, v.value(depth+1))
			if v.r.Err() != nil {
				return nil
			}
		}
		return items
	case markJSON:
		var value any
		if err := kjson.Unmarshal(v.r.Bytes(), &value); err != nil {
			v.r.Fail()
		}
		intern(value)
		return value
	}
	v.r.Fail()
	return nil
}
