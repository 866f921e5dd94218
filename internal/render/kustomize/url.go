package kustomize

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strings"
)

// gitURL is an entry of a kustomization that names a folder in a Git repository.
type gitURL struct {
	// repository is what git clones: https, http, ssh or the scp form.
	repository string
	// folder in the repository, "." for its root.
	folder string
	// revision is empty for HEAD.
	revision string
}

var errFileURL = errors.New("repositories of the local disk (file://) cannot be bases; use https or ssh")

// userPrefix is the user of a URL or of the scp form.
var userPrefix = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9-]*@`)

// schemes that Kustomize takes for Git repositories.
const (
	schemeSSH   = "ssh://"
	schemeHTTPS = "https://"
	schemeHTTP  = "http://"
	schemeFile  = "file://"
)

// cutScheme takes the scheme, in lower case, from a URL.
func cutScheme(s string) (scheme, rest string) {
	for _, scheme := range []string{schemeSSH, schemeHTTPS, schemeHTTP, schemeFile} {
		if rest, ok := cutFold(s, scheme); ok {
			return scheme, rest
		}
	}
	return "", s
}

// cutFold is strings.CutPrefix without regard to case.
func cutFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

// isHTTP reports whether an entry is what Kustomize would download.
func isHTTP(entry string) bool {
	scheme, _ := cutScheme(entry)
	return scheme == schemeHTTPS || scheme == schemeHTTP
}

// parseGit reads the forms that Kustomize takes for a repository. ok is false for anything else, such as local paths.
func parseGit(entry string) (u gitURL, ok bool, err error) {
	if path.IsAbs(entry) {
		return gitURL{}, false, nil
	}
	rest, query, _ := strings.Cut(entry, "?")
	rest, _ = cutFold(rest, "git::")
	scheme, rest := cutScheme(rest)
	if scheme == schemeFile {
		return gitURL{}, true, fmt.Errorf("%s: %w", entry, errFileURL)
	}
	user := userPrefix.FindString(rest)
	rest = rest[len(user):]
	_, github := cutFold(rest, "github.com/")
	if !github {
		_, github = cutFold(rest, "github.com:")
	}
	scp := scheme == "" && (user != "" || github)
	if scheme == "" && !scp {
		return gitURL{}, false, nil
	}
	host, rest := cutHost(rest, scp)
	if github {
		switch {
		case scheme == schemeSSH || user != "":
			scheme, host = "", "github.com:"
		default:
			scheme, host = schemeHTTPS, "github.com/"
		}
	}
	if host == "" {
		return gitURL{}, false, nil
	}
	repository, folder, found := cutRepository(rest)
	if !found {
		return gitURL{}, false, nil
	}
	u = gitURL{repository: scheme + user + host + repository, folder: path.Clean(strings.TrimLeft(folder, "/"))}
	if u.folder == ".." || strings.HasPrefix(u.folder, "../") {
		return gitURL{}, true, fmt.Errorf("%s: the folder lies outside of the repository", entry)
	}
	if values, err := url.ParseQuery(query); err == nil {
		if u.revision = values.Get("ref"); u.revision == "" {
			u.revision = values.Get("version")
		}
	}
	if strings.HasPrefix(u.revision, "-") || strings.ContainsAny(u.repository+u.revision, "\x00\r\n\t ") {
		return gitURL{}, true, fmt.Errorf("%q is not a URL of a repository", entry)
	}
	return u, true, nil
}

// cutHost takes the host with the separator behind it.
func cutHost(s string, scp bool) (host, rest string) {
	at := strings.IndexByte(s, '/')
	if scp {
		if colon := strings.IndexByte(s, ':'); at < 0 || colon > 0 && colon < at {
			at = colon
		}
	}
	if at < 0 {
		return "", s
	}
	return s[:at+1], s[at+1:]
}

// cutRepository splits the path behind the host into that of the repository and that of the folder in it: at a double
// slash, behind a name that ends in .git, behind the name that follows _git, or behind the second name.
func cutRepository(s string) (repository, folder string, ok bool) {
	if at := strings.Index(s, "_git/"); at >= 0 {
		end := at + len("_git/")
		name, folder, _ := strings.Cut(s[end:], "/")
		return s[:end] + name, folder, true
	}
	if repository, folder, ok := strings.Cut(s, "//"); ok {
		return repository, folder, repository != ""
	}
	if at := strings.Index(s, ".git"); at >= 0 {
		end := at + len(".git")
		return s[:end], s[end:], true
	}
	names := strings.SplitN(s, "/", 3)
	if len(names) < 2 || names[0] == "" && names[1] == "" {
		return "", "", false
	}
	if len(names) == 3 {
		folder = names[2]
	}
	return names[0] + "/" + names[1], folder, true
}

// remoteKind says how an HTTP URL in a list of resources is to be read.
type remoteKind int

const (
	remoteFile remoteKind = iota
	remoteRepository
	remoteEither
)

// kindOf tells files from repositories by the URL alone, as far as that goes. Kustomize downloads first and clones
// what is no manifest.
func kindOf(entry string) remoteKind {
	base, query, _ := strings.Cut(entry, "?")
	_, rest := cutScheme(base)
	if values, err := url.ParseQuery(query); err == nil {
		for _, key := range []string{"ref", "version", "submodules", "timeout"} {
			if values.Has(key) {
				return remoteRepository
			}
		}
	}
	switch path.Ext(base) {
	case ".yaml", ".yml", ".json":
		return remoteFile
	}
	if strings.Contains(rest, "//") || strings.Contains(rest, ".git") || strings.Contains(rest, "_git/") {
		return remoteRepository
	}
	if _, github := cutFold(rest, "github.com/"); github {
		return remoteRepository
	}
	return remoteEither
}

// withoutUser removes user and password from a URL, for messages.
func withoutUser(entry string) string {
	scheme, rest := cutScheme(entry)
	if scheme == "" {
		return entry
	}
	host, tail, _ := strings.Cut(rest, "/")
	if at := strings.LastIndexByte(host, '@'); at >= 0 {
		return scheme + host[at+1:] + "/" + tail
	}
	return entry
}
