package cache

import (
	"bytes"
	"testing"
)

func FuzzOpen(f *testing.F) {
	s, err := newSealer([]byte("a key of this installation"), "1", true, 1<<20)
	if err != nil {
		f.Fatal(err)
	}
	sealed, err := s.seal("name", []byte("value"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		value, err := s.open("name", b)
		if err == nil && !bytes.Equal(b, sealed) {
			t.Errorf("a forged entry gives %q", value)
		}
	})
}

func TestAnEntryThatUnpacksToTooMuchIsRefused(t *testing.T) {
	s, err := newSealer([]byte("a key of this installation"), "1", true, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := s.seal("name", make([]byte, 64<<20))
	if err != nil {
		t.Fatal(err)
	}
	if int64(len(sealed)) > s.maxBytes {
		t.Fatalf("%d bytes would not even be read", len(sealed))
	}
	if value, err := s.open("name", sealed); err == nil {
		t.Errorf("%d bytes were unpacked", len(value))
	}
}
