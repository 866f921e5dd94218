package registry

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"

	"github.com/fairlead-cd/fairlead/internal/source"
	"github.com/fairlead-cd/fairlead/internal/source/ask"
)

// Bounds of what a registry may send.
const (
	maxManifest = 4 << 20
	maxPage     = 8 << 20
	maxPages    = 1000
	maxTags     = 200_000
	pageSize    = 1000
)

const userAgent = "fairlead"

// Client reads from one registry with one set of credentials. It is safe for concurrent use. Close it.
type Client struct {
	repo source.Repository // in its normal form
	host string
	base string // folder of the registry, without slashes at the ends
	http *http.Client
	auth *auth.Client
}

// Manifest is what a tag or digest names.
type Manifest struct {
	// Digest of the manifest itself, such as sha256:….
	Digest string
	// Config and Layers as the manifest lists them.
	Config ocispec.Descriptor
	Layers []ocispec.Descriptor
	// ArtifactType and Annotations of the manifest.
	ArtifactType string
	Annotations  map[string]string
}

// New prepares a client for a repository whose URL is oci://host/folder. It contacts nobody. env gives the proxies, see
// source.Repository.HTTPClient; silence is how long the registry may say nothing. The error is a *source.Error.
func New(repo source.Repository, env []string, silence time.Duration) (*Client, error) {
	repo, err := repo.Normal()
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(repo.URL)
	if err != nil || u.Scheme != "oci" {
		return nil, repo.Failure(source.ErrInvalidRepository, nil, "a registry's URL begins with oci://")
	}
	client, err := repo.HTTPClient(env)
	if err != nil {
		return nil, repo.Failure(source.ErrInvalidRepository, err, "%v", err)
	}
	client.Transport = ask.Patient{RoundTripper: client.Transport, Silence: silence}
	if !repo.PlainHTTP {
		client.Transport = encrypted{client.Transport}
	}
	c := &Client{repo: repo, host: u.Host, base: strings.Trim(u.Path, "/"), http: client}
	ref := registry.Reference{Registry: c.host}
	if err := ref.ValidateRegistry(); err != nil {
		return nil, repo.Failure(source.ErrInvalidRepository, nil, "the host of the URL is not that of a registry")
	}
	c.auth = &auth.Client{
		Client: client,
		Header: http.Header{"User-Agent": {userAgent}},
		Cache:  auth.NewCache(),
		// The registry's administrator chooses the token service, which may well be inside of the cluster or on this
		// machine. Addresses that no token service has, such as the cloud's metadata service, stay refused.
		BlockedRealmPrefixes: blockedRealms(),
	}
	if credential := c.credential(); credential != auth.EmptyCredential {
		c.auth.Credential = auth.StaticCredential(ref.Host(), credential)
	}
	if repo.ForceBasicAuth && repo.BearerToken == "" && repo.Username != "" {
		// As if the registry had asked for it already.
		pair := base64.StdEncoding.EncodeToString([]byte(repo.Username + ":" + repo.Password))
		_, err := c.auth.Cache.Set(context.Background(), ref.Host(), auth.SchemeBasic, "",
			func(context.Context) (string, error) { return pair, nil })
		if err != nil {
			return nil, repo.Failure(source.ErrInvalidRepository, nil, "preparing the login: %v", err)
		}
	}
	return c, nil
}

func (c *Client) credential() auth.Credential {
	if c.repo.BearerToken != "" {
		return auth.Credential{AccessToken: c.repo.BearerToken}
	}
	return auth.Credential{Username: c.repo.Username, Password: c.repo.Password}
}

// blockedRealms are the addresses that a token service cannot have: those of the client's defaults without loopback.
func blockedRealms() []netip.Prefix {
	var blocked []netip.Prefix
	for _, p := range auth.DefaultBlockedRealmPrefixes() {
		if !p.Addr().IsLoopback() {
			blocked = append(blocked, p)
		}
	}
	return blocked
}

// encrypted refuses every address without encryption, such as that of a token service.
type encrypted struct{ http.RoundTripper }

var errPlain = errors.New("the registry sends to an address without encryption")

func (e encrypted) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" {
		return nil, errPlain
	}
	return e.RoundTripper.RoundTrip(r)
}

// CloseIdleConnections is found by http.Client.
func (e encrypted) CloseIdleConnections() {
	if t, ok := e.RoundTripper.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

// Close ends idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Repository is the description the client was made for, in its normal form.
func (c *Client) Repository() source.Repository { return c.repo }

// at is the repository below the client's folder.
func (c *Client) at(name string) (*remote.Repository, error) {
	path := c.base
	if name = strings.Trim(name, "/"); name != "" {
		path = strings.TrimPrefix(path+"/"+name, "/")
	}
	ref := registry.Reference{Registry: c.host, Repository: path}
	if err := ref.ValidateRepository(); err != nil {
		return nil, c.repo.Failure(source.ErrInvalidRepository, nil, "%q is not a name that a registry can have", path)
	}
	return &remote.Repository{
		Client: c.auth, Reference: ref, PlainHTTP: c.repo.PlainHTTP,
		TagListPageSize: pageSize, TagListMaxPages: maxPages, MaxMetadataBytes: maxPage,
	}, nil
}

// Ping finds out whether the registry can be reached and takes the credentials.
func (c *Client) Ping(ctx context.Context) error {
	r := &remote.Registry{RepositoryOptions: remote.RepositoryOptions{
		Client: c.auth, Reference: registry.Reference{Registry: c.host}, PlainHTTP: c.repo.PlainHTTP,
	}}
	return c.explain(ctx, r.Ping(ctx), "asking for the registry")
}

// Tags lists the tags of a repository below the client's folder; an empty name is the folder itself.
func (c *Client) Tags(ctx context.Context, name string) ([]string, error) {
	r, err := c.at(name)
	if err != nil {
		return nil, err
	}
	var all []string
	err = r.Tags(ctx, "", func(page []string) error {
		all = append(all, page...)
		if len(all) > maxTags {
			return c.repo.Failure(source.ErrTooLarge, nil, "there are more than %d tags", maxTags)
		}
		return nil
	})
	return all, c.explain(ctx, err, "listing the tags of %s", r.Reference.Repository)
}

// Digest asks for the digest of a tag.
func (c *Client) Digest(ctx context.Context, name, tag string) (string, error) {
	r, err := c.at(name)
	if err != nil {
		return "", err
	}
	desc, err := r.Resolve(ctx, tag)
	if err != nil {
		return "", c.explain(ctx, err, "asking for %s:%s", r.Reference.Repository, tag)
	}
	return desc.Digest.String(), nil
}

// Manifest reads the manifest of a tag or digest.
func (c *Client) Manifest(ctx context.Context, name, reference string) (Manifest, error) {
	r, err := c.at(name)
	if err != nil {
		return Manifest{}, err
	}
	desc, body, err := r.Manifests().FetchReference(ctx, reference)
	if err != nil {
		return Manifest{}, c.explain(ctx, err, "asking for %s:%s", r.Reference.Repository, reference)
	}
	defer body.Close()
	if desc.Size > maxManifest {
		return Manifest{}, c.repo.Failure(source.ErrTooLarge, nil, "the manifest of %s has %d bytes", reference, desc.Size)
	}
	raw, err := content.ReadAll(body, desc)
	if err != nil {
		return Manifest{}, c.explain(ctx, err, "reading the manifest of %s:%s", r.Reference.Repository, reference)
	}
	var m ocispec.Manifest
	switch err := json.Unmarshal(raw, &m); {
	case desc.MediaType == ocispec.MediaTypeImageIndex || strings.Contains(desc.MediaType, "manifest.list"):
		return Manifest{}, c.repo.Failure(source.ErrRevisionNotFound, nil,
			"%s is an index of several images; one image with one layer is wanted", reference)
	case err != nil:
		return Manifest{}, c.repo.Failure(source.ErrDamaged, nil, "the manifest of %s cannot be read: %v", reference, err)
	}
	return Manifest{
		Digest: desc.Digest.String(), Config: m.Config, Layers: m.Layers,
		ArtifactType: m.ArtifactType, Annotations: m.Annotations,
	}, nil
}

// Blob reads a blob of at most limit bytes and verifies it.
func (c *Client) Blob(ctx context.Context, name string, desc ocispec.Descriptor, limit int64) ([]byte, error) {
	r, err := c.at(name)
	if err != nil {
		return nil, err
	}
	switch {
	case desc.Size > limit:
		return nil, c.repo.Failure(source.ErrTooLarge, nil,
			"the layer %s has %d bytes, the limit is %d", desc.Digest, desc.Size, limit)
	case desc.Digest.Validate() != nil || desc.Digest.Algorithm() != digest.SHA256 || desc.Size < 0:
		return nil, c.repo.Failure(source.ErrDamaged, nil, "the layer %q has no usable sha256 digest", desc.Digest)
	}
	body, err := r.Blobs().Fetch(ctx, desc)
	if err != nil {
		return nil, c.explain(ctx, err, "asking for the layer %s of %s", desc.Digest, r.Reference.Repository)
	}
	defer body.Close()
	data, err := content.ReadAll(io.LimitReader(body, limit+1), desc)
	return data, c.explain(ctx, err, "reading the layer %s of %s", desc.Digest, r.Reference.Repository)
}
