package settings

import (
	"net/url"
	"strings"
)

// NormalizeURL gives the form of a repository's address in which two spellings of the same repository are equal: lower
// case, without the suffix .git, user@host:path like ssh://user@host/path, and host/path like oci://host/path. It gives ""
// for a text that is no address.
// The result serves for comparison only.
func NormalizeURL(address string) string {
	s := strings.ToLower(strings.TrimSpace(address))
	if isSSH(s) && !strings.HasPrefix(s, "ssh://") {
		// In user@host:path the colon begins the path; in a URL it would begin a port.
		s = "ssh://" + strings.Replace(s, ":", "/", 1)
	}
	if s != "" && !strings.Contains(s, "://") {
		s = "oci://" + s // registries are written with or without a scheme
	}
	u, err := url.Parse(strings.TrimSuffix(s, ".git"))
	if err != nil {
		return ""
	}
	return strings.TrimPrefix(strings.TrimPrefix(u.String(), "ssh://"), "oci://")
}

// isSSH tells whether the address has a user before its host and no other scheme than ssh.
func isSSH(address string) bool {
	user, host, ok := strings.Cut(strings.TrimPrefix(address, "ssh://"), "@")
	return ok && host != "" && !strings.Contains(host, "@") && !strings.ContainsAny(user, "/:")
}

// hostOf gives the host of a repository's address without its port, and "" when there is none.
func hostOf(address string) string {
	s := strings.ToLower(strings.TrimSpace(address))
	if isSSH(s) && !strings.HasPrefix(s, "ssh://") {
		s = "ssh://" + strings.Replace(s, ":", "/", 1)
	}
	if !strings.Contains(s, "://") {
		s = "//" + s // registries of charts are written without a scheme
	}
	u, err := url.Parse(s)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// RepositoryKey gives what is equal for all addresses of one repository, however it is reached: its host and its path,
// as in github.com/group/name, without scheme, user, port and the prefixes ssh. and altssh. of hosts that serve SSH beside
// their page. Webhooks tell the page's address, Applications state the one to fetch from. It gives "" for a text that is
// no address.
func RepositoryKey(address string) string {
	_, rest, ok := strings.Cut(NormalizeURL(address), "://")
	if !ok {
		rest = NormalizeURL(address)
	}
	host, path, ok := strings.Cut(rest, "/")
	path = strings.Trim(path, "/")
	if !ok || path == "" {
		return ""
	}
	host = host[strings.LastIndexByte(host, '@')+1:]
	if !strings.HasPrefix(host, "[") || strings.Contains(host, "]:") {
		if at := strings.LastIndexByte(host, ':'); at >= 0 {
			host = host[:at]
		}
	}
	for _, prefix := range []string{"ssh.", "altssh."} {
		host = strings.TrimPrefix(host, prefix)
	}
	return host + "/" + path
}

// RepositoryKeys are the keys of what a source is read from: of the repository, and of the chart in it, which is an
// artifact of its own in a registry.
func RepositoryKeys(address, chart string) []string {
	var keys []string
	if key := RepositoryKey(address); key != "" {
		keys = append(keys, key)
	}
	if chart != "" {
		if key := RepositoryKey(strings.TrimSuffix(address, "/") + "/" + chart); key != "" {
			keys = append(keys, key)
		}
	}
	return keys
}
