package cluster

import (
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// graveLife is how long a deleted object's uid is remembered: longer than an answer of the API server can be on its way.
const graveLife = 2 * time.Minute

// graves remembers the uids of objects deleted lately, so that an older state of one, arriving late over another
// connection, does not bring it back. Uids are never used twice.
type graves struct {
	died map[types.UID]time.Time
	next time.Time // when to look for old entries again
}

func (g *graves) bury(uid types.UID, now time.Time) {
	if g.died == nil {
		g.died = make(map[types.UID]time.Time)
	}
	if now.After(g.next) {
		for uid, at := range g.died {
			if now.Sub(at) > graveLife {
				delete(g.died, uid)
			}
		}
		g.next = now.Add(graveLife)
	}
	g.died[uid] = now
}

func (g *graves) holds(uid types.UID, now time.Time) bool {
	at, ok := g.died[uid]
	return ok && now.Sub(at) <= graveLife
}
