package plugin_test

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/fairlead-cd/fairlead/internal/render/plugin"
)

// tree is a repository of two folders with object ids.
func tree(app, other string) plugin.Request {
	req := request("", "app")
	req.Files = fstest.MapFS{
		"app":        {Mode: fs.ModeDir | 0o755, Sys: "id " + app},
		"app/x":      {Data: []byte(app)},
		"app/" + app: {Data: []byte(app)},
		"other":      {Mode: fs.ModeDir | 0o755, Sys: "id " + other},
		"other/x":    {Data: []byte(other)},
	}
	return req
}

func TestAPluginIsAskedOnceAboutAFolder(t *testing.T) {
	sockets := socketDir(t)
	log := filepath.Join(t.TempDir(), "log")
	const rule = "spec:\n  generate: {command: [cat, x]}\n  discover: {find: {command: [sh, -c, 'echo asked >> \"$ASKED\"; ls | grep take']}}\n"
	startSidecar(t, sockets, "tool", rule, "ASKED="+log)
	client := newClient(t, plugin.ClientOptions{SocketDir: sockets})
	times := func() int {
		text, err := os.ReadFile(log)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		return strings.Count(string(text), "asked")
	}
	for _, step := range []struct {
		what       string
		app, other string
		want       string
		asked      int
	}{
		{"at first", "leave", "1", "", 1},
		{"again", "leave", "1", "", 1},
		{"after a change elsewhere", "leave", "2", "", 1},
		{"after a change of the folder", "take", "2", "tool", 2},
		{"again then", "take", "3", "tool", 2},
		{"with the files of before", "leave", "3", "", 2},
	} {
		name, err := client.Discover(t.Context(), tree(step.app, step.other))
		if err != nil || name != step.want || times() != step.asked {
			t.Errorf("%s: %q, %v, asked %d times; want %q, asked %d times", step.what, name, err, times(), step.want, step.asked)
		}
	}
	startSidecar(t, sockets, "all", "spec:\n  generate: {command: [cat, x]}\n  discover: {fileName: x}\n")
	if name, err := client.Discover(t.Context(), tree("leave", "1")); err != nil || name != "all" {
		t.Errorf("with another plugin: %q, %v", name, err)
	}
}

func TestAPluginIsDiscoveredByItsRule(t *testing.T) {
	for name, c := range map[string]struct {
		rule, path string
		want       bool
	}{
		"a file name":                      {"{fileName: './*.tool'}", "apps/b", true},
		"a file name that is elsewhere":    {"{fileName: './*.tool'}", "apps", false},
		"a glob":                           {"{find: {glob: '**/cm.yaml'}}", "apps", true},
		"a glob that matches nothing":      {"{find: {glob: '**/cm.yaml'}}", "lib", false},
		"a command that prints":            {"{find: {command: [sh, -c, 'ls common']}}", "lib", true},
		"a command that prints nothing":    {"{find: {command: [sh, -c, 'true']}}", "lib", false},
		"without a rule it is never found": {"{}", "lib", false},
	} {
		t.Run(name, func(t *testing.T) {
			sockets := socketDir(t)
			startSidecar(t, sockets, "tool", "spec:\n  generate: {command: [cat, x]}\n  discover: "+c.rule+"\n")
			found, err := newClient(t, plugin.ClientOptions{SocketDir: sockets}).Discover(t.Context(), request("", c.path))
			if err != nil || (found == "tool") != c.want {
				t.Errorf("found %q, %v", found, err)
			}
		})
	}
	t.Run("one that does not answer is an error, unless another takes the source", func(t *testing.T) {
		sockets := socketDir(t)
		listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(sockets, "a-gone.sock"), Net: "unix"})
		if err != nil {
			t.Fatal(err)
		}
		listener.SetUnlinkOnClose(false)
		listener.Close()
		startSidecar(t, sockets, "b-tool", "spec:\n  generate: {command: [cat, x]}\n  discover: {fileName: common}\n")
		client := newClient(t, plugin.ClientOptions{SocketDir: sockets})
		if found, err := client.Discover(t.Context(), request("", "apps/a")); !errors.Is(err, plugin.ErrUnavailable) || found != "" {
			t.Errorf("found %q, %v; want an error", found, err)
		}
		if found, err := client.Discover(t.Context(), request("", "lib")); err != nil || found != "b-tool" {
			t.Errorf("found %q, %v; want the one that takes it", found, err)
		}
	})
	t.Run("a rule that fails does not match", func(t *testing.T) {
		sockets := socketDir(t)
		startSidecar(t, sockets, "a-ill", "spec:\n  generate: {command: [cat, x]}\n  discover: {find: {command: ['/absent']}}\n")
		startSidecar(t, sockets, "b-tool", "spec:\n  generate: {command: [cat, x]}\n  discover: {fileName: common}\n")
		client := newClient(t, plugin.ClientOptions{SocketDir: sockets})
		if found, err := client.Discover(t.Context(), request("", "apps/a")); err != nil || found != "" {
			t.Errorf("found %q, %v; want none", found, err)
		}
		if found, err := client.Discover(t.Context(), request("", "lib")); err != nil || found != "b-tool" {
			t.Errorf("found %q, %v; want the one that takes it", found, err)
		}
	})
}
