package content

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Name makes the name of a record out of texts that may be secret: it depends on the directory's own key, so that
// nobody who can list the directory can test a guess.
func (s *Store) Name(parts ...string) string {
	h := hmac.New(sha256.New, s.key)
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil)[:20])
}

// Save keeps a record. The name must come from Name.
func (s *Store) Save(name string, data []byte) {
	path := s.record(name)
	sum := Digest(data) + "\n"
	if err := s.write(path, []byte(sum), data); err != nil {
		s.complain(name, err)
		s.memory.put(recordFolder+"/"+name, data)
		return
	}
	s.memory.drop(recordFolder + "/" + name)
	// The injected clock is the one that ages are measured by.
	now := s.o.Now()
	_ = os.Chtimes(path, now, now) // then the time of writing stands there
}

// Load reads a record and tells when it was last used or saved. A missing or damaged one gives fs.ErrNotExist.
func (s *Store) Load(name string) ([]byte, error) {
	if data, ok := s.memory.get(recordFolder + "/" + name); ok {
		return data, nil
	}
	path := s.record(name)
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("record %s: %w", name, fs.ErrNotExist)
	}
	raw, err := os.ReadFile(path)
	sum, data, ok := bytes.Cut(raw, []byte("\n"))
	if err != nil || !ok || Digest(data) != string(sum) {
		s.o.Logger.Warn("a kept file is damaged and is removed", "file", path, "error", err)
		os.Remove(path)
		return nil, fmt.Errorf("record %s is damaged: %w", name, fs.ErrNotExist)
	}
	s.touch(path, info)
	return data, nil
}

// Remove forgets a record.
func (s *Store) Remove(name string) {
	s.memory.drop(recordFolder + "/" + name)
	os.Remove(s.record(name))
}

func (s *Store) record(name string) string {
	return filepath.Join(s.o.Dir, recordFolder, name[:2], name)
}

// loadKey reads or makes the key for names. When several processes make one at the same time, the first stays.
func (s *Store) loadKey() ([]byte, error) {
	path := filepath.Join(s.o.Dir, "key")
	for range 3 {
		key, err := os.ReadFile(path)
		switch {
		case err == nil && len(key) == 32:
			return key, nil
		case err == nil:
			os.Remove(path) // damaged; all records are lost with it
		case !errors.Is(err, fs.ErrNotExist):
			return nil, err
		}
		key = make([]byte, 32)
		_, _ = rand.Read(key) // never fails
		beside := filepath.Join(s.o.Dir, temporary, "new-key-"+hex.EncodeToString(key[:8])+"-"+fmt.Sprint(time.Now().UnixNano()))
		if err := s.write(beside, key); err != nil {
			return nil, err
		}
		err = os.Link(beside, path) // fails when there is one, or when a sweep has taken the other
		os.Remove(beside)
		if err != nil && !errors.Is(err, fs.ErrExist) && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return nil, errors.New("the key cannot be read back")
}
