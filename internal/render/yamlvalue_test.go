package render

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"
)

// asKubernetes reads YAML the way that Kubernetes' own tools do.
func asKubernetes(text []byte) (any, error) {
	encoded, err := yaml.YAMLToJSON(text)
	if err != nil {
		return nil, err
	}
	var value any
	return value, json.Unmarshal(encoded, &value)
}

// sameAsKubernetes compares what the two ways give.
func sameAsKubernetes(t *testing.T, text []byte) {
	t.Helper()
	want, wantErr := asKubernetes(text)
	got, err := decodeYAML(text)
	if (err != nil) != (wantErr != nil) {
		t.Fatalf("%q: got %v, want %v", text, err, wantErr)
	}
	if diff := cmp.Diff(want, got); err == nil && diff != "" {
		t.Errorf("%q:\n%s", text, diff)
	}
}

func TestYAMLIsReadAsKubernetesReadsIt(t *testing.T) {
	for _, text := range []string{
		"", "null", "~", "a", "1", "a: b", "- 1\n- b\n", "a: {b: [1, 2.5, {c: d}]}",
		"i: 3\nneg: -3\nbig: 9223372036854775807\nbigger: 9223372036854775808\nhuge: 18446744073709551616\nleast: -9223372036854775808\n",
		"f: 1.5\nwhole: 2.0\nzero: -0.0\nexp: 1e3\nfar: 1e20\nfarther: 1e21\nsmall: 1e-7\nlimit: 9.223372036854775807e18\nbelow: -9.3e18\n",
		"octal: 0644\nnew: 0o644\nhex: 0x1F\nbin: 0b11\nunder: 1_000\nsexa: 190:20:30\n",
		"y: yes\nn: no\non: on\noff: off\nt: True\nyy: y\nq: \"yes\"\n",
		"1: a\ntrue: b\n1.5: c\n-2: d\n.inf: e\nyes: f\n0x10: g\n",
		"nan: .nan", "inf: .inf", "? [a, b]\n: c\n", "~: a", "? {a: b}\n: c\n",
		"d: 2024-01-02\nts: 2024-01-02T03:04:05Z\nx: !!timestamp 2024-01-02\n",
		"b: !!binary /wB/\n", "s: !!str 5\ni: !!int \"5\"\nf: !!float 5\n", "c: !custom {a: b}\n",
		"a: &x {b: 1}\nc: *x\nd: {<<: *x, e: 2}\n", "a: 1\na: 2\n", "a: |\n  x\n  y\nb: >-\n  x\n  y\n",
		"a: \"\\u2028<&>\\x00\"\n", "a: [", "\t", "a: b: c", "é: ☃\n", "a: \"\xff\"\n", "- - - - x\n", "a:\n- b\n-\n- ~\n", "'': x\n",
	} {
		sameAsKubernetes(t, []byte(text))
	}
	var files []string
	for _, pattern := range []string{"helm/testdata/charts/*/values.yaml", "../../examples/monorepo/*/*/*.yaml", "../../deploy/*/*.yaml"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	if len(files) < 10 {
		t.Fatalf("only %d files", len(files))
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range splitYAML(content) {
			sameAsKubernetes(t, d.text)
		}
	}
}

func FuzzDecodeYAML(f *testing.F) {
	f.Add([]byte("a: {b: [1, 2.5, {c: d}]}\n? x\n: !!binary AA==\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) < 1<<12 {
			sameAsKubernetes(t, text)
		}
	})
}
