package health_test

import (
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fairlead-cd/fairlead/internal/health"
)

var update = flag.Bool("update", false, "write testdata/health.txt anew")

// fixtures reads testdata/<group>/<kind>/<state>.yaml.
func fixtures(t testing.TB) map[string]*unstructured.Unstructured {
	t.Helper()
	out := map[string]*unstructured.Unstructured{}
	err := filepath.WalkDir("testdata", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".yaml" {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.ToSlash(path), "testdata/"), ".yaml")
		out[name] = read(t, string(data))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestFixtures compares the health of every fixture with testdata/health.txt; run it with -update to write that anew,
// and read the difference.
func TestFixtures(t *testing.T) {
	const golden = "testdata/health.txt"
	var out bytes.Buffer
	all := fixtures(t)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		r, ok := health.Assess(all[name])
		if !ok {
			fmt.Fprintf(&out, "%s: no health\n", name)
			continue
		}
		fmt.Fprintf(&out, "%s: %s", name, r.Status)
		if r.Message != "" {
			fmt.Fprintf(&out, ": %s", r.Message)
		}
		if !r.Since.IsZero() {
			fmt.Fprintf(&out, " (%s)", r.Since.Format(time.TimeOnly))
		}
		out.WriteByte('\n')
	}
	if *update {
		if err := os.WriteFile(golden, out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(out.String(), "\n")); diff != "" {
		t.Errorf("-%s +assessed:\n%s", golden, diff)
	}
}

// TestFileNamesSayTheHealth keeps a fixture and its golden line from agreeing by accident.
func TestFileNamesSayTheHealth(t *testing.T) {
	words := map[string]health.Status{
		"healthy": health.Healthy, "progressing": health.Progressing, "degraded": health.Degraded, "suspended": health.Suspended,
		"stale": health.Progressing, "inconclusive": health.Unknown, "none": "",
	}
	for name, obj := range fixtures(t) {
		state, _, _ := strings.Cut(filepath.Base(name), "-")
		want, ok := words[state]
		if !ok {
			continue
		}
		if got, _ := health.Assess(obj); got.Status != want {
			t.Errorf("%s is %q: %s", name, got.Status, got.Message)
		}
	}
}

// TestEveryAssessmentHasFixtures asks for one good and one other state of each kind that has rules of its own.
func TestEveryAssessmentHasFixtures(t *testing.T) {
	good, other := map[string]bool{}, map[string]bool{}
	for _, obj := range fixtures(t) {
		group, _, ok := strings.Cut(obj.GetAPIVersion(), "/")
		if !ok {
			group = ""
		}
		for _, kind := range append([]string{group + "/" + obj.GetKind()}, matching(group)...) {
			got, _ := health.Assess(obj)
			good[kind] = good[kind] || got.Status == health.Healthy
			other[kind] = other[kind] || got.Status != health.Healthy
		}
	}
	for _, kind := range health.Kinds() {
		if silent[kind] {
			continue
		}
		if !good[kind] || !other[kind] {
			t.Errorf("%s: healthy fixture %v, another %v", kind, good[kind], other[kind])
		}
	}
	for _, group := range health.Groups() {
		if !good[group] || !other[group] {
			t.Errorf("%s: healthy fixture %v, another %v", group, good[group], other[group])
		}
	}
}

// silent are kinds that have no health although the others of their groups do.
var silent = map[string]bool{
	"apiextensions.crossplane.io/Composition": true, "apiextensions.crossplane.io/CompositionRevision": true,
	"apiextensions.crossplane.io/EnvironmentConfig": true, "pkg.crossplane.io/ControllerConfig": true,
	"pkg.crossplane.io/DeploymentRuntimeConfig": true, "pkg.crossplane.io/ImageConfig": true, "pkg.crossplane.io/Lock": true,
}

func matching(group string) (out []string) {
	for _, pattern := range health.Groups() {
		if suffix, wild := strings.CutPrefix(pattern, "*"); pattern == group || wild && strings.HasSuffix(group, suffix) {
			out = append(out, pattern)
			break
		}
	}
	return out
}

// TestAStaleStatusIsNeverHealthy raises the generation of every fixture that states which one its status is about.
func TestAStaleStatusIsNeverHealthy(t *testing.T) {
	for name, obj := range fixtures(t) {
		if _, ok, _ := unstructured.NestedInt64(obj.Object, "status", "observedGeneration"); !ok {
			if _, text, _ := unstructured.NestedString(obj.Object, "status", "observedGeneration"); !text {
				continue
			}
		}
		obj.SetGeneration(obj.GetGeneration() + 10)
		if got, ok := health.Assess(obj); ok && got.Status == health.Healthy {
			t.Errorf("%s is called healthy: %s", name, got.Message)
		}
	}
}

// TestAssessingChangesNothing holds for every fixture.
func TestAssessingChangesNothing(t *testing.T) {
	for name, obj := range fixtures(t) {
		before := obj.DeepCopy()
		health.Assess(obj)
		if diff := cmp.Diff(before.Object, obj.Object); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
