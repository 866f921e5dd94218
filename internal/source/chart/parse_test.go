package chart

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/fairlead-cd/fairlead/internal/source"
)

const digestA = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func parsed(raw string) (map[string][]entry, error) {
	e, err := parseIndex(strings.NewReader(raw))
	if err != nil {
		return nil, err
	}
	return entriesOf(e.index(header{})), nil
}

func entriesOf(x *index) map[string][]entry {
	all := map[string][]entry{}
	for _, name := range x.names() {
		for one := range x.all(name) {
			all[name] = append(all[name], one)
		}
	}
	return all
}

var both = cmp.AllowUnexported(entry{})

func one(version, url string) entry { return entry{Version: Version{Version: version}, url: url} }

func TestAnIndexIsReadInEveryUsualForm(t *testing.T) {
	full := entry{
		Version: Version{
			Version: "1.2.3", AppVersion: "4.5", Deprecated: true, Digest: digestA,
			Created: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		},
		url: "https://example.com/demo-1.2.3.tgz",
	}
	for name, test := range map[string]struct {
		raw  string
		want map[string][]entry
	}{
		"as Helm writes it": {`apiVersion: v1
entries:
  demo:
  - apiVersion: v2
    appVersion: "4.5"
    created: "2026-01-02T03:04:05.678Z"
    deprecated: true
    dependencies:
    - name: other
      version: 9.9.9
      repository: https://example.com/other
    description: A chart
    digest: ` + digestA + `
    name: demo
    urls:
    - https://example.com/demo-1.2.3.tgz
    - https://mirror.example.com/demo-1.2.3.tgz
    version: 1.2.3
  - urls:
    - demo-1.2.2.tgz
    version: 1.2.2
  other:
  - version: 0.1.0
    urls: [other.tgz]
generated: "2026-01-01T00:00:00Z"
`, map[string][]entry{"demo": {full, one("1.2.2", "demo-1.2.2.tgz")}, "other": {one("0.1.0", "other.tgz")}}},
		"with lists indented": {`entries:
    demo:
        - urls:
            - a.tgz
          version: '1.0.0'
          maintainers:
            - name: someone
              url: https://example.com
`, map[string][]entry{"demo": {one("1.0.0", "a.tgz")}}},
		"with lists as far left as the name": {`entries:
  demo:
  -
    version: 1.0.0
    urls:
    - a.tgz
  - # a comment
    version: 1.0.1
    urls:
    - b.tgz
`, map[string][]entry{"demo": {one("1.0.0", "a.tgz"), one("1.0.1", "b.tgz")}}},
		"with text that looks like keys": {`entries:
  demo:
  - description: |
      version: 6.6.6
      urls:
      - evil.tgz

      # no comment
    home: >-
      version: 7.7.7
    notes: "version: 8.8.8
      urls: [x]"
    annotations:
      version: 9.9.9
      list: |-
        - kind: added
          version: 5.5.5
    version: 1.0.0
    urls:
    - a.tgz
`, map[string][]entry{"demo": {one("1.0.0", "a.tgz")}}},
		"with comments, blank lines, and Windows line ends": {"# an index\r\n---\r\nentries:\r\n\r\n  # charts\r\n  demo: # here\r\n  # a version\r\n  - version: 1.0.0 \r\n\r\n    # where\r\n    urls:\r\n    # first\r\n    - a.tgz\r\n...\r\nversion: no\r\n",
			map[string][]entry{"demo": {one("1.0.0", "a.tgz")}}},
		"with values that need a parser": {`entries:
  "quoted name":
  - version: "1.0.0\u002Bx"
    appVersion: 'it''s'
    urls:
    - "https://example.com/a\x2Etgz"
  demo:
  - version: >-
      1.0.0
    urls: [ "a.tgz", b.tgz ]
    appVersion: null
    digest: ~
    created: not a time
`, map[string][]entry{
			"quoted name": {{Version: Version{Version: "1.0.0+x", AppVersion: "it's"}, url: "https://example.com/a.tgz"}},
			"demo":        {one("1.0.0", "a.tgz")},
		}},
		"with entries that lack what is needed": {`entries:
  demo:
  - version: 1.0.0
  - urls: [a.tgz]
  - version: 1.0.1
    urls: []
  -
  - version: 1.0.2
    urls:
    - b.tgz
  none: []
  nothing:
`, map[string][]entry{"demo": {one("1.0.2", "b.tgz")}}},
		"empty": {"apiVersion: v1\nentries: {}\n", map[string][]entry{}},
		"as JSON": {`{"apiVersion":"v1","extra":{"entries":[{}]},"entries":{"demo":[{"version":"1.0.0","urls":["a.tgz"],"dependencies":[{"version":"2"}]},{"version":""}],"none":null}}`,
			map[string][]entry{"demo": {one("1.0.0", "a.tgz")}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parsed(test.raw)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got, both); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if name == "as JSON" {
				return
			}
			// A YAML parser reads the same.
			e, err := parseUnusual([]byte(test.raw))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(entriesOf(e.index(header{})), got, both); diff != "" && name != "with values that need a parser" {
				t.Errorf("(-library +own)\n%s", diff)
			}
		})
	}
}

func TestUnusualYAMLIsLeftToAParser(t *testing.T) {
	for name, raw := range map[string]string{
		"flow style":           "entries: {demo: [{version: 1.0.0, urls: [a.tgz]}]}\n",
		"flow style inside":    "entries:\n  demo:\n  - {version: 1.0.0, urls: [a.tgz]}\n",
		"a list in flow style": "entries:\n  demo: [{version: 1.0.0, urls: [a.tgz]}]\n",
		"anchors":              "x: &v 1.0.0\nentries:\n  demo:\n  - version: *v\n    urls: [a.tgz]\n",
		"merge keys":           "x: &v {version: 1.0.0}\nentries:\n  demo:\n  - <<: *v\n    urls: [a.tgz]\n",
		"complex keys":         "entries:\n  ? demo\n  : - version: 1.0.0\n      urls: [a.tgz]\n",
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := parsed(raw); !errors.Is(err, errUnusual) {
				t.Errorf("parseIndex = %v, want errUnusual", err)
			}
			e, err := parseUnusual([]byte(raw))
			if err != nil {
				t.Fatal(err)
			}
			want := map[string][]entry{"demo": {one("1.0.0", "a.tgz")}}
			if diff := cmp.Diff(want, entriesOf(e.index(header{})), both); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestAHostileIndexEndsInAnError(t *testing.T) {
	for name, raw := range map[string]io.Reader{
		"no entries":      strings.NewReader("apiVersion: v1\n"),
		"entries twice":   strings.NewReader("entries: {}\nentries: {}\n"),
		"nothing":         strings.NewReader(""),
		"a field of 1 MB": strings.NewReader("entries:\n  demo:\n  - version: " + strings.Repeat("1", 1<<20) + "\n    urls: [a]\n"),
		"a block of 1 MB": strings.NewReader("entries:\n  demo:\n  - version: |\n" + strings.Repeat("      1\n", 1<<17) + "    urls: [a]\n"),
		"too many charts": io.MultiReader(strings.NewReader("entries:\n"), &repeated{"  c%d:\n  - version: 1.0.0\n    urls:\n    - a\n", 0, maxCharts + 1, nil}),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := parseIndex(raw); err == nil {
				t.Error("it was accepted")
			} else if strings.Contains(name, "MB") || strings.Contains(name, "many") {
				if !errors.Is(err, source.ErrTooLarge) {
					t.Errorf("parseIndex = %v, want ErrTooLarge", err)
				}
			}
		})
	}
	t.Run("long values that nobody looks at are skipped", func(t *testing.T) {
		got, err := parsed("entries:\n  demo:\n  - icon: " + strings.Repeat("x", 3<<20) + "\n    version: 1.0.0\n    urls: [a.tgz]\n    more: " + strings.Repeat("y", 1<<20))
		if err != nil || len(got["demo"]) != 1 {
			t.Errorf("parseIndex = %v, %v", got, err)
		}
	})
	t.Run("values longer than any real one are left out", func(t *testing.T) {
		got, err := parsed("entries:\n  demo:\n  - version: 1.0.0\n    appVersion: " + strings.Repeat("1", 1000) + "\n    urls: [a]\n  - version: 1.0." + strings.Repeat("1", 1000) + "\n    urls: [a]\n")
		if err != nil || len(got["demo"]) != 1 || got["demo"][0].AppVersion != "" {
			t.Errorf("parseIndex = %v, %v", got, err)
		}
	})
}

// repeated gives a text with a number in it, so many times.
type repeated struct {
	format string
	n, end int
	left   []byte
}

func (r *repeated) Read(p []byte) (int, error) {
	if len(r.left) == 0 {
		if r.n == r.end {
			return 0, io.EOF
		}
		r.left = fmt.Appendf(r.left, r.format, r.n)
		r.n++
	}
	n := copy(p, r.left)
	r.left = r.left[n:]
	return n, nil
}

func TestAKeptIndexIsReadBack(t *testing.T) {
	e, err := parseIndex(bytes.NewReader(large(t, 200<<10)))
	if err != nil {
		t.Fatal(err)
	}
	x := e.index(header{ETag: `"a"`, LastModified: "b"})
	raw, err := x.marshal()
	if err != nil {
		t.Fatal(err)
	}
	back, err := unmarshalIndex(raw)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(x, back, cmp.AllowUnexported(index{}, span{})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for cut := range len(raw) {
		if _, err := unmarshalIndex(raw[:cut]); err == nil && cut < len(raw)-len(x.data) {
			t.Fatalf("the first %d bytes of %d are taken for an index", cut, len(raw))
		}
	}
}

// large makes an index of about so many bytes, as a large public repository has it.
func large(t testing.TB, size int) []byte {
	t.Helper()
	var out bytes.Buffer
	out.WriteString("apiVersion: v1\nentries:\n")
	for c := 0; out.Len() < size; c++ {
		fmt.Fprintf(&out, "  chart-%d:\n", c)
		for v := range 60 {
			fmt.Fprintf(&out, `  - annotations:
      category: Database
      images: |
        - name: server
          image: registry.example.com/team/server:1.%[2]d.0
        - name: exporter
          image: registry.example.com/team/exporter:0.%[2]d.0
    apiVersion: v2
    appVersion: 1.%[2]d.0
    created: "2026-01-02T03:04:05.678Z"
    dependencies:
    - name: shared
      repository: oci://registry.example.com/charts
      version: 2.x.x
    description: A database that keeps what it is given, and some more words about it to fill the line.
    digest: %064[3]x
    home: https://example.com
    keywords:
    - database
    - sql
    maintainers:
    - name: Team
      url: https://example.com/team
    name: chart-%[1]d
    sources:
    - https://example.com/source
    urls:
    - https://charts.example.com/team/chart-%[1]d-10.%[2]d.%[1]d.tgz
    version: 10.%[2]d.%[1]d
`, c, v, c*1000+v)
		}
	}
	out.WriteString("generated: \"2026-01-02T03:04:05.678Z\"\n")
	return out.Bytes()
}

func FuzzParseIndex(f *testing.F) {
	f.Add([]byte("entries:\n  demo:\n  - version: 1.0.0\n    urls:\n    - a.tgz\n    digest: " + digestA + "\n"))
	f.Add([]byte("entries:\n  demo:\n  -\n    version: '1'\n    urls: [a]\n    created: \"2026-01-02T03:04:05Z\"\n"))
	f.Add([]byte(`{"entries":{"demo":[{"version":"1.0.0","urls":["a.tgz"]}]}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, err := parseIndex(bytes.NewReader(raw))
		if err != nil {
			return
		}
		x := e.index(header{})
		kept, err := x.marshal()
		if err != nil {
			t.Fatal(err)
		}
		back, err := unmarshalIndex(kept)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(entriesOf(x), entriesOf(back), both); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		for _, versions := range entriesOf(x) {
			for _, one := range versions {
				if one.Version.Version == "" || one.url == "" || len(one.url) > maxURL {
					t.Errorf("an entry lacks something: %+v", one)
				}
			}
		}
	})
}

func FuzzUnmarshalIndex(f *testing.F) {
	x := &index{data: "", charts: map[string]span{}}
	raw, err := x.marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte(indexMagic + "{}\n\x01a\x00\x05\x00\x01\x01x\x00\x00"))
	f.Fuzz(func(_ *testing.T, raw []byte) {
		if x, err := unmarshalIndex(raw); err == nil {
			entriesOf(x)
		}
	})
}

// BenchmarkIndex reads an index of 50 MiB as a stream, and for comparison with a YAML library.
func BenchmarkIndex(b *testing.B) {
	raw := large(b, 50<<20)
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	b.Run("stream", func(b *testing.B) {
		b.SetBytes(int64(len(raw)))
		b.ReportAllocs()
		before := heap()
		var x *index
		for b.Loop() {
			e, err := parseIndex(bytes.NewReader(raw))
			if err != nil {
				b.Fatal(err)
			}
			x = e.index(header{})
		}
		b.ReportMetric(float64(heap()-before)/(1<<20), "MiB-kept")
		b.ReportMetric(float64(len(x.charts)), "charts")
		runtime.KeepAlive(x)
		runtime.KeepAlive(raw)
	})
	b.Run("find", func(b *testing.B) {
		e, err := parseIndex(bytes.NewReader(raw))
		if err != nil {
			b.Fatal(err)
		}
		x := e.index(header{})
		for b.Loop() {
			n := 0
			for range x.all("chart-7") {
				n++
			}
			if n != 60 {
				b.Fatal(n)
			}
		}
	})
	b.Run("library", func(b *testing.B) {
		b.SetBytes(int64(len(raw)))
		b.ReportAllocs()
		var all struct {
			Entries map[string][]listed `yaml:"entries"`
		}
		for b.Loop() {
			if err := yaml.Unmarshal(raw, &all); err != nil {
				b.Fatal(err)
			}
		}
	})
}
