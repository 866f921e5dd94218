package remote

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/repo"
)

// Names of the service.
const (
	serviceName  = "fairlead.repo.v1"
	pollMethod   = "/" + serviceName + "/Poll"
	renderMethod = "/" + serviceName + "/Render"
)

type pollCall struct {
	Origin repo.Origin
}

type pollAnswer struct {
	Changed bool       `json:",omitempty"`
	Error   *wireError `json:",omitempty"`
}

type renderCall struct {
	// Request without its APIVersions.
	Request repo.Request
	// APIs is the hash of the APIVersions, which follow when the server has asked for them.
	APIs        string
	APIVersions []string `json:",omitempty"`
	// Have is the tag of the result that the caller holds, or empty.
	Have string `json:",omitempty"`
}

// renderAnswer has the result as its body, unless the caller has it.
type renderAnswer struct {
	// WantAPIs: send the call again, with the list.
	WantAPIs  bool          `json:",omitempty"`
	Unchanged bool          `json:",omitempty"`
	Sources   []repo.Source `json:",omitempty"`
	Tag       string        `json:",omitempty"`
	Error     *wireError    `json:",omitempty"`
}

// hashOfAPIs names a list of what a cluster serves.
func hashOfAPIs(versions []string) string { return sum(strings.Join(versions, "\n")) }

// tagOf names a result with all that callers see of it. The digest alone says nothing of files and warnings.
func tagOf(r *render.Result) string {
	h := sha256.New()
	write := func(parts ...string) {
		for _, part := range parts {
			h.Write([]byte(strconv.Itoa(len(part))))
			h.Write([]byte{':'})
			h.Write([]byte(part))
		}
	}
	write(r.Digest, string(r.SourceType), strconv.Itoa(len(r.Objects)))
	for _, o := range r.Objects {
		write(o.Hash, o.File, strconv.Itoa(o.Line))
	}
	for _, w := range r.Warnings {
		write(string(w.Reason), w.File, w.Message)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// identity names everything in a request that a result depends on, but for the state of the repositories.
func identity(req repo.Request, apis string) (string, error) {
	req.APIVersions, req.MaxAge, req.NoCache, req.RetryErrors = nil, nil, false, false
	encoded, err := json.Marshal(req)
	if err != nil {
		return "", fmt.Errorf("encoding a request: %w", err)
	}
	return sum(apis + string(encoded)), nil
}

func sum(text string) string {
	hash := sha256.Sum256([]byte(text))
	return hex.EncodeToString(hash[:])
}

// routeOf is the repository whose server gets a call: that of the first source with files to render.
func routeOf(sources v1alpha1.ApplicationSources) string {
	for i := range sources {
		if !sources[i].IsRefOnly() {
			return sources[i].RepoURL
		}
	}
	return ""
}
