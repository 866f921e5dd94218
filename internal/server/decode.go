package server

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
)

// decode reads a body of JSON; an empty one leaves the value as it is. Unknown fields are left alone, since clients of a
// newer version may send them.
func decode(r *http.Request, into any) error {
	decoder := json.NewDecoder(r.Body)
	err := decoder.Decode(into)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case errors.As(err, &tooLarge):
		return err
	case err != nil:
		return failure(codeInvalidArgument, "the request body is not the JSON that this call takes: %s", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		if errors.As(err, &tooLarge) {
			return err
		}
		return failure(codeInvalidArgument, "the request body goes on after its JSON value")
	}
	return nil
}
