package source

import (
	"github.com/maypok86/otter/v2"
)

// objectKey names an object of one mirror. Mirrors do not share objects in memory either: an object of somebody else's
// repository must not be readable by knowing its id.
type objectKey struct {
	mirror *mirror
	id     ObjectID
	of     aspect
}

// aspect says what of an object is kept.
type aspect uint8

const (
	ofObject aspect = iota // the object itself
	ofSize                 // the size of a blob
	ofLFS                  // what a blob points to
)

// cached is a parsed folder or commit, a file, or the size of one.
type cached struct {
	tree   tree
	commit *Commit
	blob   []byte // must not be changed
	size   int64
}

// objectCache keeps what has been read, bounded by bytes. It is safe for concurrent use.
type objectCache struct {
	kept    *otter.Cache[objectKey, cached]
	largest int64 // a blob above this is not kept
}

func newObjectCache(bytes int64) *objectCache {
	return &objectCache{
		largest: bytes / 32,
		kept: otter.Must(&otter.Options[objectKey, cached]{
			MaximumWeight: uint64(bytes),
			Weigher: func(_ objectKey, c cached) uint32 {
				n := 160 + len(c.blob)
				for _, e := range c.tree {
					n += 48 + len(e.name) + 9
				}
				if c.commit != nil {
					n += 200 + len(c.commit.Message)
				}
				return uint32(n)
			},
		}),
	}
}

func (c *objectCache) get(key objectKey) (cached, bool) { return c.kept.GetIfPresent(key) }

func (c *objectCache) put(key objectKey, value cached) {
	if int64(len(value.blob)) <= c.largest {
		c.kept.Set(key, value)
	}
}

func (c *objectCache) close() {
	c.kept.InvalidateAll()
	c.kept.StopAllGoroutines()
}
