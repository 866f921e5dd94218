package sops

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"

	"sigs.k8s.io/yaml"

	"github.com/fairlead-cd/fairlead/internal/alias"
)

// Redactor takes decrypted values out of errors. Templates, schemas and parsers like to repeat what they choke on.
// The zero Redactor knows no values. It is safe for concurrent use.
type Redactor struct {
	mu      sync.Mutex
	secrets map[string]bool
}

// minSecret is the length from which a value is looked for; shorter ones occur in any text.
const minSecret = 4

// redacted stands in the place of a value.
const redacted = "(secret)"

// Add remembers all texts of a decrypted YAML or JSON file, and every line of any other file.
func (r *Redactor) Add(plain []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.secrets == nil {
		r.secrets = map[string]bool{}
	}
	var value any
	if err := alias.Check(plain); err != nil {
		r.text(string(plain)) // not for parsing
		return
	}
	if err := yaml.Unmarshal(plain, &value); err == nil {
		if _, isText := value.(string); !isText {
			r.collect(value)
			return
		}
	}
	r.text(string(plain))
}

func (r *Redactor) collect(value any) {
	switch v := value.(type) {
	case map[string]any:
		for _, one := range v {
			r.collect(one)
		}
	case []any:
		for _, one := range v {
			r.collect(one)
		}
	case string:
		r.text(v)
	case float64, int64, json.Number:
		if text, err := json.Marshal(v); err == nil {
			r.text(string(text))
		}
	}
}

// text remembers a text, its lines, and how errors like to write it.
func (r *Redactor) text(text string) {
	note := func(s string) {
		if s = strings.TrimSpace(s); len(s) >= minSecret {
			r.secrets[s] = true
		}
	}
	note(text)
	quoted := strconv.Quote(text)
	note(quoted[1 : len(quoted)-1])
	if encoded, err := json.Marshal(text); err == nil {
		note(string(encoded[1 : len(encoded)-1]))
	}
	if len(text) >= minSecret {
		note(base64.StdEncoding.EncodeToString([]byte(text)))
	}
	if strings.Contains(text, "\n") {
		for line := range strings.SplitSeq(text, "\n") {
			note(line)
			if key, value, ok := strings.Cut(line, "="); ok && key != "" {
				note(value)
			}
		}
	}
}

// Text replaces decrypted values within a text.
func (r *Redactor) Text(text string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.secrets) == 0 {
		return text
	}
	// Longer ones first, so that no rest of one is left by another that is part of it.
	all := make([]string, 0, len(r.secrets))
	for s := range r.secrets {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	for _, s := range all {
		text = strings.ReplaceAll(text, s, redacted)
	}
	return text
}

// Error gives an error that errors.Is takes for the same, and that has no decrypted value in its text.
func (r *Redactor) Error(err error) error {
	if err == nil {
		return nil
	}
	text := r.Text(err.Error())
	if text == err.Error() {
		return err
	}
	return &redactedError{text: text, err: err}
}

// redactedError has no Unwrap: through that the text could still be reached.
type redactedError struct {
	text string
	err  error
}

func (e *redactedError) Error() string { return e.text }

// Is reports whether the error without a value in it was the target.
func (e *redactedError) Is(target error) bool { return errors.Is(e.err, target) }
