package ociregistry

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	specs "github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"

	"github.com/fairlead-cd/fairlead/test/helmserver"
)

// Artifact is something to be pushed.
type Artifact struct {
	// Tag to push under.
	Tag string
	// ConfigType is the media type of the config, default that of images; Config its content, default {}.
	ConfigType string
	Config     []byte
	// Layers of the artifact.
	Layers []Layer
	// Annotations of the manifest.
	Annotations map[string]string
}

// Layer is a layer of an Artifact.
type Layer struct {
	// MediaType and Content of the layer.
	MediaType string
	Content   []byte
}

// repository is a client for a name, with all rights.
func (r *Registry) repository(name string) (*remote.Repository, error) {
	repo, err := remote.NewRepository(r.Host() + "/" + name)
	if err != nil {
		return nil, err
	}
	repo.PlainHTTP = !r.o.TLS
	repo.Client = &auth.Client{
		Client: r.front.Client(), Cache: auth.NewCache(), BlockedRealmPrefixes: []netip.Prefix{},
		Credential: auth.StaticCredential(r.Host(), auth.Credential{Username: r.o.Username, Password: r.o.Password}),
	}
	return repo, nil
}

// Push pushes an artifact and returns the digest of its manifest.
func (r *Registry) Push(ctx context.Context, name string, a Artifact) (string, error) {
	repo, err := r.repository(name)
	if err != nil {
		return "", fmt.Errorf("pushing %s:%s: %w", name, a.Tag, err)
	}
	blob := func(kind string, data []byte) (ocispec.Descriptor, error) {
		desc := ocispec.Descriptor{MediaType: kind, Digest: digest.FromBytes(data), Size: int64(len(data))}
		if there, err := repo.Blobs().Exists(ctx, desc); err == nil && there {
			return desc, nil
		}
		return desc, repo.Blobs().Push(ctx, desc, bytes.NewReader(data))
	}
	if a.ConfigType == "" {
		a.ConfigType = ocispec.MediaTypeImageConfig
	}
	if a.Config == nil {
		a.Config = []byte("{}")
	}
	manifest := ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest,
		Layers: []ocispec.Descriptor{}, Annotations: a.Annotations,
	}
	if manifest.Config, err = blob(a.ConfigType, a.Config); err != nil {
		return "", fmt.Errorf("pushing %s:%s: %w", name, a.Tag, err)
	}
	for _, layer := range a.Layers {
		desc, err := blob(layer.MediaType, layer.Content)
		if err != nil {
			return "", fmt.Errorf("pushing %s:%s: %w", name, a.Tag, err)
		}
		manifest.Layers = append(manifest.Layers, desc)
	}
	raw, err := json.Marshal(manifest)
	if err != nil {
		return "", fmt.Errorf("pushing %s:%s: %w", name, a.Tag, err)
	}
	desc := ocispec.Descriptor{MediaType: manifest.MediaType, Digest: digest.FromBytes(raw), Size: int64(len(raw))}
	if err := repo.PushReference(ctx, desc, bytes.NewReader(raw), a.Tag); err != nil {
		return "", fmt.Errorf("pushing %s:%s: %w", name, a.Tag, err)
	}
	return desc.Digest.String(), nil
}

// Tag gives a further tag to what a tag or digest names.
func (r *Registry) Tag(t testing.TB, name, reference, tag string) {
	t.Helper()
	repo, err := r.repository(name)
	if err != nil {
		t.Fatal(err)
	}
	desc, err := repo.Resolve(t.Context(), reference)
	if err == nil {
		err = repo.Tag(t.Context(), desc, tag)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// PushChart pushes a chart below a folder, as helm push does, and returns the digest of its manifest.
func (r *Registry) PushChart(ctx context.Context, folder string, c helmserver.Chart) (string, error) {
	archive, err := c.Pack()
	if err != nil {
		return "", fmt.Errorf("packing chart %s: %w", c.Name, err)
	}
	config, err := json.Marshal(map[string]string{"apiVersion": "v2", "name": c.Name, "version": c.Version})
	if err != nil {
		return "", err
	}
	return r.Push(ctx, strings.Trim(folder+"/"+c.Name, "/"), Artifact{
		Tag: strings.ReplaceAll(c.Version, "+", "_"), Config: config,
		ConfigType:  "application/vnd.cncf.helm.config.v1+json",
		Layers:      []Layer{{MediaType: "application/vnd.cncf.helm.chart.content.v1.tar+gzip", Content: archive}},
		Annotations: map[string]string{ocispec.AnnotationTitle: c.Name, ocispec.AnnotationVersion: c.Version},
	})
}

// Chart is PushChart that fails the test on errors.
func (r *Registry) Chart(t testing.TB, folder string, c helmserver.Chart) string {
	t.Helper()
	id, err := r.PushChart(t.Context(), folder, c)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// Artifact is Push that fails the test on errors.
func (r *Registry) Artifact(t testing.TB, name string, a Artifact) string {
	t.Helper()
	id, err := r.Push(t.Context(), name, a)
	if err != nil {
		t.Fatal(err)
	}
	return id
}
