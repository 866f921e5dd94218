package oci

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/fairlead-cd/fairlead/internal/source"
	"github.com/fairlead-cd/fairlead/internal/source/archive"
	"github.com/fairlead-cd/fairlead/internal/source/content"
	"github.com/fairlead-cd/fairlead/internal/source/registry"
)

// artifact is what is needed of a manifest. It is kept on disk.
type artifact struct {
	// Layer is the digest of the one layer with content, sha256 in hexadecimal; Problem says why there is none.
	Layer   string `json:"layer,omitempty"`
	Problem string `json:"problem,omitempty"`
	// MediaType and Size of the layer.
	MediaType string `json:"mediaType,omitempty"`
	Size      int64  `json:"size,omitempty"`
	// Annotations of the manifest.
	Annotations map[string]string `json:"annotations,omitempty"`
	// Downloaded tells that these credentials have downloaded the layer.
	Downloaded bool `json:"downloaded,omitempty"`
}

// Metadata is what an artifact says about itself.
type Metadata struct {
	// Title, Description, Version and Authors as the annotations org.opencontainers.image.* state them.
	Title, Description, Version, Authors string
	// Created is when it was built, as the annotation states it, usually by RFC 3339.
	Created string
	// ImageURL, DocsURL and SourceURL are addresses to read more at.
	ImageURL, DocsURL, SourceURL string
}

// Time is Created, or zero when it states no time.
func (m Metadata) Time() time.Time {
	t, err := time.Parse(time.RFC3339, m.Created)
	if err != nil {
		return time.Time{}
	}
	return t
}

// Snapshot gives the files of the artifact with a digest that Resolve returned. The error is a *source.Error.
func (s *Store) Snapshot(ctx context.Context, repo source.Repository, digest string) (*archive.Files, error) {
	r, err := s.repository(repo)
	if err != nil {
		return nil, err
	}
	a, err := s.artifact(ctx, r, digest)
	if err != nil {
		return nil, err
	}
	if a.Problem != "" {
		return nil, r.repo.Failure(source.ErrDamaged, nil, "%s: %s", digest, a.Problem)
	}
	if !slices.Contains(s.o.MediaTypes, a.MediaType) {
		return nil, r.repo.Failure(source.ErrDamaged, nil,
			"%s: layers of the media type %.100q are not read; reposerver.oci.layer.media.types lists those that are", digest, a.MediaType)
	}
	if a.Downloaded {
		if files, ok := s.unpacked.GetIfPresent(a.MediaType + a.Layer); ok {
			return files, nil
		}
	}
	return s.layers.Do(ctx, r.id+digest, true, reported(s, r, RequestExtract, func(ctx context.Context) (*archive.Files, error) {
		return s.layer(ctx, r, digest, a)
	}))
}

// Metadata gives what the artifact with a digest that Resolve returned says about itself.
func (s *Store) Metadata(ctx context.Context, repo source.Repository, digest string) (Metadata, error) {
	r, err := s.repository(repo)
	if err != nil {
		return Metadata{}, err
	}
	a, err := s.artifact(ctx, r, digest)
	if err != nil {
		return Metadata{}, err
	}
	return Metadata{
		Title:       a.Annotations[ocispec.AnnotationTitle],
		Description: a.Annotations[ocispec.AnnotationDescription],
		Version:     a.Annotations[ocispec.AnnotationVersion],
		Authors:     a.Annotations[ocispec.AnnotationAuthors],
		Created:     a.Annotations[ocispec.AnnotationCreated],
		ImageURL:    a.Annotations[ocispec.AnnotationURL],
		DocsURL:     a.Annotations[ocispec.AnnotationDocumentation],
		SourceURL:   a.Annotations[ocispec.AnnotationSource],
	}, nil
}

// artifact reads a manifest, from disk when it was read before.
func (s *Store) artifact(ctx context.Context, r *repository, id string) (artifact, error) {
	if !strings.HasPrefix(id, "sha256:") || digest.Digest(id).Validate() != nil {
		return artifact{}, r.repo.Failure(source.ErrRevisionNotFound, nil, "%q is not a digest", id)
	}
	record := s.kept.Name("artifact", r.id, id)
	if known, ok := content.Recall[artifact](s.kept, record); ok {
		return known, nil
	}
	ask := reported(s, r, RequestMetadata, func(ctx context.Context) (artifact, error) {
		m, err := r.client.Manifest(ctx, "", id)
		if err != nil {
			return artifact{}, err
		}
		if m.Digest != id {
			return artifact{}, r.repo.Failure(source.ErrDamaged, nil, "the registry answers with %s instead of %s", m.Digest, id)
		}
		a := describe(m)
		content.Keep(s.kept, record, a)
		return a, nil
	})
	return s.manifests.Do(ctx, record, true, func(ctx context.Context) (artifact, error) {
		if known, ok := content.Recall[artifact](s.kept, record); ok {
			return known, nil // by a request that has ended since
		}
		return ask(ctx)
	})
}

// describe finds the layer. A chart may have its provenance beside it; anything else has one layer.
func describe(m registry.Manifest) artifact {
	a := artifact{Annotations: map[string]string{}}
	for key, value := range m.Annotations {
		if strings.HasPrefix(key, "org.opencontainers.image.") && len(value) <= 4096 {
			a.Annotations[key] = value
		}
	}
	layers := slices.DeleteFunc(slices.Clone(m.Layers), func(l ocispec.Descriptor) bool {
		return l.MediaType == "application/vnd.cncf.helm.chart.provenance.v1.prov"
	})
	switch {
	case len(layers) != 1:
		a.Problem = "it has " + number(len(layers)) + ", and exactly one layer with content is wanted"
	case layers[0].Digest.Validate() != nil || layers[0].Digest.Algorithm() != digest.SHA256:
		a.Problem = "its layer has no usable sha256 digest"
	default:
		a.Layer, a.MediaType, a.Size = layers[0].Digest.Encoded(), layers[0].MediaType, layers[0].Size
	}
	return a
}

func number(layers int) string {
	if layers == 0 {
		return "no layer"
	}
	return "several layers"
}

// layer reads and unpacks a layer, from disk when the same credentials have downloaded it before.
func (s *Store) layer(ctx context.Context, r *repository, id string, a artifact) (*archive.Files, error) {
	var data []byte
	err := errors.New("not downloaded")
	if a.Downloaded {
		data, err = s.kept.Get(a.Layer)
	}
	if err != nil {
		layer := ocispec.Descriptor{
			MediaType: a.MediaType, Size: a.Size, Digest: digest.NewDigestFromEncoded(digest.SHA256, a.Layer),
		}
		if data, err = r.client.Blob(ctx, "", layer, s.o.Limits.Compressed); err != nil {
			return nil, err
		}
	}
	files, err := s.unpack(r, id, a, data)
	if err != nil {
		return nil, err
	}
	s.kept.Put(data)
	a.Downloaded = true
	content.Keep(s.kept, s.kept.Name("artifact", r.id, id), a)
	s.unpacked.Set(a.MediaType+a.Layer, files)
	return files, nil
}

func (s *Store) unpack(r *repository, id string, a artifact, data []byte) (*archive.Files, error) {
	files, err := archive.Unpack(bytes.NewReader(data), s.o.Limits)
	if err == nil && a.MediaType == mediaTypeChart && files.Top() != "" {
		files, err = files.Folder(files.Top())
	}
	if err == nil {
		return files, nil
	}
	reason := source.ErrDamaged
	if errors.Is(err, source.ErrTooLarge) {
		reason = source.ErrTooLarge
	}
	return nil, r.repo.Failure(reason, err, "unpacking the layer of %s: %v", id, err)
}
