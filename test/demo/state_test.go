package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// application is an Application of the name web with the given status.
func application(t *testing.T, status string) *unstructured.Unstructured {
	t.Helper()
	object := map[string]any{}
	text := "metadata: {name: web}\nspec: {destination: {namespace: namespace-a}, syncPolicy: {automated: {}}}\nstatus: " + status
	if err := yaml.Unmarshal([]byte(text), &object); err != nil {
		t.Fatal(err)
	}
	return &unstructured.Unstructured{Object: object}
}

func TestRead(t *testing.T) {
	tests := map[string]struct {
		status string
		want   state
	}{
		"an application that was not compared yet has no states": {
			status: `{}`,
			want:   state{},
		},
		"a settled application has nothing to say": {
			status: `{sync: {status: Synced, revision: 0123456789abcdef}, health: {status: Healthy}, operationState: {phase: Succeeded}}`,
			want:   state{Sync: "Synced", Health: "Healthy", Revision: "0123456", Phase: "Succeeded"},
		},
		"objects that differ are named, the first three of them": {
			status: `{sync: {status: OutOfSync}, resources: [
				{kind: Service, name: a, status: OutOfSync, health: {status: Missing}}, {kind: Service, name: b, status: Synced},
				{kind: Service, name: c, status: OutOfSync}, {kind: Service, name: d, status: OutOfSync}, {kind: Service, name: e, status: OutOfSync}]}`,
			want: state{Sync: "OutOfSync", Note: "differs: Service a, Service c, Service d and 1 more"},
		},
		"objects that are not healthy are named with their health": {
			status: `{sync: {status: Synced}, health: {status: Progressing}, resources: [
				{kind: Deployment, name: web, status: Synced, health: {status: Progressing}}]}`,
			want: state{Sync: "Synced", Health: "Progressing", Note: "Deployment web Progressing"},
		},
		"a failed sync is told before what differs": {
			status: `{sync: {status: OutOfSync}, operationState: {phase: Failed, message: "Service a: denied\nand more"},
				resources: [{kind: Service, name: a, status: OutOfSync}]}`,
			want: state{Sync: "OutOfSync", Phase: "Failed", Note: "sync failed: Service a: denied"},
		},
		"a condition is told before all else": {
			status: `{sync: {status: Unknown}, conditions: [{type: ComparisonError, message: no such path}], operationState: {phase: Error}}`,
			want:   state{Sync: "Unknown", Phase: "Error", Note: "ComparisonError: no such path"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.want.Name, test.want.Namespace, test.want.Automated = "web", "namespace-a", true
			got, err := read(application(t, test.status))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("state (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTableOnATerminalIsDrawnInPlace(t *testing.T) {
	var out strings.Builder
	s := &screen{out: &out, terminal: true, now: time.Now, shown: map[string]state{}}
	all := []state{{Name: "web", Namespace: "namespace-a", Sync: "OutOfSync", Health: "Missing"}, {Name: "api"}}
	s.Table(all, time.Second)
	first := out.Len()
	s.Table(all, time.Second)
	if again := out.String()[first:]; !strings.HasPrefix(again, "\x1b[4A") {
		t.Errorf("the second drawing begins with %q, want the cursor to go up the 4 lines of the first", again[:8])
	}
	s.Freeze()
	before := out.Len()
	s.Table(all, time.Second)
	if again := out.String()[before:]; strings.HasPrefix(again, "\x1b[") && strings.Contains(again[:5], "A") {
		t.Errorf("after Freeze the table is drawn over what was left standing: %q", again[:8])
	}
}

func TestTableElsewhereIsALineForEachChange(t *testing.T) {
	var out strings.Builder
	clock := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s := &screen{out: &out, now: func() time.Time { return clock }, shown: map[string]state{}}
	web := state{Name: "web", Sync: "OutOfSync", Health: "Missing", Revision: "0123456", Note: "differs: Service web"}
	s.Table([]state{{Name: "api"}, web}, time.Second)
	s.Table([]state{{Name: "api"}, web}, time.Second)
	web.Sync, web.Health, web.Note = "Synced", "Healthy", ""
	s.Table([]state{{Name: "api"}, web}, time.Second)
	s.Change(change{now: state{Name: "web", Deleted: true}})
	want := `03:04:05  web           OutOfSync  Missing      0123456  differs: Service web
03:04:05  web           Synced     Healthy      0123456
03:04:05  web           deleted
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("output (-want +got):\n%s", diff)
	}
}
