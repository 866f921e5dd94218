package render_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render"
)

func object(content map[string]any) render.Object {
	return render.Object{
		Unstructured: &unstructured.Unstructured{Object: content}, File: "app/a.yaml", Line: 3, Hash: "abc",
	}
}

func TestAResultComesBackAsItWent(t *testing.T) {
	result := render.Result{
		SourceType: v1alpha1.ApplicationSourceTypeHelm, Digest: "d",
		Warnings: []render.Warning{{Reason: render.WarningIgnored, File: "f", Message: "m"}},
		Objects: []render.Object{
			object(map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "a"}}),
			object(map[string]any{
				"int": int64(math.MinInt64), "float": 1.0, "large": 1e300, "text": "grüße\x00", "yes": true, "no": false, "nothing": nil,
				"list": []any{int64(1), "2", []any{}, map[string]any{}}, "nil list": []any(nil), "metadata": map[string]any{"name": "b"},
			}),
		},
	}
	result.Objects[1].File = "app/b.yaml"
	encoded, err := render.AppendResult(nil, result)
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := render.DecodeResult(encoded)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(result, decoded); diff != "" {
		t.Errorf("before (-), after (+):\n%s", diff)
	}
}

func TestTypesThatJSONDoesNotHaveComeBackAsTheirJSON(t *testing.T) {
	encoded, err := render.AppendResult(nil, render.Result{Objects: []render.Object{
		object(map[string]any{"strings": []string{"a"}, "int": 7, "map": map[string]string{"a": "b"}}),
	}})
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := render.DecodeResult(encoded)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"strings": []any{"a"}, "int": int64(7), "map": map[string]any{"a": "b"}}
	if diff := cmp.Diff(want, decoded.Objects[0].Object); diff != "" {
		t.Error(diff)
	}
}

func TestResultsThatCannotBeSentAreRefused(t *testing.T) {
	deep := map[string]any{}
	for range 2000 {
		deep = map[string]any{"a": deep}
	}
	for name, o := range map[string]render.Object{
		"endlessly nested": object(deep),
		"a function":       object(map[string]any{"f": func() {}}),
		"no content":       {File: "app/a.yaml"},
	} {
		if _, err := render.AppendResult(nil, render.Result{Objects: []render.Object{o}}); !errors.Is(err, render.ErrInvalidManifest) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if _, err := render.AppendResult(nil, render.Result{Objects: []render.Object{
		object(map[string]any{"list": make([]any, 9<<20)}),
	}}); err == nil || !strings.Contains(err.Error(), "values") {
		t.Errorf("very many values: %v", err)
	}
}

func TestARequestComesBackAsItWent(t *testing.T) {
	req := render.Request{
		AppName: "web", AppNamespace: "argocd", Project: "p", Namespace: "web", KubeVersion: "1.36.3",
		Source: v1alpha1.ApplicationSource{Path: "app", Helm: &v1alpha1.ApplicationSourceHelm{
			ValuesObject: &runtime.RawExtension{Raw: []byte(`{"a":1}`)},
		}},
		Settings: render.Settings{ValuesFileSchemes: []string{"https"}, MaxManifestBytes: 7},
	}
	encoded, err := render.EncodeRequest(req)
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := render.DecodeRequest(encoded)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(req, decoded); diff != "" {
		t.Error(diff)
	}
}

func TestErrorsAreRecognisedOnTheOtherSide(t *testing.T) {
	manifest := &render.ManifestError{File: "a.yaml", Line: 3, Document: 2, Problem: "it is wrong"}
	unsupported := &render.UnsupportedError{What: "Jsonnet", SourceType: "Directory"}
	for _, err := range []error{
		render.ErrPathNotFound, fmt.Errorf("a: %w", render.ErrInvalidSource), manifest, fmt.Errorf("%w: %w", render.ErrTooLarge, manifest),
		fmt.Errorf("a: %w", unsupported), render.ErrNoExternal, context.DeadlineExceeded, &fs.PathError{Op: "open", Path: "x", Err: fs.ErrNotExist},
		errors.New("none of these"),
	} {
		back, decodeErr := render.DecodeError(render.AppendError(nil, err))
		if decodeErr != nil {
			t.Fatal(decodeErr)
		}
		if back.Error() != err.Error() {
			t.Errorf("%q became %q", err, back)
		}
		for _, sentinel := range []error{
			render.ErrPathNotFound, render.ErrInvalidSource, render.ErrInvalidManifest, render.ErrTooLarge, render.ErrUnsupported,
			render.ErrNoExternal, context.Canceled, context.DeadlineExceeded, fs.ErrNotExist,
		} {
			if errors.Is(err, sentinel) != errors.Is(back, sentinel) {
				t.Errorf("%v: errors.Is for %v was %v", err, sentinel, errors.Is(err, sentinel))
			}
		}
		var before, after *render.ManifestError
		if errors.As(err, &before) != errors.As(back, &after) || !cmp.Equal(before, after) {
			t.Errorf("%v: %+v became %+v", err, before, after)
		}
		var what, whatNow *render.UnsupportedError
		if errors.As(err, &what) != errors.As(back, &whatNow) || !cmp.Equal(what, whatNow) {
			t.Errorf("%v: %+v became %+v", err, what, whatNow)
		}
	}
}

func TestAnErrorThatCrossesTwiceIsTheSame(t *testing.T) {
	own, other := errors.New("unreachable"), errors.New("unreachable too")
	var parent render.CrossingErrors
	there, err := render.DecodeError(parent.Append(nil, own))
	if err != nil {
		t.Fatal(err)
	}
	thereToo, err := render.DecodeError(parent.Append(nil, other))
	if err != nil {
		t.Fatal(err)
	}
	back, err := parent.Decode(render.AppendError(nil, there))
	if err != nil || back != own { //nolint:errorlint // it has to be this very value
		t.Errorf("%v (%v)", back, err)
	}
	wrapped := fmt.Errorf("chart: %w", errors.Join(fmt.Errorf("first: %w", there), thereToo))
	back, err = parent.Decode(render.AppendError(nil, wrapped))
	if err != nil || !errors.Is(back, own) || !errors.Is(back, other) || back.Error() != wrapped.Error() {
		t.Errorf("%v (%v)", back, err)
	}
	var stranger render.CrossingErrors
	if _, err := stranger.Decode(render.AppendError(nil, wrapped)); err == nil {
		t.Error("an error that was never sent came back")
	}
}

func FuzzDecodeResult(f *testing.F) {
	encoded, err := render.AppendResult(nil, render.Result{Objects: []render.Object{
		object(map[string]any{"a": []any{int64(1), 2.5, "x", nil, true, map[string]any{"a": "b"}}, "s": []string{"json"}}),
	}, Warnings: []render.Warning{{Message: "m"}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(encoded)
	f.Fuzz(func(t *testing.T, b []byte) {
		result, err := render.DecodeResult(b)
		if err != nil {
			return
		}
		again, err := render.AppendResult(nil, result)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := render.DecodeResult(again); err != nil {
			t.Error(err)
		}
	})
}

func FuzzDecodeError(f *testing.F) {
	f.Add(render.AppendError(nil, &render.ManifestError{File: "a", Problem: "p"}))
	var c render.CrossingErrors
	f.Add(c.Append(nil, render.ErrTooLarge))
	f.Fuzz(func(t *testing.T, b []byte) {
		var parent render.CrossingErrors
		if back, err := parent.Decode(b); err == nil && back == nil {
			t.Error("neither an error nor none")
		}
		if back, err := render.DecodeError(b); err == nil && errors.Is(back, errors.ErrUnsupported) {
			t.Error("it is what cannot be sent")
		}
	})
}
