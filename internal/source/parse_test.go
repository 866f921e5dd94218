package source

import (
	"bytes"
	"errors"
	"io/fs"
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
