package cluster

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// The API server sends far more than is kept. Reading JSON into maps to throw most of it away is what fills the heap
// of programs that watch everything, so the few wanted values are picked out of the text. The functions check only as
// much structure as they need to find their way; the text comes from an encoder, not from people.

var errJSON = errors.New("damaged JSON from the API server")

// errStop ends a walk early without being an error of it.
var errStop = errors.New("stop")

// members calls fn for each member of the JSON object in data. Key and value are slices of data.
func members(data []byte, fn func(key, value []byte) error) error {
	i := space(data, 0)
	if i >= len(data) || data[i] != '{' {
		return fmt.Errorf("%w: an object was expected", errJSON)
	}
	i = space(data, i+1)
	if i < len(data) && data[i] == '}' {
		return nil
	}
	for {
		end, err := skip(data, i)
		if err != nil {
			return err
		}
		if data[i] != '"' {
			return fmt.Errorf("%w: a key was expected", errJSON)
		}
		key := data[i+1 : end-1]
		if bytes.IndexByte(key, '\\') >= 0 {
			key = []byte(text(data[i:end]))
		}
		if i = space(data, end); i >= len(data) || data[i] != ':' {
			return fmt.Errorf("%w: a colon was expected", errJSON)
		}
		i = space(data, i+1)
		if end, err = skip(data, i); err != nil {
			return err
		}
		if err := fn(key, data[i:end]); err != nil {
			if err == errStop { //nolint:errorlint // never wrapped
				return nil
			}
			return err
		}
		var done bool
		if i, done, err = next(data, end, '}'); done || err != nil {
			return err
		}
	}
}

// elements calls fn for each element of the JSON array in data; null has none.
func elements(data []byte, fn func(value []byte) error) error {
	if isNull(data) {
		return nil
	}
	i := space(data, 0)
	if i >= len(data) || data[i] != '[' {
		return fmt.Errorf("%w: an array was expected", errJSON)
	}
	i = space(data, i+1)
	if i < len(data) && data[i] == ']' {
		return nil
	}
	for {
		end, err := skip(data, i)
		if err != nil {
			return err
		}
		if err := fn(data[i:end]); err != nil {
			return err
		}
		var done bool
		if i, done, err = next(data, end, ']'); done || err != nil {
			return err
		}
	}
}

// next steps from the end of a value over the comma to the next one, or tells that the closing bracket came.
func next(data []byte, i int, closing byte) (at int, done bool, err error) {
	i = space(data, i)
	switch {
	case i < len(data) && data[i] == closing:
		return i + 1, true, nil
	case i < len(data) && data[i] == ',':
		return space(data, i+1), false, nil
	}
	return 0, false, fmt.Errorf("%w: a comma was expected", errJSON)
}

// skip returns the end of the value that starts at i.
func skip(data []byte, i int) (int, error) {
	if i >= len(data) {
		return 0, fmt.Errorf("%w: it ends too early", errJSON)
	}
	switch data[i] {
	case '"':
		return skipString(data, i)
	case '{', '[':
		return skipNested(data, i)
	}
	start := i
	for i < len(data) && !delimiter(data[i]) {
		i++
	}
	if i == start {
		return 0, fmt.Errorf("%w: a value was expected", errJSON)
	}
	return i, nil
}

func skipNested(data []byte, i int) (int, error) {
	for depth := 0; i < len(data); {
		switch data[i] {
		case '"':
			end, err := skipString(data, i)
			if err != nil {
				return 0, err
			}
			i = end
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1, nil
			}
		}
		i++
	}
	return 0, fmt.Errorf("%w: it ends too early", errJSON)
}

func skipString(data []byte, i int) (int, error) {
	i++
	for {
		n := bytes.IndexByte(data[i:], '"')
		if n < 0 {
			return 0, fmt.Errorf("%w: it ends too early", errJSON)
		}
		end := i + n
		slashes := 0
		for end-slashes-1 >= i && data[end-slashes-1] == '\\' {
			slashes++
		}
		i = end + 1
		if slashes%2 == 0 {
			return i, nil
		}
	}
}

func space(data []byte, i int) int {
	for i < len(data) && (data[i] == ' ' || data[i] == '\n' || data[i] == '\t' || data[i] == '\r') {
		i++
	}
	return i
}

func delimiter(c byte) bool {
	return c == ',' || c == '}' || c == ']' || c == ':' || c == ' ' || c == '\n' || c == '\t' || c == '\r'
}

func isNull(value []byte) bool { return string(value) == "null" }

// text returns the content of a JSON string, empty for any other value. It never refers to value's memory.
func text(value []byte) string {
	if len(value) < 2 || value[0] != '"' {
		return ""
	}
	inner := value[1 : len(value)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return string(inner)
	}
	var s string
	if json.Unmarshal(value, &s) != nil {
		return ""
	}
	return s
}
