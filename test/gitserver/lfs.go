package gitserver

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

const lfsMediaType = "application/vnd.git-lfs+json"

// LFS is a server of Git LFS objects beside a Server: it speaks the batch API for every repository and demands the
// credentials that the Server demands.
type LFS struct {
	server *Server

	mu        sync.Mutex
	objects   map[string][]byte
	store     string
	downloads int
	damaged   bool
	ticket    string
}

// lfsStore is the path below which objects are downloaded.
const lfsStore = "/lfs-objects/"

// LFS starts serving objects for the given repository.
func (s *Server) LFS(r *Repo) *LFS {
	l := &LFS{server: s, objects: map[string][]byte{}, store: s.url}
	s.Handle("/"+r.Name+"/info/lfs/objects/batch", http.HandlerFunc(l.batch))
	s.Handle(lfsStore, http.HandlerFunc(l.download))
	return l
}

// Put keeps an object, and gives the text of the file that points to it.
func (l *LFS) Put(content string) (pointer string) {
	sum := sha256.Sum256([]byte(content))
	oid := hex.EncodeToString(sum[:])
	l.mu.Lock()
	defer l.mu.Unlock()
	l.objects[oid] = []byte(content)
	return fmt.Sprintf("version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize %d\n", oid, len(content))
}

// Damage changes what is downloaded from now on.
func (l *LFS) Damage(yes bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.damaged = yes
}

// StoreAt has objects downloaded from another server's address; see Server.ServeObjects.
func (l *LFS) StoreAt(url string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.store = url
}

// ServeObjects has another server give the objects, as a store beside the LFS server does: it wants the header that the
// LFS server states, and no other credentials.
func (l *LFS) ServeObjects(at *Server) {
	at.Handle(lfsStore, http.HandlerFunc(l.download))
	l.StoreAt(at.url)
}

// Downloads is how many objects have been downloaded.
func (l *LFS) Downloads() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.downloads
}

// Grant gives what git-lfs-authenticate prints: the address of the server and a header that lets in for a while.
func (l *LFS) Grant(r *Repo) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ticket = "RemoteAuth ticket"
	out, _ := json.Marshal(map[string]any{
		"href": l.server.url + "/" + r.Name + "/info/lfs", "header": map[string]string{"Authorization": l.ticket}, "expires_in": 600,
	})
	return out
}

func (l *LFS) allowed(r *http.Request) bool {
	l.server.mu.Lock()
	accepts := l.server.accepts
	l.server.mu.Unlock()
	return accepts.allow(r) || l.ticket != "" && equal(r.Header.Get("Authorization"), l.ticket)
}

func (l *LFS) batch(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.allowed(r) {
		w.Header().Set("LFS-Authenticate", `Basic realm="lfs"`)
		refuse(w, http.StatusUnauthorized, "Credentials needed")
		return
	}
	var request struct {
		Operation string   `json:"operation"`
		Transfers []string `json:"transfers"`
		Objects   []struct {
			OID  string `json:"oid"`
			Size int64  `json:"size"`
		} `json:"objects"`
	}
	if r.Method != http.MethodPost || r.Header.Get("Accept") != lfsMediaType || r.Header.Get("Content-Type") != lfsMediaType ||
		json.NewDecoder(r.Body).Decode(&request) != nil || request.Operation != "download" {
		refuse(w, http.StatusUnprocessableEntity, "not a batch request")
		return
	}
	var objects []any
	for _, o := range request.Objects {
		one := map[string]any{"oid": o.OID, "size": o.Size}
		if content, ok := l.objects[o.OID]; ok && int64(len(content)) == o.Size {
			action := map[string]any{"href": l.store + lfsStore + o.OID, "expires_at": time.Now().Add(time.Hour).UTC().Format(time.RFC3339)}
			if l.store != l.server.url {
				action["header"] = map[string]string{"X-Ticket": "for " + o.OID}
				one["authenticated"] = true
			}
			one["actions"] = map[string]any{"download": action}
		} else {
			one["error"] = map[string]any{"code": 404, "message": "Object does not exist"}
		}
		objects = append(objects, one)
	}
	w.Header().Set("Content-Type", lfsMediaType)
	_ = json.NewEncoder(w).Encode(map[string]any{"transfer": "basic", "objects": objects})
}

func (l *LFS) download(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	oid := strings.TrimPrefix(r.URL.Path, lfsStore)
	content, ok := l.objects[oid]
	switch {
	case l.store != l.server.url && (r.Header.Get("X-Ticket") != "for "+oid || r.Header.Get("Authorization") != ""):
		refuse(w, http.StatusBadRequest, "Only one auth mechanism allowed")
	case l.store == l.server.url && !l.allowed(r):
		refuse(w, http.StatusUnauthorized, "Credentials needed")
	case !ok:
		refuse(w, http.StatusNotFound, "Not Found")
	default:
		l.downloads++
		if l.damaged {
			content = append([]byte("X"), content[1:]...)
		}
		_, _ = w.Write(content)
	}
}
