package packed_test

import (
	"errors"
	"math"
	"testing"

	"github.com/fairlead-cd/fairlead/internal/render/packed"
)

func TestWhatIsWrittenIsRead(t *testing.T) {
	var b []byte
	b = packed.Uint(b, math.MaxUint64)
	b = packed.Int(b, math.MinInt64)
	b = packed.Bool(b, true)
	b = packed.Float(b, -0.25)
	b = packed.Text(b, "text")
	b = packed.Text(b, []byte{0, 1})
	r := packed.Read(b)
	if got := r.Uint(); got != math.MaxUint64 {
		t.Errorf("number %d", got)
	}
	if got := r.Int(); got != math.MinInt64 {
		t.Errorf("number %d", got)
	}
	if !r.Bool() {
		t.Error("a truth value was lost")
	}
	if got := r.Float(); got != -0.25 {
		t.Errorf("number %g", got)
	}
	if got := r.Text(); got != "text" {
		t.Errorf("text %q", got)
	}
	if got := r.Bytes(); string(got) != "\x00\x01" {
		t.Errorf("bytes %q", got)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func TestDamageIsNoticed(t *testing.T) {
	for name, test := range map[string]struct {
		input []byte
		read  func(*packed.Reader)
	}{
		"nothing is there":       {nil, func(r *packed.Reader) { r.Uint() }},
		"a number does not end":  {[]byte{0x80}, func(r *packed.Reader) { r.Int() }},
		"a text is cut off":      {[]byte{9, 'a'}, func(r *packed.Reader) { r.Text() }},
		"a float is cut off":     {[]byte{1, 2, 3}, func(r *packed.Reader) { r.Float() }},
		"neither true nor false": {[]byte{2}, func(r *packed.Reader) { r.Bool() }},
		"more things than bytes": {[]byte{0xff, 0xff, 0xff, 0x7f, 1}, func(r *packed.Reader) { r.Count(1) }},
		"something is left":      {[]byte{1, 1}, func(r *packed.Reader) { r.Byte() }},
		"an impossible length":   {packed.Uint(nil, math.MaxUint64), func(r *packed.Reader) { r.Bytes() }},
		"a negative length":      {[]byte{1}, func(r *packed.Reader) { r.Take(-1) }},
	} {
		t.Run(name, func(t *testing.T) {
			r := packed.Read(test.input)
			test.read(r)
			if err := r.Close(); !errors.Is(err, packed.ErrDamaged) {
				t.Errorf("error %v", err)
			}
		})
	}
}
