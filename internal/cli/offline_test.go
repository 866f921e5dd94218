package cli

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// checkout is a Git repository in a folder, with one Application, a Secret and
// an overlay.
type checkout struct {
	dir, data string
}

func newCheckout(t *testing.T) *checkout {
	t.Helper()
	c := &checkout{dir: t.TempDir(), data: t.TempDir()}
	c.git(t, "init", "-q", "-b", "main")
	c.write(t, "apps/web.yaml", `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: web}
spec:
  project: default
  source: {repoURL: https://git.example.com/team/web.git, path: web}
  destination: {server: https://kubernetes.default.svc, namespace: web}
`)
	c.write(t, "web/config.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {color: red}\n")
	c.write(t, "web/secret.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: web}\nstringData: {password: swordfish, user: web}\n")
	c.write(t, "namespaces/team/Chart.yaml", "apiVersion: v2\nname: team\nversion: 0.1.0\n")
	c.write(t, "namespaces/team/common-values.yaml", "size: 1\n")
	c.write(t, "namespaces/team/templates/config.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: team}\ndata: {size: {{ .Values.size | quote }}}\n")
	c.write(t, "clusters/dev/team/dev-values.yaml", "{}\n")
	c.commit(t)
	return c
}

func (c *checkout) git(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-C", c.dir, "-c", "user.name=Tester", "-c", "user.email=tester@example.com"}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %q: %v: %s", args, err, out)
	}
}

func (c *checkout) write(t *testing.T, name, content string) {
	t.Helper()
	file := filepath.Join(c.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (c *checkout) commit(t *testing.T) {
	t.Helper()
	c.git(t, "add", "-A")
	c.git(t, "commit", "-q", "-m", "Change")
}

// fairlead runs a command as a user would in the folder.
func (c *checkout) fairlead(t *testing.T, args ...string) (string, error) {
	t.Helper()
	root := NewRoot(func(string) (string, bool) { return "", false })
	var out strings.Builder
	root.SetOut(&out)
	root.SetErr(&out)
	root.SetArgs(append(args, "--local", c.dir, "--data-dir", c.data))
	err := root.ExecuteContext(t.Context())
	return out.String(), err
}

func TestRenderPrintsWhatAControllerWouldWant(t *testing.T) {
	c := newCheckout(t)
	app := filepath.Join(c.dir, "apps")
	c.write(t, "web/config.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {color: blue}\n")
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"names":                    {[]string{"-f", app, "-o", "name"}, "ConfigMap web\nSecret web\n"},
		"an overlay":               {[]string{"--cluster", "dev", "--namespace", "team"}, "---\napiVersion: v1\ndata:\n  size: \"1\"\nkind: ConfigMap\nmetadata:\n  name: team\n"},
		"the working copy as JSON": {[]string{"-f", app, "-o", "json"}, `"color":"blue"`},
		"a commit":                 {[]string{"-f", app, "-o", "json", "--revision", "main"}, `"color":"red"`},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := c.fairlead(t, append([]string{"render"}, test.args...)...)
			if err != nil || !strings.Contains(out, test.want) {
				t.Errorf("error %v, output:\n%s\nwant in it:\n%s", err, out, test.want)
			}
		})
	}
}

func TestRenderSaysWhatIsWrong(t *testing.T) {
	c := newCheckout(t)
	app := filepath.Join(c.dir, "apps")
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"nothing to render": {nil, "say what to render"},
		"half an overlay":   {[]string{"--cluster", "dev"}, "give both"},
		"no Application":    {[]string{"-f", filepath.Join(c.dir, "web")}, "no Application"},
		"no such format":    {[]string{"-f", app, "-o", "xml"}, "choose yaml, json or name"},
		"no such commit":    {[]string{"-f", app, "--revision", "nope"}, `no commit "nope"`},
		"no such overlay":   {[]string{"--cluster", "dev", "--namespace", "nobody"}, "nobody"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := c.fairlead(t, append([]string{"render"}, test.args...)...); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}

func TestImpactListsWhatRendersDifferently(t *testing.T) {
	c := newCheckout(t)
	c.write(t, "README.md", "words")
	c.commit(t)
	t.Run("nothing, when nothing that is read has changed", func(t *testing.T) {
		out, err := c.fairlead(t, "impact", "HEAD~1..HEAD", "--exit-code", "-o", "json")
		var found impact
		if err != nil || json.Unmarshal([]byte(out), &found) != nil || len(found.Applications) != 0 || found.Examined != 2 || found.Rendered != 2 {
			t.Errorf("error %v, output %s", err, out)
		}
	})
	c.write(t, "web/config.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {color: blue}\n")
	c.write(t, "web/secret.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: web}\nstringData: {password: marlin, user: web}\n")
	c.write(t, "web/more.yaml", "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: web}\n")
	c.commit(t)
	t.Run("with every difference, and no value of a Secret", func(t *testing.T) {
		out, err := c.fairlead(t, "impact", "HEAD~1..HEAD", "--diff", "--exit-code")
		var status exitStatus
		if !errors.As(err, &status) || status != 2 {
			t.Errorf("error %v, want the status 2", err)
		}
		want := `web: 1 added, 2 changed, 0 removed
--- ConfigMap web (before)
+++ ConfigMap web (after)
@@ -1,6 +1,6 @@
 apiVersion: v1
 data:
-  color: red
+  color: blue
 kind: ConfigMap
 metadata:
   name: web
--- Secret web (before)
+++ Secret web (after)
@@ -3,5 +3,5 @@
 metadata:
   name: web
 stringData:
-  password: (the value before)
+  password: (another value)
   user: (unchanged)
--- /dev/null
+++ ServiceAccount web (after)
@@ -0,0 +1,4 @@
+apiVersion: v1
+kind: ServiceAccount
+metadata:
+  name: web
`
		if i := strings.LastIndex(out, "1 of 2 applications differ"); i < 0 || cmp.Diff(want, out[:i]) != "" {
			t.Errorf("output:\n%s\ndifference:\n%s", out, cmp.Diff(want, out[:max(i, 0)]))
		}
	})
	t.Run("and an error where one cannot be rendered", func(t *testing.T) {
		c.write(t, "web/config.yaml", "apiVersion: v1\nkind: ConfigMap\n")
		c.commit(t)
		out, err := c.fairlead(t, "impact", "HEAD~1..HEAD")
		if err == nil || errors.As(err, new(exitStatus)) || !strings.Contains(out, "web: error: at ") {
			t.Errorf("error %v, output:\n%s", err, out)
		}
	})
	if _, err := c.fairlead(t, "impact", "main"); err == nil || !strings.Contains(err.Error(), "BASE..HEAD") {
		t.Errorf("one commit gives the error %v", err)
	}
}

func TestSecretsAreMaskedWhateverTheyHold(t *testing.T) {
	old := map[string]any{"apiVersion": "v1", "kind": "Secret", "data": map[string]any{"gone": "aaa", "same": "bbb", "new": "ccc"}, "stringData": "ddd"}
	now := map[string]any{"apiVersion": "v1", "kind": "Secret", "data": map[string]any{"same": "bbb", "new": "eee", "added": "fff"}}
	maskSecret(old, now)
	maskSecret(nil, nil)
	for _, side := range []map[string]any{old, now} {
		text := strings.Join(linesOf(side), "")
		for _, secret := range []string{"aaa", "bbb", "ccc", "ddd", "eee", "fff"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s is shown:\n%s", secret, text)
			}
		}
	}
}
