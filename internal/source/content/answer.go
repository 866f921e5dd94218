package content

import (
	"encoding/json"
)

// maxAnswers bounds the memory for answers.
const maxAnswers = 20_000

// Recall gives an answer that was kept under a name, from memory or from disk.
func Recall[T any](s *Store, name string) (answer T, ok bool) {
	s.mu.Lock()
	known, ok := s.answers[name]
	s.mu.Unlock()
	if answer, same := known.(T); ok && same {
		return answer, true
	}
	raw, err := s.Load(name)
	if err != nil {
		return answer, false
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		s.Remove(name)
		var none T
		return none, false
	}
	s.note(name, answer)
	return answer, true
}

// Keep keeps an answer under a name, in memory and as JSON in a record.
func Keep[T any](s *Store, name string, answer T) {
	s.note(name, answer)
	raw, err := json.Marshal(answer)
	if err != nil {
		s.o.Logger.Error("an answer cannot be written as JSON and is kept in memory only", "error", err)
		return
	}
	s.Save(name, raw)
}

func (s *Store) note(name string, answer any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.answers) >= maxAnswers {
		clear(s.answers)
	}
	s.answers[name] = answer
}
