package oci_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/fairlead-cd/fairlead/internal/source"
	"github.com/fairlead-cd/fairlead/internal/source/archive"
	"github.com/fairlead-cd/fairlead/internal/source/oci"
	"github.com/fairlead-cd/fairlead/test/helmserver"
	"github.com/fairlead-cd/fairlead/test/ociregistry"
)

const (
	layerTar  = "application/vnd.oci.image.layer.v1.tar"
	layerGzip = "application/vnd.oci.image.layer.v1.tar+gzip"
)

func open(t *testing.T, o oci.Options) *oci.Store {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	o.RetryDelay = time.Millisecond
	s, err := oci.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func tarball(t *testing.T, files map[string]string, compress bool) []byte {
	t.Helper()
	raw, err := helmserver.Tarball("", files, compress)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// manifests is an artifact with one layer.
func manifests(t *testing.T, tag, mediaType, text string) ociregistry.Artifact {
	t.Helper()
	return ociregistry.Artifact{
		Tag:    tag,
		Layers: []ociregistry.Layer{{MediaType: mediaType, Content: tarball(t, map[string]string{"app/cm.yaml": text}, strings.HasSuffix(mediaType, "gzip"))}},
		Annotations: map[string]string{
			"org.opencontainers.image.title": "demo", "org.opencontainers.image.authors": "Team",
			"org.opencontainers.image.created": "2026-01-02T03:04:05Z", "org.opencontainers.image.version": tag,
			"org.opencontainers.image.description": "Manifests", "org.opencontainers.image.source": "https://example.com/source",
			"org.opencontainers.image.url": "https://example.com", "org.opencontainers.image.documentation": "https://example.com/docs",
		},
	}
}

func TestAnArtifactIsReadByTagRangeAndDigest(t *testing.T) {
	for name, o := range map[string]ociregistry.Options{
		"basic authentication": {Username: "u", Password: "p@ss", TLS: true},
		"a token service":      {Username: "u", Password: "p@ss", TLS: true, Tokens: true},
		"no login":             {},
	} {
		t.Run(name, func(t *testing.T) {
			r := ociregistry.Start(t, o)
			digests := map[string]string{}
			for tag, mediaType := range map[string]string{"1.0.0": layerTar, "1.2.0": layerGzip, "2.0.0-rc.1": layerGzip, "latest": layerGzip} {
				digests[tag] = r.Artifact(t, "team/demo", manifests(t, tag, mediaType, tag))
			}
			repo := source.Repository{
				URL: r.URL("team/demo"), Username: o.Username, Password: o.Password, CAData: r.CA(), PlainHTTP: !o.TLS,
			}
			dir := t.TempDir()
			s := open(t, oci.Options{Dir: dir})
			read := func(s *oci.Store, revision string) string {
				t.Helper()
				id, err := s.Resolve(t.Context(), repo, revision, time.Hour)
				if err != nil {
					t.Fatalf("resolving %s: %v", revision, err)
				}
				files, err := s.Snapshot(t.Context(), repo, id)
				if err != nil {
					t.Fatalf("reading %s: %v", revision, err)
				}
				raw, err := files.ReadFile("app/cm.yaml")
				if err != nil {
					t.Fatal(err)
				}
				return string(raw)
			}
			revisions := map[string]string{
				"1.0.0": "1.0.0", "1.*": "1.2.0", "^1": "1.2.0", ">=2.0.0-0": "2.0.0-rc.1", "latest": "latest",
				digests["1.0.0"]: "1.0.0",
			}
			for revision, want := range revisions {
				if got := read(s, revision); got != want {
					t.Errorf("%s gives the files of %s, want %s", revision, got, want)
				}
			}
			m, err := s.Metadata(t.Context(), repo, digests["1.2.0"])
			want := oci.Metadata{
				Title: "demo", Description: "Manifests", Version: "1.2.0", Authors: "Team", Created: "2026-01-02T03:04:05Z",
				ImageURL: "https://example.com", DocsURL: "https://example.com/docs", SourceURL: "https://example.com/source",
			}
			if err != nil || m != want || m.Time().Year() != 2026 {
				t.Errorf("Metadata = %+v, %v", m, err)
			}
			if tags, err := s.Tags(t.Context(), repo); err != nil || len(tags) != 4 {
				t.Errorf("Tags = %v, %v", tags, err)
			}
			for _, revision := range []string{"9.9.9", "^7", "nothing", "", "sha256:1234"} {
				if _, err := s.Resolve(t.Context(), repo, revision, 0); !errors.Is(err, source.ErrRevisionNotFound) {
					t.Errorf("Resolve(%q) = %v, want ErrRevisionNotFound", revision, err)
				}
			}
			if err := s.Test(t.Context(), repo); err != nil {
				t.Error(err)
			}
			if o.Username != "" {
				wrong := repo
				wrong.Password = "wrong-password"
				for what, err := range map[string]error{
					"Test":     s.Test(t.Context(), wrong),
					"Resolve":  second(s.Resolve(t.Context(), wrong, "1.0.0", time.Hour)),
					"Snapshot": second(s.Snapshot(t.Context(), wrong, digests["1.0.0"])),
					"Metadata": second(s.Metadata(t.Context(), wrong, digests["1.0.0"])),
				} {
					if !errors.Is(err, source.ErrAuthentication) || strings.Contains(err.Error(), "wrong-password") {
						t.Errorf("%s with a wrong password = %v, want ErrAuthentication", what, err)
					}
				}
			}

			s.Close()
			r.SetFault(ociregistry.Fault{Status: 500})
			s = open(t, oci.Options{Dir: dir})
			for revision, want := range revisions {
				if got := read(s, revision); got != want {
					t.Errorf("without the registry %s gives the files of %s, want %s", revision, got, want)
				}
			}
		})
	}
}

func second[T any](_ T, err error) error { return err }

func TestATagThatMovesIsFollowed(t *testing.T) {
	r := ociregistry.Start(t, ociregistry.Options{})
	repo := source.Repository{URL: r.URL("demo"), PlainHTTP: true}
	s := open(t, oci.Options{})
	first := r.Artifact(t, "demo", manifests(t, "latest", layerTar, "first"))
	if id, err := s.Resolve(t.Context(), repo, "latest", 0); err != nil || id != first {
		t.Fatalf("Resolve = %s, %v", id, err)
	}
	next := r.Artifact(t, "demo", manifests(t, "latest", layerTar, "second"))
	if id, err := s.Resolve(t.Context(), repo, "latest", time.Hour); err != nil || id != first {
		t.Errorf("Resolve within maxAge = %s, %v", id, err)
	}
	if id, err := s.Resolve(t.Context(), repo, "latest", 0); err != nil || id != next {
		t.Errorf("Resolve = %s, %v; want the new digest", id, err)
	}
}

func TestAChartAsAnArtifactHasItsFilesAtTheRoot(t *testing.T) {
	r := ociregistry.Start(t, ociregistry.Options{})
	id := r.Chart(t, "charts", helmserver.Chart{Name: "demo", Version: "1.0.0", Files: map[string]string{"templates/cm.yaml": "x: 1\n"}})
	repo := source.Repository{URL: r.URL("charts/demo"), PlainHTTP: true}
	files, err := open(t, oci.Options{}).Snapshot(t.Context(), repo, id)
	if err != nil {
		t.Fatal(err)
	}
	if err := fstest.TestFS(files, "Chart.yaml", "templates/cm.yaml"); err != nil {
		t.Error(err)
	}
}

func TestALayerIsDownloadedOnce(t *testing.T) {
	r := ociregistry.Start(t, ociregistry.Options{})
	id := r.Artifact(t, "demo", manifests(t, "1.0.0", layerGzip, "text"))
	repo := source.Repository{URL: r.URL("demo"), PlainHTTP: true}
	dir := t.TempDir()
	s := open(t, oci.Options{Dir: dir})
	r.Forget()
	var wait sync.WaitGroup
	for range 30 {
		wait.Go(func() {
			if _, err := s.Snapshot(t.Context(), repo, id); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if n, m := len(r.Requests("/blobs/")), len(r.Requests("/manifests/")); n != 1 || m != 1 {
		t.Errorf("%d requests for the layer and %d for the manifest, want one each", n, m)
	}
	s.Close()
	s = open(t, oci.Options{Dir: dir})
	files, err := s.Snapshot(t.Context(), repo, id)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(r.Requests("/blobs/")); n != 1 {
		t.Errorf("after a restart there were %d requests for the layer", n)
	}

	s.Close()
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && d.Name() != "key" {
			return os.WriteFile(path, []byte("damaged"), 0o600)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	again, err := open(t, oci.Options{Dir: dir}).Snapshot(t.Context(), repo, id)
	if err != nil || again.Root() != files.Root() {
		t.Errorf("with damaged files: %v", err)
	}
}

func TestWhatIsNoSourceIsRefused(t *testing.T) {
	r := ociregistry.Start(t, ociregistry.Options{})
	repo := source.Repository{URL: r.URL("demo"), PlainHTTP: true}
	good := manifests(t, "x", layerTar, "text").Layers[0]
	other := manifests(t, "x", layerTar, "other").Layers[0]
	for name, test := range map[string]struct {
		layers  []ociregistry.Layer
		options oci.Options
		want    error
		says    string
	}{
		"no layer":                {nil, oci.Options{}, source.ErrDamaged, "exactly one layer"},
		"two layers":              {[]ociregistry.Layer{good, other}, oci.Options{}, source.ErrDamaged, "exactly one layer"},
		"another media type":      {[]ociregistry.Layer{{MediaType: "text/plain", Content: good.Content}}, oci.Options{}, source.ErrDamaged, "reposerver.oci.layer.media.types"},
		"a type taken off":        {[]ociregistry.Layer{good}, oci.Options{MediaTypes: []string{layerGzip}}, source.ErrDamaged, "reposerver.oci.layer.media.types"},
		"no archive":              {[]ociregistry.Layer{{MediaType: layerTar, Content: bytes.Repeat([]byte("no tar "), 200)}}, oci.Options{}, source.ErrDamaged, "unpacking"},
		"a layer that is large":   {[]ociregistry.Layer{good}, oci.Options{Limits: archive.Limits{Compressed: 100}}, source.ErrTooLarge, "limit"},
		"content that is large":   {[]ociregistry.Layer{{MediaType: layerGzip, Content: tarball(t, map[string]string{"x": strings.Repeat("0", 1<<20)}, true)}}, oci.Options{Limits: archive.Limits{Unpacked: 1 << 19}}, source.ErrTooLarge, "bytes"},
		"a path that leads out":   {[]ociregistry.Layer{{MediaType: layerTar, Content: tarball(t, map[string]string{"../x": "1"}, false)}}, oci.Options{}, source.ErrLinkOutside, "two dots"},
		"a type that is added to": {[]ociregistry.Layer{{MediaType: "text/plain", Content: good.Content}}, oci.Options{MediaTypes: []string{"text/plain"}}, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			id := r.Artifact(t, "demo", ociregistry.Artifact{Tag: "x", Layers: test.layers})
			_, err := open(t, test.options).Snapshot(t.Context(), repo, id)
			if !errors.Is(err, test.want) || err != nil && !strings.Contains(err.Error(), test.says) {
				t.Errorf("Snapshot = %v, want %v that says %q", err, test.want, test.says)
			}
		})
	}
	t.Run("a repository that is not there", func(t *testing.T) {
		other := source.Repository{URL: r.URL("nothing"), PlainHTTP: true}
		if err := open(t, oci.Options{}).Test(t.Context(), other); !errors.Is(err, source.ErrRepositoryNotFound) {
			t.Errorf("Test = %v, want ErrRepositoryNotFound", err)
		}
	})
	t.Run("an address that is no registry's", func(t *testing.T) {
		if _, err := open(t, oci.Options{}).Resolve(t.Context(), source.Repository{URL: "https://example.com/x"}, "1", 0); !errors.Is(err, source.ErrInvalidRepository) {
			t.Errorf("Resolve = %v, want ErrInvalidRepository", err)
		}
	})
}
