package source

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/maphash"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// Repository is what is needed to reach one repository: of Git, of Helm charts, or in an OCI registry. The zero values
// of all fields but URL mean "none".
type Repository struct {
	// URL of the repository: http, https, file or ssh, or the short form user@host:path of ssh, or oci. User and
	// password in it count as Username and Password where these are empty.
	URL string
	// Username and Password are sent by basic authentication. A Password alone is sent with the user "git".
	Username, Password string
	// BearerToken is sent as "Authorization: Bearer" and goes before Username and Password.
	BearerToken string
	// SSHPrivateKey is a private key in OpenSSH or PEM form, for ssh.
	SSHPrivateKey []byte
	// SSHKnownHosts are lines of a known_hosts file. Without them and without Insecure no ssh host is trusted.
	SSHKnownHosts []byte
	// Insecure accepts any certificate and any host key.
	Insecure bool
	// CAData are PEM certificates of authorities to trust instead of the system's.
	CAData []byte
	// TLSClientCert and TLSClientKey are a PEM certificate and key to present to the server.
	TLSClientCert, TLSClientKey []byte
	// Proxy is the URL of an HTTP proxy; NoProxy lists hosts reached without it, as the environment variables of
	// that name do. Without Proxy those of Options.Env count.
	Proxy, NoProxy string
	// ForceBasicAuth sends user and password to a registry with the first request instead of when it asks for them. To
	// all others they are sent so anyway.
	ForceBasicAuth bool
	// PassCredentials sends the credentials of a Helm repository to other servers too that hold its charts.
	PassCredentials bool
	// OCI says that the repository is in an OCI registry, also when its URL has no scheme.
	OCI bool
	// PlainHTTP reaches an OCI registry without encryption.
	PlainHTTP bool
	// GitHubAppID and GitHubAppPrivateKey, an RSA key in PEM form, name a GitHub App, whose token is sent in place of
	// a password. GitHubAppInstallationID is the installation; zero finds that of the owner in the URL. The API is
	// at GitHubAppBaseURL, such as https://ghe.example.com/api/v3; empty for GitHub's own.
	GitHubAppID, GitHubAppInstallationID int64
	GitHubAppPrivateKey                  []byte
	GitHubAppBaseURL                     string
	// GCPServiceAccountKey is the JSON key of a Google Cloud service account, whose token is sent as the password.
	GCPServiceAccountKey []byte
	// EnableLFS shows the objects of Git LFS in the place of the files that point to them.
	EnableLFS bool
	// Depth, when it is positive, fetches only so many commits of each branch and tag.
	Depth int64
	// CredentialID names the credentials when their secret part changes by itself (short-lived tokens), so that a
	// new token finds the mirror of the old one. Two Repositories with one CredentialID must have the same rights.
	CredentialID string
	// Project that the repository's configuration belongs to; for information only.
	Project string
}

// Key identifies the repository and the credentials: equal keys mean the same rights to the same content. It is a hash
// that depends on the secrets, so keep it in memory. Short-lived tokens that are made from the credentials are no part
// of it; the private key that makes them is, since the id of an app alone gives nobody a right.
func (r Repository) Key() string {
	r, _ = r.normalize()
	secrets := []string{
		r.Password, r.BearerToken, string(r.SSHPrivateKey), string(r.TLSClientCert), string(r.TLSClientKey),
		string(r.GitHubAppPrivateKey), string(r.GCPServiceAccountKey),
	}
	if r.CredentialID != "" {
		secrets = []string{"id", r.CredentialID}
	}
	h := sha256.New()
	insecure := "verified"
	if r.Insecure {
		insecure = "insecure"
	}
	for _, flag := range r.flags() {
		insecure += " " + flag
	}
	fields := append(secrets, r.URL, r.Username, string(r.SSHKnownHosts), insecure, string(r.CAData),
		r.Proxy, r.NoProxy, strconv.FormatInt(r.GitHubAppID, 10), strconv.FormatInt(r.GitHubAppInstallationID, 10),
		r.GitHubAppBaseURL, strconv.FormatBool(r.EnableLFS), strconv.FormatInt(r.Depth, 10))
	for _, f := range fields {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(f)))
		h.Write(n[:])
		h.Write([]byte(f))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// flags are the names of the options that are on and make a difference to what is sent to whom.
func (r *Repository) flags() []string {
	var on []string
	for _, f := range []struct {
		name string
		on   bool
	}{{"basic", r.ForceBasicAuth}, {"pass", r.PassCredentials}, {"oci", r.OCI}, {"plain", r.PlainHTTP}} {
		if f.on {
			on = append(on, f.name)
		}
	}
	return on
}

// quickHash is a hash of all fields that is cheap enough for every call.
func (r *Repository) quickHash(seed maphash.Seed) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	for _, s := range []string{
		r.URL, r.Username, r.Password, r.BearerToken, r.Proxy, r.NoProxy, r.CredentialID, r.Project, r.GitHubAppBaseURL,
	} {
		h.WriteString(s)
		h.WriteByte(0)
	}
	for _, flag := range r.flags() {
		h.WriteString(flag)
	}
	h.WriteByte(0)
	for _, b := range [][]byte{
		r.SSHPrivateKey, r.SSHKnownHosts, r.CAData, r.TLSClientCert, r.TLSClientKey, r.GitHubAppPrivateKey, r.GCPServiceAccountKey,
	} {
		h.Write(b)
		h.WriteByte(0)
	}
	maphash.WriteComparable(&h, [3]int64{r.GitHubAppID, r.GitHubAppInstallationID, r.Depth})
	maphash.WriteComparable(&h, [2]bool{r.Insecure, r.EnableLFS})
	return h.Sum64()
}

// equal reports whether all fields are the same.
func (r *Repository) equal(o *Repository) bool {
	return r.URL == o.URL && r.Username == o.Username && r.Password == o.Password && r.BearerToken == o.BearerToken &&
		r.Insecure == o.Insecure && r.Proxy == o.Proxy && r.NoProxy == o.NoProxy && r.CredentialID == o.CredentialID &&
		r.Project == o.Project && r.ForceBasicAuth == o.ForceBasicAuth && r.PassCredentials == o.PassCredentials &&
		r.OCI == o.OCI && r.PlainHTTP == o.PlainHTTP &&
		r.GitHubAppID == o.GitHubAppID && r.GitHubAppInstallationID == o.GitHubAppInstallationID &&
		r.GitHubAppBaseURL == o.GitHubAppBaseURL && r.EnableLFS == o.EnableLFS && r.Depth == o.Depth &&
		bytes.Equal(r.GitHubAppPrivateKey, o.GitHubAppPrivateKey) &&
		bytes.Equal(r.GCPServiceAccountKey, o.GCPServiceAccountKey) && bytes.Equal(r.SSHPrivateKey, o.SSHPrivateKey) &&
		bytes.Equal(r.SSHKnownHosts, o.SSHKnownHosts) && bytes.Equal(r.CAData, o.CAData) &&
		bytes.Equal(r.TLSClientCert, o.TLSClientCert) && bytes.Equal(r.TLSClientKey, o.TLSClientKey)
}

// scpLike matches user@host:path, git's short form of an ssh URL.
var scpLike = regexp.MustCompile(`^([A-Za-z0-9._-]+@)?([A-Za-z0-9._-]+):([^/].*|/[^/].*)$`)

// normalize checks the URL and brings it into one form: lower-case scheme and host, no user and password, no slash at
// the end. The short form of ssh stays when its path does not begin with a slash, because such a path begins in the
// user's home and not at the root. The second result is the error as a detail for the user.
func (r Repository) normalize() (Repository, error) {
	raw := strings.TrimSpace(r.URL)
	if r.OCI && !strings.Contains(raw, "://") {
		raw = "oci://" + raw
	}
	if before, _, ok := strings.Cut(raw, "::"); ok && !strings.ContainsAny(before, "/[") {
		return r, fmt.Errorf("git's transport helpers are not allowed")
	}
	short := false
	if m := scpLike.FindStringSubmatch(raw); m != nil && !strings.Contains(raw, "://") {
		short = m[3][0] != '/'
		if !short {
			m[3] = m[3][1:]
		}
		// The path of the short form is no part of a URL: a percent sign or a question mark in it means itself.
		raw = "ssh://" + m[1] + m[2] + "/" + (&url.URL{Path: m[3]}).EscapedPath()
	}
	u, err := url.Parse(raw)
	if err != nil {
		return r, fmt.Errorf("the URL cannot be parsed") // the parser's error repeats the URL, password and all
	}
	u.Scheme, u.Host = strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	switch u.Scheme {
	case "http", "https", "ssh", "oci":
		r.OCI = r.OCI || u.Scheme == "oci"
		if u.Hostname() == "" || strings.HasPrefix(u.Host, "-") {
			return r, fmt.Errorf("the URL names no host")
		}
	case "file":
		if u.Host != "" && u.Host != "localhost" || !path.IsAbs(u.Path) {
			return r, fmt.Errorf("a file URL must name an absolute path, as in file:///srv/git/demo.git")
		}
		u.Host = ""
	default:
		return r, fmt.Errorf("scheme %q is not supported, use https, http, ssh, file or oci", u.Scheme)
	}
	if u.User != nil {
		if r.Username == "" {
			r.Username = u.User.Username()
		}
		if password, ok := u.User.Password(); ok && r.Password == "" {
			r.Password = password
		}
		u.User = nil
	}
	u.Fragment, u.RawFragment = "", ""
	if p := strings.TrimRight(u.Path, "/"); p != u.Path {
		u.Path, u.RawPath = p, strings.TrimRight(u.RawPath, "/")
	}
	if strings.HasPrefix(strings.TrimPrefix(u.Path, "/"), "-") {
		return r, fmt.Errorf("the path of the URL begins with a dash")
	}
	if strings.ContainsAny(r.Username, "\r\n\x00") || strings.ContainsAny(r.Password+r.BearerToken, "\r\n\x00") {
		return r, fmt.Errorf("user, password or token contain line breaks")
	}
	if u.Scheme == "ssh" && (strings.ContainsAny(r.Username, "/: \t") || strings.HasPrefix(r.Username, "-")) {
		return r, fmt.Errorf("the user is not one that ssh can have")
	}
	r.URL = u.String()
	if short {
		r.URL = u.Host + ":" + strings.TrimPrefix(u.Path, "/")
	}
	return r, nil
}

// scheme of the normalized URL.
func (r Repository) scheme() string {
	scheme, _, ok := strings.Cut(r.URL, "://")
	if !ok {
		return "ssh"
	}
	return scheme
}

// git reports whether the repository can be one of Git.
func (r Repository) git() error {
	if r.scheme() == "oci" {
		return fmt.Errorf("a registry (oci://) holds no Git repository")
	}
	return nil
}

// withUser is the normalized URL with the user that ssh needs in it.
func (r Repository) withUser() string {
	if r.scheme() != "ssh" || r.Username == "" {
		return r.URL
	}
	if rest, ok := strings.CutPrefix(r.URL, "ssh://"); ok {
		return "ssh://" + url.User(r.Username).String() + "@" + rest
	}
	return r.Username + "@" + r.URL
}

func (r Repository) overHTTP() bool { return r.scheme() == "http" || r.scheme() == "https" }

// authorization is the value of the HTTP header of that name, or empty.
func (r Repository) authorization() string {
	switch {
	case r.BearerToken != "":
		return "Bearer " + r.BearerToken
	case r.Password != "" || r.Username != "":
		user := r.Username
		if user == "" {
			user = "git"
		}
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+r.Password))
	}
	return ""
}

var userinfo = regexp.MustCompile(`://[^/\s]*@`)

// redact takes everything secret out of a text that git or a library printed.
func (r Repository) redact(text string) string {
	secrets := []string{r.Password, url.QueryEscape(r.Password), url.PathEscape(r.Password), r.BearerToken}
	if _, credentials, ok := strings.Cut(r.authorization(), " "); ok {
		secrets = append(secrets, credentials)
	}
	for _, s := range secrets {
		if s != "" {
			text = strings.ReplaceAll(text, s, "***")
		}
	}
	return userinfo.ReplaceAllString(text, "://***@")
}

// fail makes an Error about a normalized repository.
func (r Repository) fail(reason error, cause error, format string, args ...any) *Error {
	return &Error{URL: r.URL, Reason: reason, Detail: r.redact(fmt.Sprintf(format, args...)), Err: cause}
}

// invalid makes the Error for a repository that cannot be normalized. Whatever may be a password is left out of the URL.
func (r Repository) invalid(problem error) *Error {
	shown := r.URL
	if at := strings.LastIndex(shown, "@"); at >= 0 {
		scheme, _, _ := strings.Cut(shown, "://")
		shown = scheme + "://***@" + shown[at+1:]
	}
	return &Error{URL: shown, Reason: ErrInvalidRepository, Detail: problem.Error()}
}

// WithoutCredentials is a URL of a repository as it may be shown.
func WithoutCredentials(url string) string { return userinfo.ReplaceAllString(url, "://***@") }
