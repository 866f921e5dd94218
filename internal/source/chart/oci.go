package chart

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/fairlead-cd/fairlead/internal/source"
	"github.com/fairlead-cd/fairlead/internal/source/ask"
	"github.com/fairlead-cd/fairlead/internal/source/registry"
)

// Media types of a chart in a registry.
const (
	MediaTypeConfig = "application/vnd.cncf.helm.config.v1+json"
	MediaTypeChart  = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
)

// maxLists bounds the memory for lists of tags, in charts.
const maxLists = 256

// oci is a folder of a registry that holds charts; the tags of a chart are its versions.
type oci struct {
	s      *Store
	r      *repository
	client *registry.Client

	mu    sync.Mutex
	lists map[string]tagList
}

// tagList is what a registry said about the tags of a chart.
type tagList struct {
	versions []Version
	at       time.Time
}

func newOCI(s *Store, r *repository) (*oci, error) {
	client, err := registry.New(r.repo, s.o.Env, s.o.Silence)
	if err != nil {
		return nil, err
	}
	return &oci{s: s, r: r, client: client, lists: map[string]tagList{}}, nil
}

func (o *oci) close() { o.client.Close() }

func (o *oci) versions(ctx context.Context, name string, maxAge time.Duration) ([]Version, time.Time, error) {
	o.mu.Lock()
	list, ok := o.lists[name]
	o.mu.Unlock()
	if ok && maxAge > 0 && o.s.o.Now().Sub(list.at) <= maxAge {
		return list.versions, list.at, nil
	}
	list, err := o.s.lists.Do(ctx, o.r.id+name, maxAge > 0, func(ctx context.Context) (list tagList, err error) {
		list.at = o.s.o.Now()
		defer func() { o.s.report(o.r.repo, "tags", list.at, false, err) }()
		tags, err := o.client.Tags(ctx, name)
		if err != nil {
			return list, err
		}
		for _, tag := range tags {
			list.versions = append(list.versions, Version{Version: versionOf(tag)})
		}
		list.versions = newestFirst(list.versions)
		o.mu.Lock()
		defer o.mu.Unlock()
		if len(o.lists) >= maxLists {
			clear(o.lists)
		}
		o.lists[name] = list
		return list, nil
	})
	return list.versions, list.at, err
}

func (o *oci) names(context.Context, time.Duration) ([]string, error) {
	return nil, o.r.repo.Failure(source.ErrInvalidRepository, nil, "a registry does not list its charts; name the chart")
}

func (o *oci) test(ctx context.Context) error {
	_, err := ask.Retry(ctx, o.s.asking(), func(ctx context.Context) (_ struct{}, err error) {
		began := o.s.o.Now()
		defer func() { o.s.report(o.r.repo, "ping", began, false, err) }()
		return struct{}{}, o.client.Ping(ctx)
	})
	return err
}

func (o *oci) locate(ctx context.Context, name, version string, _ time.Duration) (location, error) {
	return o.s.locateTag(ctx, o.r, o.client, name, version)
}

func (o *oci) fetch(ctx context.Context, name string, at location) ([]byte, error) {
	return o.s.fetchBlob(ctx, o.r, o.client, name, at)
}

// locateTag reads a chart's manifest. version may be a digest.
func (s *Store) locateTag(ctx context.Context, r *repository, client *registry.Client, name, version string) (location, error) {
	return ask.Retry(ctx, s.asking(), func(ctx context.Context) (at location, err error) {
		began := s.o.Now()
		defer func() { s.report(r.repo, "manifest", began, false, err) }()
		m, err := client.Manifest(ctx, name, tagOf(version))
		if err != nil {
			return at, err
		}
		layer, err := chartLayer(r.repo, name, version, m)
		if err != nil {
			return at, err
		}
		at = location{Version: version, Digest: layer.Digest.Encoded(), Size: layer.Size}
		if said := m.Annotations[ocispec.AnnotationVersion]; said != "" && strings.HasPrefix(version, "sha256:") && len(said) <= maxText {
			at.Version = said
		}
		return at, nil
	})
}

// chartLayer finds the layer of a manifest that is a chart's archive.
func chartLayer(repo source.Repository, name, version string, m registry.Manifest) (ocispec.Descriptor, error) {
	if m.Config.MediaType != MediaTypeConfig {
		return ocispec.Descriptor{}, repo.Failure(source.ErrRevisionNotFound, nil,
			"%s %s is no Helm chart: its config is %.100q", name, version, m.Config.MediaType)
	}
	for _, layer := range m.Layers {
		if layer.MediaType != MediaTypeChart {
			continue // such as its provenance
		}
		if layer.Digest.Validate() != nil || layer.Digest.Algorithm() != digest.SHA256 {
			return layer, repo.Failure(source.ErrDamaged, nil, "chart %s %s has no usable sha256 digest", name, version)
		}
		return layer, nil
	}
	return ocispec.Descriptor{}, repo.Failure(source.ErrRevisionNotFound, nil, "%s %s is no Helm chart: it has no layer %s", name, version, MediaTypeChart)
}

// fetchBlob downloads a chart's archive from a registry.
func (s *Store) fetchBlob(ctx context.Context, r *repository, client *registry.Client, name string, at location) ([]byte, error) {
	layer := ocispec.Descriptor{MediaType: MediaTypeChart, Size: at.Size, Digest: digest.NewDigestFromEncoded(digest.SHA256, at.Digest)}
	return ask.Retry(ctx, s.asking(), func(ctx context.Context) (data []byte, err error) {
		began := s.o.Now()
		defer func() { s.report(r.repo, "archive", began, false, err) }()
		return client.Blob(ctx, name, layer, s.o.MaxArchive)
	})
}

// A tag cannot contain a plus sign; Helm writes an underscore instead.
func tagOf(version string) string { return strings.ReplaceAll(version, "+", "_") }
func versionOf(tag string) string { return strings.ReplaceAll(tag, "_", "+") }
