package content_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fairlead-cd/fairlead/internal/source/content"
)

func open(t *testing.T, o content.Options) *content.Store {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	s, err := content.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func files(t *testing.T, dir string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestContentIsKeptAndVerified(t *testing.T) {
	dir := t.TempDir()
	s := open(t, content.Options{Dir: dir})
	digest := s.Put([]byte("hello"))
	name := s.Name("a", "b")
	s.Save(name, []byte("record"))
	for range 2 {
		if data, err := s.Get(digest); err != nil || string(data) != "hello" {
			t.Errorf("Get = %q, %v", data, err)
		}
		if data, err := s.Load(name); err != nil || string(data) != "record" {
			t.Errorf("Load = %q, %v", data, err)
		}
		s = open(t, content.Options{Dir: dir}) // as another process has it
	}
	if s.Name("a", "b") != name || s.Name("ab", "") == name {
		t.Error("names are not those of their parts and the directory")
	}
	for _, path := range files(t, dir) {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Base(path) == "key" {
			continue
		}
		raw[len(raw)-1] ^= 1
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Get(digest); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a damaged blob: %v", err)
	}
	if _, err := s.Load(name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a damaged record: %v", err)
	}
	for _, bad := range []string{"", "../../etc/passwd", strings.Repeat("g", 64), strings.ToUpper(digest)} {
		if _, err := s.Get(bad); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Get(%q) = %v", bad, err)
		}
	}
	s.Put([]byte("hello"))
	if _, err := s.Get(digest); err != nil {
		t.Errorf("put again: %v", err)
	}
}

func TestADamagedBlobIsReplacedByPut(t *testing.T) {
	dir := t.TempDir()
	s := open(t, content.Options{Dir: dir})
	digest := s.Put([]byte("hello"))
	if err := os.WriteFile(filepath.Join(dir, "blobs", digest[:2], digest), []byte("jello"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Put([]byte("hello"))
	if data, err := s.Get(digest); err != nil || string(data) != "hello" {
		t.Errorf("Get = %q, %v", data, err)
	}
}

func TestTheSizeIsBoundedAndLeftoversGo(t *testing.T) {
	dir := t.TempDir()
	s := open(t, content.Options{Dir: dir, MaxBytes: 10_000})
	var digests []string
	old := time.Now().Add(-48 * time.Hour)
	for i := range 30 {
		digests = append(digests, s.Put(bytes.Repeat([]byte{byte(i)}, 1000)))
		path := filepath.Join(dir, "blobs", digests[i][:2], digests[i])
		at := old.Add(time.Duration(i) * time.Minute)
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Get(digests[0]); err != nil { // in use all the time
			t.Fatalf("after %d: %v", i, err)
		}
	}
	s.Sweep()
	total := 0
	for _, d := range digests {
		if data, err := s.Get(d); err == nil {
			total += len(data)
		}
	}
	if total > 10_000 || total < 8000 {
		t.Errorf("%d bytes are kept", total)
	}
	if _, err := s.Get(digests[29]); err != nil {
		t.Error("the newest is gone")
	}

	leftover := filepath.Join(dir, "tmp", "new-123")
	if err := os.WriteFile(leftover, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	open(t, content.Options{Dir: dir})
	if _, err := os.Stat(leftover); err == nil {
		t.Error("a killed process's file is still there")
	}
}

func TestRecordsThatNobodyReadsGo(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	clock := func() time.Time { return now }
	s := open(t, content.Options{Dir: dir, KeepUnused: 24 * time.Hour, Now: clock})
	used, unused := s.Name("used"), s.Name("unused")
	s.Save(used, nil)
	s.Save(unused, nil)
	now = now.Add(20 * time.Hour)
	if _, err := s.Load(used); err != nil {
		t.Fatal(err)
	}
	now = now.Add(20 * time.Hour)
	s.Sweep()
	if _, err := s.Load(used); err != nil {
		t.Errorf("a record in use: %v", err)
	}
	if _, err := s.Load(unused); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an unused record: %v", err)
	}
}

func TestADirectoryThatCannotBeWrittenIsReplacedByMemory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, content.Options{Dir: dir, MemoryBytes: 5000})
	if s.Writable() {
		t.Error("it is said to be writable")
	}
	digest := s.Put([]byte("hello"))
	s.Save(s.Name("a"), []byte("record"))
	if data, err := s.Get(digest); err != nil || string(data) != "hello" {
		t.Errorf("Get = %q, %v", data, err)
	}
	if data, err := s.Load(s.Name("a")); err != nil || string(data) != "record" {
		t.Errorf("Load = %q, %v", data, err)
	}
	for i := range 10 {
		s.Put(bytes.Repeat([]byte{byte(i)}, 1000))
	}
	if _, err := s.Get(digest); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the memory is not bounded: %v", err)
	}
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	again := s.Put([]byte("hello"))
	if _, err := open(t, content.Options{Dir: dir}).Get(again); err != nil || !s.Writable() {
		t.Errorf("once it can be written: %v", err)
	}
}

func TestManyUsersOfOneDirectoryAgreeOnItsKey(t *testing.T) {
	dir := t.TempDir()
	names := make([]string, 8)
	var wait sync.WaitGroup
	for i := range names {
		wait.Go(func() {
			s, err := content.Open(content.Options{Dir: dir})
			if err != nil {
				t.Error(err)
				return
			}
			names[i] = s.Name("x")
			content.Keep(s, names[i], map[string]int{"n": 1})
		})
	}
	wait.Wait()
	for _, n := range names {
		if n != names[0] {
			t.Fatalf("names differ: %v", names)
		}
	}
	s := open(t, content.Options{Dir: dir})
	if got, ok := content.Recall[map[string]int](s, names[0]); !ok || got["n"] != 1 {
		t.Errorf("Recall = %v, %v", got, ok)
	}
	if _, ok := content.Recall[[]string](open(t, content.Options{Dir: dir}), names[0]); ok {
		t.Error("an answer of another form was taken")
	}
}

// TestWriterProcess is not a test: TestAKilledProcessLeavesNothingDamaged runs it in a process of its own.
func TestWriterProcess(t *testing.T) {
	dir := os.Getenv("CONTENT_TEST_DIR")
	if dir == "" {
		t.Skip("run by another test")
	}
	s := open(t, content.Options{Dir: dir})
	for i := 0; ; i++ {
		data := bytes.Repeat([]byte{byte(i), byte(i >> 8)}, 1<<18)
		s.Save(s.Name("record"), data)
		s.Put(data)
	}
}

func TestAKilledProcessLeavesNothingDamaged(t *testing.T) {
	dir := t.TempDir()
	blobs := func() (found []string) {
		_ = filepath.WalkDir(filepath.Join(dir, "blobs"), func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				found = append(found, path)
			}
			return nil
		})
		return found
	}
	for round := range 4 {
		writer := exec.Command(os.Args[0], "-test.run=^TestWriterProcess$")
		writer.Env = append(os.Environ(), "CONTENT_TEST_DIR="+dir)
		if err := writer.Start(); err != nil {
			t.Fatal(err)
		}
		before := len(blobs())
		for deadline := time.Now().Add(30 * time.Second); len(blobs()) < before+3 && time.Now().Before(deadline); {
			select {
			case <-time.After(time.Millisecond):
			case <-t.Context().Done():
			}
		}
		if err := writer.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = writer.Wait() // it was killed
		written := blobs()
		if round == 0 && len(written) < 3 {
			t.Fatalf("the process wrote %d blobs", len(written))
		}
		s := open(t, content.Options{Dir: dir})
		if left, err := os.ReadDir(filepath.Join(dir, "tmp")); err != nil || len(left) > 0 {
			t.Errorf("after a kill %d unfinished files are left (%v)", len(left), err)
		}
		for _, path := range written {
			if _, err := s.Get(filepath.Base(path)); err != nil {
				t.Errorf("after a kill: %v", err)
			}
			os.Remove(path)
		}
		if _, err := s.Load(s.Name("record")); err != nil {
			t.Errorf("after a kill: %v", err)
		}
	}
}
