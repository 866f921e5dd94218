package render

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
)

// seal completes a result: repeated objects are left out and warned about, hashes and digest are set. It returns
// roughly the memory that the objects take, in bytes.
func seal(result *Result, namespace string) (bytes int64, err error) {
	dropRepeated(result, namespace)
	hashes := make([]string, len(result.Objects))
	for i := range result.Objects {
		o := &result.Objects[i]
		canonical, err := json.Marshal(o.Object) // map keys are sorted
		if err != nil {
			return 0, &ManifestError{File: o.File, Line: o.Line, Problem: fmt.Sprintf("the object cannot be encoded: %v", err)}
		}
		sum := sha256.Sum256(canonical)
		o.Hash = hex.EncodeToString(sum[:])
		hashes[i] = o.Hash
		bytes += int64(4*len(canonical)) + 256 // maps take a few times the text
	}
	slices.Sort(hashes)
	h := sha256.New()
	for _, one := range hashes {
		h.Write([]byte(one))
	}
	result.Digest = hex.EncodeToString(h.Sum(nil))
	return bytes, nil
}

type identity struct{ group, kind, namespace, name string }

func (id identity) String() string {
	return fmt.Sprintf("%s/%s/%s/%s", id.group, id.kind, id.namespace, id.name)
}

// dropRepeated keeps the last of objects that a cluster would take for one. An object without a namespace counts as one
// of the destination's.
func dropRepeated(result *Result, namespace string) {
	count := map[identity]int{}
	of := func(o Object) identity {
		id := identity{o.GroupVersionKind().Group, o.GetKind(), o.GetNamespace(), o.GetName()}
		if id.namespace == "" {
			id.namespace = namespace
		}
		return id
	}
	for _, o := range result.Objects {
		if o.GetName() != "" { // the others get a name of their own each time
			count[of(o)]++
		}
	}
	if len(count) == len(result.Objects) {
		return
	}
	left := map[identity]int{}
	result.Objects = slices.DeleteFunc(result.Objects, func(o Object) bool {
		id := of(o)
		if count[id] < 2 {
			return false
		}
		left[id]++
		if left[id] < count[id] {
			return true
		}
		result.Warnings = append(result.Warnings, Warning{
			Reason: WarningRepeated, File: o.File,
			Message: fmt.Sprintf("Resource %s appeared %d times among application resources; the last one, in %s, counts.",
				id, count[id], o.File),
		})
		return false
	})
}
