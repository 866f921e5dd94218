package source

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func FuzzParseTree(f *testing.F) {
	id := strings.Repeat("\x01", 20)
	f.Add([]byte("100644 a\x00" + id + "40000 b\x00" + id))
	f.Add([]byte("160000 m\x00" + id + "120000 l\x00" + id))
	f.Add([]byte("100644 ..\x00" + id))
	f.Add([]byte("100644 a"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		parsed, err := parseTree(raw)
		if err != nil {
			return
		}
		for i, e := range parsed {
			if e.name == "" || e.name == "." || e.name == ".." || strings.ContainsAny(e.name, "/\x00") {
				t.Errorf("name %q", e.name)
			}
			if got, ok := parsed.find(e.name); !ok || got != parsed[i] {
				t.Errorf("find(%q) = %v, %v", e.name, got, ok)
			}
		}
	})
}

func TestBadTreesAreRefused(t *testing.T) {
	id := strings.Repeat("\x01", 20)
	for name, raw := range map[string]string{
		"parent":            "100644 ..\x00" + id,
		"self":              "40000 .\x00" + id,
		"slash":             "100644 a/b\x00" + id,
		"no name":           "100644 \x00" + id,
		"cut id":            "100644 a\x00" + id[:19],
		"no end of name":    "100644 abc",
		"unknown mode":      "100600 a\x00" + id,
		"mode not a number": "x a\x00" + id,
		"no mode":           " a\x00" + id,
		"twice":             "100644 a\x00" + id + "40000 a\x00" + id,
	} {
		if got, err := parseTree([]byte(raw)); err == nil {
			t.Errorf("%s: parsed %v", name, got)
		}
	}
}

func FuzzListings(f *testing.F) {
	f.Add([]byte("003d" + strings.Repeat("a", 40) + " HEAD symref-target:x0000"))
	f.Add([]byte("001e# service=git-upload-pack\n0000000eversion 2\n0000"))
	f.Add([]byte("0045" + strings.Repeat("b", 40) + " refs/heads/main\x00symref=HEAD:x\n0000"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if found, err := readLsRefs(bytes.NewReader(raw), nil); err == nil {
			for name := range found.ids {
				if !wantedRef(name) {
					t.Errorf("reference %q", name)
				}
			}
		}
		readAdvertisement(bytes.NewReader(raw), nil) //nolint:errcheck // only must not panic
	})
}

func FuzzRevision(f *testing.F) {
	for _, s := range []string{"", "main", "v1.*", ">=1 <2", "refs/heads/main", "1.x"} {
		f.Add(s, "")
	}
	all := newRefs()
	all.head = "refs/heads/main"
	for _, name := range []string{"HEAD", "refs/heads/main", "refs/tags/v1.0.0", "refs/tags/p/2.0"} {
		all.add(name, strings.Repeat("a", 40))
	}
	f.Fuzz(func(t *testing.T, revision, prefix string) {
		if id, ok, _ := all.find(revision, prefix); ok && len(id) != 40 {
			t.Errorf("find(%q, %q) = %q", revision, prefix, id)
		}
	})
}

func FuzzParseCommit(f *testing.F) {
	f.Add("tree " + strings.Repeat("a", 40) + "\nauthor A <a@b> 1 +0200\ngpgsig -----\n x\n\nmessage")
	f.Fuzz(func(_ *testing.T, raw string) {
		parseCommit(raw) //nolint:errcheck // only must not panic
	})
}

func FuzzPath(f *testing.F) {
	for _, s := range []string{"a/f", "l", "../x", "a/l/../f", "up/up/up", "a/../../x"} {
		f.Add(s, "a/l", true)
	}
	file, folder := ObjectID{1}, ObjectID{2}
	f.Fuzz(func(t *testing.T, name, target string, follow bool) {
		all := &Mirrors{cache: newObjectCache(1 << 20)}
		m := &mirror{all: all}
		link := ObjectID{3}
		inner := tree{{"f", modeFile, file}, {"l", modeLink, link}}
		all.cache.put(objectKey{mirror: m, id: folder}, cached{tree: inner})
		all.cache.put(objectKey{mirror: m, id: link}, cached{blob: []byte(target)})
		s := &Snapshot{mirror: m, top: tree{{"a", modeTree, folder}, {"l", modeLink, link}, {"up", modeLink, link}}}
		slices.SortFunc(s.top, func(a, b entry) int { return strings.Compare(a.name, b.name) })
		n, err := s.find("open", name, follow)
		switch {
		case err != nil:
			var failure *fs.PathError
			if !errors.As(err, &failure) {
				t.Errorf("find(%q) fails with %v", name, err)
			}
		case n.id != file && n.id != folder && n.id != link && n.id != s.root:
			t.Errorf("find(%q) = %v", name, n)
		case follow && n.mode == modeLink:
			t.Errorf("find(%q) stops at a link", name)
		}
	})
}

func TestSecretsAreTakenOutOfMessages(t *testing.T) {
	r := Repository{URL: "https://host/x", Username: "user", Password: "p@ss/word", BearerToken: ""}
	in := "fatal: unable to access 'https://user:p%40ss%2Fword@host/x': p@ss/word Authorization: " + r.authorization()
	got := r.redact(in)
	for _, secret := range []string{"p@ss", "p%40ss", strings.TrimPrefix(r.authorization(), "Basic ")} {
		if strings.Contains(got, secret) {
			t.Errorf("%q is left in %q", secret, got)
		}
	}
}

func TestURLsAreNormalized(t *testing.T) {
	for in, want := range map[string]string{
		"https://Host/a/b.git/":       "https://host/a/b.git",
		" http://u:p@host:80/x ":      "http://host:80/x",
		"git@Host:org/repo.git/":      "host:org/repo.git",
		"host:org/repo.git":           "host:org/repo.git",
		"git@host:/srv/repo.git":      "ssh://host/srv/repo.git",
		"git@host:a%20b":              "host:a%20b",
		"git@host:-x":                 "",
		"ssh://git@host:22/org/r.git": "ssh://host:22/org/r.git",
		"file:///srv/git/x":           "file:///srv/git/x",
		"file://localhost/srv":        "file:///srv",
		"https://host/a%2Fb":          "https://host/a%2Fb",
		"/srv/git/x":                  "",
		"../x":                        "",
		"ext::sh -c id":               "",
		"ftp://host/x":                "",
		"https:///x":                  "",
		"file://other/x":              "",
		"ssh://-oProxyCommand=x/y":    "",
		"-x:y":                        "",
		"ssh://host/-x":               "",
		"":                            "",
	} {
		got, err := Repository{URL: in}.normalize()
		if want == "" && err == nil || want != "" && (err != nil || got.URL != want) {
			t.Errorf("normalize(%q) = %q, %v, want %q", in, got.URL, err, want)
		}
	}
}

func TestEveryFieldOfARepositoryCounts(t *testing.T) {
	fields := reflect.TypeFor[Repository]()
	for i := range fields.NumField() {
		var a, b Repository
		switch field := reflect.ValueOf(&b).Elem().Field(i); field.Kind() {
		case reflect.String:
			field.SetString("x")
		case reflect.Bool:
			field.SetBool(true)
		case reflect.Int64:
			field.SetInt(1)
		default:
			field.SetBytes([]byte("x"))
		}
		if a.equal(&b) {
			t.Errorf("%s makes no difference to equal", fields.Field(i).Name)
		}
		a.URL, b.URL = "https://host/x", "https://host/x"+strings.TrimPrefix(b.URL, "x")
		if name := fields.Field(i).Name; name != "Project" && name != "URL" && a.Key() == b.Key() {
			t.Errorf("%s makes no difference to Key", name)
		}
	}
}

func FuzzParseConfig(f *testing.F) {
	f.Add([]byte("[submodule \"a\\\"b\"]\n\tpath = x ; comment\n\turl = \"https://h/x\" # c\n[lfs]url=x\n[a.B]\r\nkey\r\n"))
	f.Add([]byte("[a]\nb = \"c\\\nd\"e\\t\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		settings, err := parseConfig(raw)
		if err != nil && settings != nil {
			t.Error("settings beside an error")
		}
		for _, one := range settings {
			if one.section == "" || one.key == "" || one.key != strings.ToLower(one.key) {
				t.Errorf("setting %+v", one)
			}
		}
		modulesOf(settings)
	})
}

func TestConfigurationIsReadAsGitReadsIt(t *testing.T) {
	for name, text := range map[string]string{
		"plain":       "[submodule \"a\"]\n\tpath = x\n\turl = https://host/x\n",
		"quotes":      "[Submodule \"A b\\\"c\\\\\"]\n\tPath = \" x \" y  # comment\n\turl=\"a;b\" ; c\n",
		"one line":    "[a] b = c\n[d]e\n[f.G]h=i",
		"escapes":     "[a]\nb = \\t\\n\\\"\\\\x\\b\nc = one \\\n two\n",
		"line ends":   "[a]\r\nb = c\r\nd = \"e\"\r\n",
		"empty value": "[a]\nb =\nc = \"\"\n",
		"comment":     "# one\n; two\n[a] # three\n b = c\n",
		"again":       "[a]\nb = 1\n[a]\nb = 2\n",
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "config")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command("git", "config", "--file", file, "--null", "--list").Output()
			if err != nil {
				t.Fatal(err)
			}
			settings, err := parseConfig([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			for _, one := range settings {
				name := one.section
				if one.subsection != "" {
					name += "." + one.subsection
				}
				got.WriteString(name + "." + one.key + "\n" + one.value + "\x00")
			}
			// git prints no value for a key that stands alone, which means true.
			want := strings.ReplaceAll(string(out), "d.e\x00", "d.e\ntrue\x00")
			if got.String() != want {
				t.Errorf("got %q, want %q", got.String(), want)
			}
		})
	}
	for _, text := range []string{"a = b", "[a", "[a \"b]\nc", "[a]\nb = \"c", "[a]\nb = \\x", "[]\na=b", "[a]\n?=1", "[a]\nb c", "[a b]\nc=d"} {
		if got, err := parseConfig([]byte(text)); err == nil {
			t.Errorf("%q is read as %v", text, got)
		}
	}
}

func FuzzParsePointer(f *testing.F) {
	f.Add([]byte("version https://git-lfs.github.com/spec/v1\noid sha256:" + strings.Repeat("a", 64) + "\nsize 12\n"))
	f.Add([]byte("version https://git-lfs.github.com/spec/v1\nsize 12\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if p, ok := parsePointer(raw); ok && (len(p.oid) != 64 || !isHex(p.oid) || p.size < 0) {
			t.Errorf("pointer %+v", p)
		}
	})
}

func FuzzModuleAddress(f *testing.F) {
	f.Add("https://host/a/b.git", "../c.git")
	f.Add("git@host:a/b.git", "../../../c")
	f.Add("file:///srv/a", "/etc")
	f.Fuzz(func(t *testing.T, parent, raw string) {
		normal, err := Repository{URL: parent}.normalize()
		if err != nil {
			return
		}
		m := &Mirrors{}
		repo, err := m.moduleRepository(t.Context(), normal, raw)
		if err != nil {
			return
		}
		if repo.scheme() == "file" && normal.scheme() != "file" {
			t.Errorf("%q of %q gives %s", raw, parent, repo.URL)
		}
		relative := strings.HasPrefix(raw, "./") || strings.HasPrefix(raw, "../")
		if relative && (repo.scheme() != normal.scheme() || hostName(repo.URL) != hostName(normal.URL)) {
			t.Errorf("%q of %q leads elsewhere: %s", raw, parent, repo.URL)
		}
	})
}
