package sops_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/sops"
	"github.com/fairlead-cd/fairlead/internal/render/sops/sopstest"
)

func TestEncryptedManifestsAreRendered(t *testing.T) {
	identity, recipient := sopstest.Identity(t)
	r := sops.Guard(render.Dispatcher{v1alpha1.ApplicationSourceTypeDirectory: render.Directory{Decrypt: sops.Decrypt}})
	req := render.Request{Source: v1alpha1.ApplicationSource{Path: "app"}}
	in := func(plain string, external render.External) render.Inputs {
		content := sopstest.ForAge(t, plain, recipient)
		return render.Inputs{Files: fstest.MapFS{"app/s.yaml": &fstest.MapFile{Data: []byte(content)}}, External: external}
	}
	const manifest = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: " + secret + "}\n"
	got, err := r.Render(t.Context(), in(manifest, sopstest.Holding(t, identity)), req)
	if err != nil || len(got.Objects) != 1 || got.Objects[0].Object["stringData"].(map[string]any)["password"] != secret || got.Objects[0].Object["sops"] != nil {
		t.Errorf("got %v, %v", got.Objects, err)
	}
	if _, err := r.Render(t.Context(), in(manifest, sopstest.Holding(t)), req); !errors.Is(err, sops.ErrNoKey) || !strings.HasPrefix(err.Error(), "app/s.yaml ") {
		t.Errorf("without a key: %v", err)
	}
	_, err = r.Render(t.Context(), in("apiVersion: v1\nkind: "+secret+"\nmetadata: {}\n", sopstest.Holding(t, identity)), req)
	if !errors.Is(err, render.ErrInvalidManifest) || strings.Contains(err.Error(), secret) || !strings.Contains(err.Error(), "app/s.yaml:1") {
		t.Errorf("not a manifest: %v", err)
	}
}

func TestGuardTakesSecretsOutOfErrorsInEveryForm(t *testing.T) {
	identity, recipient := sopstest.Identity(t)
	content := sopstest.ForAge(t, "a: \"tab\\tand \\\"quote\\\"\"\nb: |\n  first line\n  second=line two\nn: 31415926\n", recipient)
	base := errors.New("base")
	for _, shown := range []string{
		"tab\tand \"quote\"", `tab\tand \"quote\"`, "first line", "line two", "31415926", "dGFiCWFuZCAicXVvdGUi",
	} {
		r := sops.Guard(render.RendererFunc(func(ctx context.Context, in render.Inputs, _ render.Request) (render.Result, error) {
			if _, err := sops.Decrypt(ctx, in, "a.yaml", []byte(content)); err != nil {
				return render.Result{}, err
			}
			return render.Result{}, errors.Join(base, errors.New("it says "+shown+"."))
		}))
		_, err := r.Render(t.Context(), render.Inputs{External: sopstest.Holding(t, identity)}, render.Request{})
		if !errors.Is(err, base) || err.Error() != "base\nit says (secret)." || errors.Unwrap(err) != nil {
			t.Errorf("%q: %v", shown, err)
		}
	}
}
