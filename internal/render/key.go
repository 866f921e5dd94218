package render

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
)

// requestKey stands for everything in a Request that a renderer can see.
type requestKey [sha256.Size]byte

// shared takes out of a request what results must not depend on, so that revisions share them.
func (r Request) shared() Request {
	r.Source.TargetRevision = ""
	r.Source.TagPrefix = ""
	r.Source.Name = ""
	return r
}

func keyOf(r Request) (requestKey, error) {
	encoded, err := json.Marshal(r)
	if err != nil {
		return requestKey{}, fmt.Errorf("%w: %w", ErrInvalidSource, err)
	}
	return sha256.Sum256(encoded), nil
}
