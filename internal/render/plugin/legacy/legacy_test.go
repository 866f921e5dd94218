//go:build unix

package legacy_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render/plugin/command"
	"github.com/fairlead-cd/fairlead/internal/render/plugin/legacy"
)

func sh(script string) v1alpha1.Command {
	return v1alpha1.Command{Command: []string{"sh", "-c"}, Args: []string{script}}
}

// newRunner makes a Runner, which has to leave nothing behind.
func newRunner(t *testing.T, plugins ...v1alpha1.ConfigManagementPlugin) *legacy.Runner {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "plugins")
	r, err := legacy.New(legacy.Options{
		Plugins: func() []v1alpha1.ConfigManagementPlugin { return plugins },
		Dir:     dir, Environ: []string{"PATH=" + os.Getenv("PATH"), "HERE=yes"},
		Timeout: 30 * time.Second, Grace: time.Second, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("there is %v, %v", left, err)
		}
	})
	return r
}

func request(name string) legacy.Request {
	return legacy.Request{
		Name: name, Repository: "https://git.example.com/a.git", Path: "apps/a", Env: []string{"ARGOCD_APP_NAME=demo"},
		Files: fstest.MapFS{
			"apps/a/tool.sh": {Data: []byte("#!/bin/sh\necho \"ran by $ARGOCD_APP_NAME, $HERE, $(cat made), $(cat ../../lib/x)\"\n"), Mode: 0o755},
			"lib/x":          {Data: []byte("lib")},
		},
	}
}

func TestCommandsRunInACopyOfTheRepository(t *testing.T) {
	init := sh("echo made by init > made; mkdir locked; touch locked/file; chmod 0 locked")
	r := newRunner(t, v1alpha1.ConfigManagementPlugin{Name: "p", Init: &init, Generate: v1alpha1.Command{Command: []string{"./tool.sh"}}})
	out, err := r.Generate(t.Context(), request("p"))
	if want := "ran by demo, yes, made by init, lib\n"; err != nil || string(out) != want {
		t.Errorf("%q, %v, want %q", out, err, want)
	}
}

func TestAFailureNamesThePluginAndTheCommand(t *testing.T) {
	broken := sh("echo not today >&2; exit 1")
	r := newRunner(t,
		v1alpha1.ConfigManagementPlugin{Name: "init", Init: &broken, Generate: sh("echo generated")},
		v1alpha1.ConfigManagementPlugin{Name: "generate", Generate: broken},
	)
	for _, name := range []string{"init", "generate"} {
		_, err := r.Generate(t.Context(), request(name))
		if want := `plugin "` + name + `": the ` + name + " command failed: "; err == nil || !strings.HasPrefix(err.Error(), want) || !strings.HasSuffix(err.Error(), "not today") {
			t.Errorf("error %v", err)
		}
	}
	if _, err := r.Generate(t.Context(), request("absent")); !errors.Is(err, legacy.ErrNoPlugin) {
		t.Errorf("error %v", err)
	}
	req := request("generate")
	req.Path = "apps/none"
	if _, err := r.Generate(t.Context(), req); err == nil || !strings.Contains(err.Error(), "is no folder") {
		t.Errorf("error %v", err)
	}
}

func TestAPluginWithALockRunsAloneInItsRepository(t *testing.T) {
	signs := t.TempDir()
	enter := func(lock bool) v1alpha1.ConfigManagementPlugin {
		return v1alpha1.ConfigManagementPlugin{
			Name: "p", LockRepo: lock,
			// Fails when another is at work, and waits for its leave.
			Generate: sh("mkdir " + signs + "/busy || exit 9; while [ ! -e " + signs + "/leave ]; do sleep 0.02; done; rmdir " + signs + "/busy"),
		}
	}
	r := newRunner(t, enter(true))
	done := make(chan error, 2)
	for range 2 {
		go func() {
			_, err := r.Generate(t.Context(), request("p"))
			done <- err
		}()
	}
	await(t, filepath.Join(signs, "busy"))
	other := request("p")
	other.Repository = "https://git.example.com/b.git"
	if _, err := r.Generate(t.Context(), other); err == nil || !strings.Contains(err.Error(), "exit status 9") {
		t.Errorf("another repository waits, or did not start: %v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	nobody := errors.New("nobody waits")
	cancel(nobody)
	if _, err := r.Generate(ctx, request("p")); !errors.Is(err, nobody) {
		t.Errorf("error %v", err)
	}
	if err := os.WriteFile(filepath.Join(signs, "leave"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestAPluginThatHangsIsEnded(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "plugins")
	r, err := legacy.New(legacy.Options{
		Plugins: func() []v1alpha1.ConfigManagementPlugin {
			return []v1alpha1.ConfigManagementPlugin{{Name: "p", Generate: sh("sleep 1000")}}
		},
		Dir: dir, Environ: []string{"PATH=" + os.Getenv("PATH")}, Timeout: 200 * time.Millisecond, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Generate(t.Context(), request("p")); !errors.Is(err, command.ErrTimeout) {
		t.Errorf("error %v", err)
	}
}

func TestWhatAKilledPredecessorLeftIsRemoved(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "plugins")
	if err := os.MkdirAll(filepath.Join(dir, "old"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := legacy.New(legacy.Options{Dir: dir, Logger: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("there is %v, %v", left, err)
	}
}

func await(t *testing.T, file string) {
	t.Helper()
	for {
		if _, err := os.Stat(file); err == nil {
			return
		}
		select {
		case <-t.Context().Done():
			t.Fatalf("%s did not appear", file)
		case <-time.After(5 * time.Millisecond):
		}
	}
}
