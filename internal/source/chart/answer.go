package chart

import (
	"encoding/json"
	"time"
)

// location is where a version of a chart was found. It is kept on disk.
type location struct {
	// Version as the repository writes it.
	Version string `json:"version"`
	// Digest of the archive, sha256 in hexadecimal.
	Digest string `json:"digest"`
	// URL of the archive.
	URL string `json:"url,omitempty"`
	// Size of the archive where the repository says it.
	Size int64 `json:"size,omitempty"`
	// Downloaded tells that these credentials have downloaded the archive.
	Downloaded bool `json:"downloaded,omitempty"`
}

// pin is which version a range has been resolved to. It is kept on disk.
type pin struct {
	Version string    `json:"version"`
	At      time.Time `json:"at"`
}

// recall gives an answer that was kept.
func recall[T any](s *Store, name string) (answer T, ok bool) {
	s.mu.Lock()
	known, ok := s.answers[name]
	s.mu.Unlock()
	if answer, same := known.(T); ok && same {
		return answer, true
	}
	raw, err := s.kept.Load(name)
	if err != nil {
		return answer, false
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		s.kept.Remove(name)
		var none T
		return none, false
	}
	s.note(name, answer)
	return answer, true
}

// keep keeps an answer.
func keep[T any](s *Store, name string, answer T) {
	s.note(name, answer)
	raw, err := json.Marshal(answer)
	if err != nil {
		s.o.Logger.Error("an answer about a chart cannot be written", "error", err)
		return
	}
	s.kept.Save(name, raw)
}

func (s *Store) note(name string, answer any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.answers) >= maxAnswers {
		clear(s.answers)
	}
	s.answers[name] = answer
}
