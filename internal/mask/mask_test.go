package mask_test

import (
	"encoding/json"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/fairlead-cd/fairlead/internal/mask"
)

func object(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	obj := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &obj.Object); err != nil {
		t.Fatal(err)
	}
	return obj
}

func text(t *testing.T, obj *unstructured.Unstructured, path ...string) string {
	t.Helper()
	value, _, err := unstructured.NestedString(obj.Object, path...)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func TestEqualValuesOfAKeyLookAlike(t *testing.T) {
	target := object(t, `{apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: {same: one, other: two}}`)
	live := object(t, `{apiVersion: v1, kind: Secret, metadata: {name: a}, data: {same: b25l, other: dGhyZWU=, more: b25l}}`)
	masked := mask.Objects(nil, target, live, nil)
	for _, c := range []struct {
		got, want string
	}{
		{text(t, masked[0], "stringData", "same"), "++++++++"},
		{text(t, masked[1], "data", "same"), "++++++++"},
		{text(t, masked[0], "stringData", "other"), "++++++++"},
		{text(t, masked[1], "data", "other"), "++++++++++++"},
		{text(t, masked[1], "data", "more"), "++++++++"},
	} {
		if c.got != c.want {
			t.Errorf("got %s, want %s", c.got, c.want)
		}
	}
	if masked[2] != nil {
		t.Error("what does not exist has become something")
	}
	if text(t, live, "data", "same") != "b25l" {
		t.Error("the object itself was changed")
	}
}

func TestNothingOfASecretIsLeft(t *testing.T) {
	for sentence, c := range map[string]struct {
		secret      string
		annotations []string
	}{
		"in its data":                         {secret: `{apiVersion: v1, kind: Secret, data: {key: leaked}}`},
		"in stringData":                       {secret: `{apiVersion: v1, kind: Secret, stringData: {key: leaked}}`},
		"in data of another shape":            {secret: `{apiVersion: v1, kind: Secret, data: [leaked]}`},
		"in a value of another shape":         {secret: `{apiVersion: v1, kind: Secret, data: {key: {inner: leaked}}}`},
		"in an annotation of the settings":    {secret: `{apiVersion: v1, kind: Secret, metadata: {annotations: {token: leaked}}}`, annotations: []string{"token"}},
		"in what kubectl applied":             {secret: `{apiVersion: v1, kind: Secret, metadata: {annotations: {kubectl.kubernetes.io/last-applied-configuration: '{"data":{"key":"leaked"}}'}}}`},
		"in the annotations that it applied":  {secret: `{apiVersion: v1, kind: Secret, metadata: {annotations: {kubectl.kubernetes.io/last-applied-configuration: '{"metadata":{"annotations":{"token":"leaked"}}}'}}}`, annotations: []string{"token"}},
		"in what is no JSON but was applied":  {secret: `{apiVersion: v1, kind: Secret, metadata: {annotations: {kubectl.kubernetes.io/last-applied-configuration: 'leaked'}}}`},
		"in a version that there is not yet":  {secret: `{apiVersion: v2, kind: Secret, data: {key: leaked}}`},
		"in what was applied inside of again": {secret: `{apiVersion: v1, kind: Secret, metadata: {annotations: {kubectl.kubernetes.io/last-applied-configuration: '{"metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"leaked"}}}'}}}`},
	} {
		t.Run(sentence, func(t *testing.T) {
			content, err := json.Marshal(mask.Objects(c.annotations, object(t, c.secret))[0])
			if err != nil || strings.Contains(string(content), "leaked") {
				t.Errorf("%s, %v", content, err)
			}
		})
	}
}

func TestOtherObjectsStayAsTheyAre(t *testing.T) {
	for _, content := range []string{
		`{apiVersion: v1, kind: ConfigMap, data: {key: value}}`,
		`{apiVersion: example.com/v1, kind: Secret, data: {key: value}}`,
	} {
		obj := object(t, content)
		if got := mask.Objects(nil, obj)[0]; got != obj {
			t.Errorf("%s became %v", content, got)
		}
	}
}

func FuzzObjects(f *testing.F) {
	f.Add([]byte(`{"apiVersion":"v1","kind":"Secret","data":{"a":"leaked"},"metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{\"data\":{\"a\":\"leaked\"}}"}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		obj := &unstructured.Unstructured{}
		if json.Unmarshal(data, &obj.Object) != nil || obj.Object == nil {
			return
		}
		obj.Object["kind"], obj.Object["apiVersion"] = "Secret", "v1"
		masked := mask.Objects(nil, obj)[0]
		for _, field := range []string{"data", "stringData"} {
			values, ok := masked.Object[field].(map[string]any)
			for _, v := range values {
				if s, isText := v.(string); !isText || strings.Trim(s, "+") != "" {
					t.Errorf("%s holds %v", field, v)
				}
			}
			if s, isText := masked.Object[field].(string); !ok && masked.Object[field] != nil && (!isText || strings.Trim(s, "+") != "") {
				t.Errorf("%s is %v", field, masked.Object[field])
			}
		}
	})
}
