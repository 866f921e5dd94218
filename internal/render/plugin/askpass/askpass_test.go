package askpass_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fairlead-cd/fairlead/internal/render/plugin/askpass"
)

func start(t *testing.T) (*askpass.Server, string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "ask") //nolint:usetesting // sockets need short names
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "s")
	s := askpass.NewServer(socket)
	ctx, cancel := context.WithCancel(context.Background()) //nolint:usetesting // ends after the test's own
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		os.RemoveAll(dir)
	})
	for {
		if _, err := os.Lstat(socket); err == nil {
			return s, socket
		}
		select {
		case <-t.Context().Done():
			t.Fatal("no socket")
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func nonce(env []string) string {
	for _, one := range env {
		if value, ok := strings.CutPrefix(one, askpass.EnvNonce+"="); ok {
			return value
		}
	}
	return ""
}

func TestGitGetsWhatIsLentAndNothingAfterwards(t *testing.T) {
	s, socket := start(t)
	env, back := s.Lend(askpass.Credentials{Username: "deploy", Password: "hunter2"})
	other, otherBack := s.Lend(askpass.Credentials{Username: "other", Password: "secret", Insecure: true})
	defer otherBack()
	for _, want := range []string{"GIT_ASKPASS=argocd", "GIT_TERMINAL_PROMPT=0", "ARGOCD_BINARY_NAME=argocd-git-ask-pass", "ARGOCD_ASK_PASS_SOCK=" + socket} {
		if !slices.Contains(env, want) {
			t.Errorf("the environment %q lacks %s", env, want)
		}
	}
	if slices.Contains(env, "GIT_SSL_NO_VERIFY=true") || !slices.Contains(other, "GIT_SSL_NO_VERIFY=true") {
		t.Errorf("environments %q and %q", env, other)
	}
	if strings.Contains(strings.Join(env, " "), "hunter2") {
		t.Error("the password is in the environment")
	}
	for prompt, want := range map[string]string{"Username for 'https://git.example.com': ": "deploy\n", "Password for 'https://deploy@git.example.com': ": "hunter2\n"} {
		var out bytes.Buffer
		if err := askpass.Answer(t.Context(), &out, prompt, socket, nonce(env)); err != nil || out.String() != want {
			t.Errorf("%s: %q, %v", prompt, out.String(), err)
		}
	}
	back()
	for name, c := range map[string]struct{ prompt, nonce, want string }{
		"given back":     {"Username for x", nonce(env), "unknown nonce"},
		"never lent":     {"Username for x", "guess", "unknown nonce"},
		"no nonce":       {"Username for x", "", "ARGOCD_GIT_ASKPASS_NONCE is not set"},
		"another prompt": {"Passphrase for key", nonce(other), "neither a user name nor a password"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			err := askpass.Answer(t.Context(), &out, c.prompt, socket, c.nonce)
			if err == nil || !strings.Contains(err.Error(), c.want) || out.Len() > 0 {
				t.Errorf("%q, %v", out.String(), err)
			}
		})
	}
}

func TestTheSocketIsForItsOwnerAlone(t *testing.T) {
	_, socket := start(t)
	for {
		info, err := os.Lstat(socket)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() == 0o600 {
			return
		}
		select { // it is there a moment before it is protected
		case <-t.Context().Done():
			t.Fatalf("mode %v", info.Mode())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func TestWithoutARepoServerTheErrorSaysWhereItWasLookedFor(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "absent")
	if err := askpass.Answer(t.Context(), &bytes.Buffer{}, "Username", socket, "n"); err == nil || !strings.Contains(err.Error(), socket) {
		t.Errorf("error %v", err)
	}
}
