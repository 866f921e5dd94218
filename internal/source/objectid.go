package source

import (
	"encoding/hex"
	"fmt"
)

// ObjectID is the id of a Git object: a blob, a tree or a commit. It is comparable.
type ObjectID [20]byte

// String is the id in hexadecimal.
func (id ObjectID) String() string { return hex.EncodeToString(id[:]) }

// Identity is the id as a string of bytes, shorter than String. Equal identities mean equal content.
func (id ObjectID) Identity() string { return string(id[:]) }

// ViewID is the identity of an object whose content is shown in a way that depends on how its repository is configured:
// with the objects of Git LFS, or without submodules.
type ViewID struct {
	ObjectID
	View string
}

// Identity is the id as a string. Equal identities mean equal content.
func (id ViewID) Identity() string { return id.View + "\x00" + id.ObjectID.Identity() }

func (m *Mirrors) viewOf(repo Repository) string {
	view := ""
	if repo.EnableLFS {
		view = "lfs"
	}
	if m.o.WithoutSubmodules {
		view += "flat"
	}
	return view
}

// ParseObjectID reads a full id in hexadecimal.
func ParseObjectID(s string) (ObjectID, error) {
	var id ObjectID
	if len(s) != hex.EncodedLen(len(id)) {
		return id, fmt.Errorf("%q is not a git object id: it has %d characters instead of %d", s, len(s), hex.EncodedLen(len(id)))
	}
	if _, err := hex.Decode(id[:], []byte(s)); err != nil {
		return id, fmt.Errorf("%q is not a git object id: %w", s, err)
	}
	return id, nil
}

// isHex reports whether s has only hexadecimal digits.
func isHex(s string) bool {
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return s != ""
}
