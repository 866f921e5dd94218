package render

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
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

// keyMaker makes keys of requests. It is safe for concurrent use.
type keyMaker struct {
	mu sync.Mutex
	// lists are the API lists seen last. A cluster has one of a hundred names and more that all its applications
	// share, and comparing it with itself is many times cheaper than hashing it again.
	lists []apiList
	next  int
}

type apiList struct {
	versions []string
	sum      [sha256.Size]byte
}

// maxAPILists is how many different lists are remembered.
const maxAPILists = 32

func (k *keyMaker) key(r Request) (requestKey, error) {
	versions := r.APIVersions
	r.APIVersions = nil
	encoded, err := json.Marshal(r)
	if err != nil {
		return requestKey{}, fmt.Errorf("%w: %w", ErrInvalidSource, err)
	}
	if len(versions) > 0 {
		sum := k.sum(versions)
		encoded = append(encoded, sum[:]...)
	}
	return sha256.Sum256(encoded), nil
}

func (k *keyMaker) sum(versions []string) [sha256.Size]byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := range k.lists {
		if slices.Equal(k.lists[i].versions, versions) {
			return k.lists[i].sum
		}
	}
	encoded, _ := json.Marshal(versions) // strings always can be
	list := apiList{versions: slices.Clone(versions), sum: sha256.Sum256(encoded)}
	if len(k.lists) < maxAPILists {
		k.lists = append(k.lists, list)
	} else {
		k.lists[k.next] = list
		k.next = (k.next + 1) % maxAPILists
	}
	return list.sum
}
