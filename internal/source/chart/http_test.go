package chart_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fairlead-cd/fairlead/internal/source"
	"github.com/fairlead-cd/fairlead/internal/source/chart"
	"github.com/fairlead-cd/fairlead/test/helmserver"
)

func open(t *testing.T, o chart.Options) *chart.Store {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	if o.RetryDelay == 0 {
		o.RetryDelay = time.Millisecond
	}
	s, err := chart.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func get(t *testing.T, s *chart.Store, repo source.Repository, name, version string) (chart.Chart, []byte) {
	t.Helper()
	c, err := s.Get(t.Context(), repo, name, version, false)
	if err != nil {
		t.Fatalf("getting %s %s: %v", name, version, err)
	}
	data, err := c.Archive(t.Context())
	if err != nil {
		t.Fatalf("reading the archive of %s %s: %v", name, version, err)
	}
	if helmserver.Digest(data) != c.Digest {
		t.Errorf("the archive of %s %s has not the digest that is stated", name, version)
	}
	return c, data
}

func demo(version string) helmserver.Chart {
	return helmserver.Chart{
		Name: "demo", Version: version, AppVersion: "app-" + version,
		Files: map[string]string{"values.yaml": "version: " + version + "\n"},
	}
}

func TestAChartIsFetchedOnceAndThenAnsweredFromDisk(t *testing.T) {
	server := helmserver.Start(t, helmserver.Options{}, demo("1.0.0"), demo("1.1.0"))
	repo := source.Repository{URL: server.URL()}
	dir := t.TempDir()
	s := open(t, chart.Options{Dir: dir})
	exact, first := get(t, s, repo, "demo", "1.0.0")
	ranged, _ := get(t, s, repo, "demo", "1.*")
	if exact.Version != "1.0.0" || ranged.Version != "1.1.0" {
		t.Errorf("versions = %s, %s; want 1.0.0, 1.1.0", exact.Version, ranged.Version)
	}
	if n := len(server.Requests("index.yaml")); n != 1 {
		t.Errorf("the index was asked for %d times, want once", n)
	}
	server.SetFault(helmserver.Fault{Status: 503})
	s.Close()

	s = open(t, chart.Options{Dir: dir})
	again, data := get(t, s, repo, "demo", "1.0.0")
	if again.Digest != exact.Digest || !bytes.Equal(data, first) {
		t.Error("after a restart without the server the chart is another")
	}
	if c, _ := get(t, s, repo, "demo", "1.*"); c.Version != "1.1.0" {
		t.Errorf("the range gives %s without the server, want 1.1.0", c.Version)
	}
	if v, err := s.Resolve(t.Context(), repo, "demo", "1.*", time.Hour); err != nil || v != "1.1.0" {
		t.Errorf("Resolve within maxAge = %q, %v; want 1.1.0", v, err)
	}
	if _, err := s.Resolve(t.Context(), repo, "demo", "1.*", 0); !errors.Is(err, source.ErrUnreachable) {
		t.Errorf("Resolve with maxAge 0 = %v, want ErrUnreachable", err)
	}
}

func TestVersionsAreChosenAsHelmDoes(t *testing.T) {
	server := helmserver.Start(t, helmserver.Options{},
		demo("1.9.0"), demo("1.10.0"), demo("2.0.0-rc.1"), demo("1.2.3+build.5"), demo("v0.9.0"), demo("0.1.0"))
	if _, err := server.Add(helmserver.Chart{Name: "early", Version: "0.1.0-alpha.1"}); err != nil {
		t.Fatal(err)
	}
	repo := source.Repository{URL: server.URL()}
	s := open(t, chart.Options{})
	for name, test := range map[string]struct{ chart, want, version string }{
		"empty is the newest that is no pre-release": {"demo", "", "1.10.0"},
		"a star too":                                   {"demo", "*", "1.10.0"},
		"a wildcard":                                   {"demo", "1.9.x", "1.9.0"},
		"a comparison":                                 {"demo", ">=1.0 <1.10", "1.9.0"},
		"a caret":                                      {"demo", "^1.2", "1.10.0"},
		"a pre-release for a range that has one":       {"demo", ">=2.0.0-0", "2.0.0-rc.1"},
		"no pre-release for a range without":           {"demo", ">=2", ""},
		"a pre-release by its name":                    {"demo", "2.0.0-rc.1", "2.0.0-rc.1"},
		"build metadata by its name":                   {"demo", "1.2.3+build.5", "1.2.3+build.5"},
		"build metadata need not be named":             {"demo", "1.2.3", "1.2.3+build.5"},
		"a leading v need not be named":                {"demo", "0.9.0", "v0.9.0"},
		"a minor version is a range":                   {"demo", "1.9", "1.9.0"},
		"a version that is not there":                  {"demo", "3.0.0", ""},
		"a chart that is not there":                    {"other", "", ""},
		"pre-releases only, and none is asked for":     {"early", "", ""},
		"pre-releases only, and a range that has them": {"early", ">0.0.0-0", "0.1.0-alpha.1"},
		"a branch is no version":                       {"demo", "main", ""},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := s.Get(t.Context(), repo, test.chart, test.want, false)
			if test.version == "" {
				if !errors.Is(err, source.ErrRevisionNotFound) {
					t.Errorf("Get = %s, %v; want ErrRevisionNotFound", c.Version, err)
				}
				return
			}
			if err != nil || c.Version != test.version {
				t.Errorf("Get = %s, %v; want %s", c.Version, err, test.version)
			}
		})
	}
}

func TestAnUnchangedIndexIsNotSentAgain(t *testing.T) {
	server := helmserver.Start(t, helmserver.Options{}, demo("1.0.0"))
	repo := source.Repository{URL: server.URL()}
	dir := t.TempDir()
	s := open(t, chart.Options{Dir: dir})
	resolve := func(want string) {
		t.Helper()
		if v, err := s.Resolve(t.Context(), repo, "demo", "*", 0); err != nil || v != want {
			t.Fatalf("Resolve = %q, %v; want %s", v, err, want)
		}
	}
	resolve("1.0.0")
	resolve("1.0.0")
	s.Close()
	s = open(t, chart.Options{Dir: dir})
	resolve("1.0.0")
	var statuses []int
	for _, r := range server.Requests("index.yaml") {
		statuses = append(statuses, r.Status)
	}
	if len(statuses) != 3 || statuses[0] != 200 || statuses[1] != 304 || statuses[2] != 304 {
		t.Errorf("statuses of the index = %v, want 200 304 304", statuses)
	}
	if _, err := server.Add(demo("1.0.1")); err != nil {
		t.Fatal(err)
	}
	resolve("1.0.1")
}

func TestAFreshGetAsksForTheIndexOnce(t *testing.T) {
	server := helmserver.Start(t, helmserver.Options{}, demo("1.0.0"))
	repo := source.Repository{URL: server.URL()}
	s := open(t, chart.Options{})
	get(t, s, repo, "demo", "^1")
	if _, err := server.Add(demo("1.1.0")); err != nil {
		t.Fatal(err)
	}
	server.Forget()
	if c, _ := get(t, s, repo, "demo", "^1"); c.Version != "1.0.0" {
		t.Errorf("a range that was resolved before gives %s", c.Version)
	}
	c, err := s.Get(t.Context(), repo, "demo", "^1", true)
	if err != nil || c.Version != "1.1.0" {
		t.Errorf("a fresh Get = %s, %v", c.Version, err)
	}
	if n := len(server.Requests("index.yaml")); n != 1 {
		t.Errorf("the index was asked for %d times, want once", n)
	}
	if c, _ := get(t, s, repo, "demo", "^1"); c.Version != "1.1.0" {
		t.Errorf("after a fresh Get the range gives %s", c.Version)
	}
}

func TestCallersAtOneTimeShareRequests(t *testing.T) {
	server := helmserver.Start(t, helmserver.Options{}, demo("1.0.0"))
	repo := source.Repository{URL: server.URL()}
	s := open(t, chart.Options{})
	var wait sync.WaitGroup
	for i := range 50 {
		wait.Go(func() {
			version := "1.0.0"
			if i%2 == 0 {
				version = "^1"
			}
			c, err := s.Get(t.Context(), repo, "demo", version, false)
			if err == nil {
				_, err = c.Archive(t.Context())
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if n, m := len(server.Requests("index.yaml")), len(server.Requests(".tgz")); n != 1 || m != 1 {
		t.Errorf("%d requests for the index and %d for the archive, want one each", n, m)
	}
}

func TestCredentialsStayWithTheirServer(t *testing.T) {
	const password = "s3cr/et"
	seen := func(t *testing.T, s *helmserver.Server, suffix string) bool {
		t.Helper()
		requests := s.Requests(suffix)
		if len(requests) == 0 {
			t.Fatalf("no request for %s", suffix)
		}
		return requests[len(requests)-1].Header.Get("Authorization") != ""
	}
	t.Run("archives on another server get them only when they are to be passed", func(t *testing.T) {
		for _, pass := range []bool{false, true} {
			other := helmserver.Start(t, helmserver.Options{}, demo("1.0.0"))
			server := helmserver.Start(t, helmserver.Options{Username: "u", Password: password, Archives: other.URL() + "/"}, demo("1.0.0"))
			repo := source.Repository{URL: server.URL(), Username: "u", Password: password, PassCredentials: pass}
			get(t, open(t, chart.Options{}), repo, "demo", "1.0.0")
			if got := seen(t, other, ".tgz"); got != pass {
				t.Errorf("with PassCredentials %v the other server got credentials: %v", pass, got)
			}
		}
	})
	t.Run("a redirect to another port takes none along", func(t *testing.T) {
		other := helmserver.Start(t, helmserver.Options{}, demo("1.0.0"))
		server := helmserver.Start(t, helmserver.Options{Username: "u", Password: password}, demo("1.0.0"))
		server.SetFault(helmserver.Fault{Redirect: strings.TrimSuffix(other.URL(), "/charts"), Only: ".tgz"})
		repo := source.Repository{URL: server.URL(), Username: "u", Password: password}
		get(t, open(t, chart.Options{}), repo, "demo", "1.0.0")
		if seen(t, other, ".tgz") {
			t.Error("the other server got the credentials")
		}
	})
	t.Run("nothing encrypted is redirected to plain HTTP", func(t *testing.T) {
		other := helmserver.Start(t, helmserver.Options{}, demo("1.0.0"))
		server := helmserver.Start(t, helmserver.Options{TLS: true}, demo("1.0.0"))
		server.SetFault(helmserver.Fault{Redirect: strings.TrimSuffix(other.URL(), "/charts")})
		_, err := open(t, chart.Options{}).Get(t.Context(), source.Repository{URL: server.URL(), CAData: server.CA()}, "demo", "", false)
		if !errors.Is(err, source.ErrUnreachable) || !strings.Contains(err.Error(), "without encryption") {
			t.Errorf("Get = %v, want a refusal", err)
		}
	})
	t.Run("wrong ones are an authentication error that does not repeat them", func(t *testing.T) {
		server := helmserver.Start(t, helmserver.Options{BearerToken: "right"}, demo("1.0.0"))
		_, err := open(t, chart.Options{}).Get(t.Context(), source.Repository{URL: server.URL(), BearerToken: "wrong-token"}, "demo", "", false)
		if !errors.Is(err, source.ErrAuthentication) || strings.Contains(err.Error(), "wrong-token") {
			t.Errorf("Get = %v, want ErrAuthentication", err)
		}
		get(t, open(t, chart.Options{}), source.Repository{URL: server.URL(), BearerToken: "right"}, "demo", "")
	})
	t.Run("an unknown certificate is refused unless the repository is insecure", func(t *testing.T) {
		server := helmserver.Start(t, helmserver.Options{TLS: true}, demo("1.0.0"))
		s := open(t, chart.Options{})
		if _, err := s.Get(t.Context(), source.Repository{URL: server.URL()}, "demo", "", false); !errors.Is(err, source.ErrUnreachable) {
			t.Errorf("Get = %v, want ErrUnreachable", err)
		}
		get(t, s, source.Repository{URL: server.URL(), Insecure: true}, "demo", "")
		get(t, s, source.Repository{URL: server.URL(), CAData: server.CA()}, "demo", "")
	})
}

func TestOneIsNotServedWhatAnotherFetched(t *testing.T) {
	server := helmserver.Start(t, helmserver.Options{Username: "u", Password: "right"}, demo("1.0.0"))
	s := open(t, chart.Options{})
	owner := source.Repository{URL: server.URL(), Username: "u", Password: "right"}
	c, _ := get(t, s, owner, "demo", "1.0.0")
	if _, err := s.Get(t.Context(), source.Repository{URL: server.URL()}, "demo", "1.0.0", false); !errors.Is(err, source.ErrAuthentication) {
		t.Errorf("without credentials Get = %v, want ErrAuthentication", err)
	}

	// An index that claims the digest of a foreign chart opens nothing.
	thief := helmserver.Start(t, helmserver.Options{})
	thief.SetIndex([]byte("entries:\n  demo:\n  - version: 1.0.0\n    digest: " + c.Digest + "\n    urls: [nothing.tgz]\n"))
	stolen, err := s.Get(t.Context(), source.Repository{URL: thief.URL()}, "demo", "1.0.0", false)
	if err != nil {
		t.Fatal(err)
	}
	if data, err := stolen.Archive(t.Context()); err == nil {
		t.Errorf("a claimed digest gave %d bytes of somebody else's chart", len(data))
	}
}

func TestAFailingServerIsTriedAgainAndThenLeftAlone(t *testing.T) {
	server := helmserver.Start(t, helmserver.Options{}, demo("1.0.0"))
	repo := source.Repository{URL: server.URL()}
	t.Run("a passing failure is not seen", func(t *testing.T) {
		for _, fault := range []helmserver.Fault{
			{Status: 503, Times: 2, Only: "index.yaml"}, {Truncate: 40, Times: 2, Only: "index.yaml"},
			{Status: 500, Times: 2, Only: ".tgz"}, {Truncate: 40, Times: 2, Only: ".tgz"},
		} {
			server.SetFault(fault)
			get(t, open(t, chart.Options{}), repo, "demo", "1.0.0")
		}
	})
	t.Run("a lasting one is remembered for a moment", func(t *testing.T) {
		now := time.Now()
		var mu sync.Mutex
		s := open(t, chart.Options{Now: func() time.Time { mu.Lock(); defer mu.Unlock(); return now }})
		server.SetFault(helmserver.Fault{Status: 500})
		server.Forget()
		for range 20 {
			if _, err := s.Get(t.Context(), repo, "demo", "1.0.0", false); !errors.Is(err, source.ErrUnreachable) {
				t.Fatalf("Get = %v, want ErrUnreachable", err)
			}
		}
		if n := len(server.Requests("index.yaml")); n != 3 {
			t.Errorf("%d requests, want 3", n)
		}
		server.SetFault(helmserver.Fault{})
		if _, err := s.Get(t.Context(), repo, "demo", "1.0.0", true); err != nil {
			t.Errorf("a fresh Get = %v, want it to ask", err)
		}
		mu.Lock()
		now = now.Add(time.Minute)
		mu.Unlock()
		get(t, s, repo, "demo", "1.0.0")
	})
	t.Run("silence ends", func(t *testing.T) {
		server.SetFault(helmserver.Fault{Hang: true})
		defer server.SetFault(helmserver.Fault{})
		s := open(t, chart.Options{Silence: 20 * time.Millisecond})
		if _, err := s.Get(t.Context(), repo, "demo", "1.0.0", false); !errors.Is(err, source.ErrUnreachable) || !strings.Contains(err.Error(), "in time") {
			t.Errorf("Get = %v, want ErrUnreachable", err)
		}
	})
}

func TestWhatIsNotWhatItShouldBeIsRefused(t *testing.T) {
	t.Run("an archive with another digest", func(t *testing.T) {
		server := helmserver.Start(t, helmserver.Options{}, demo("1.0.0"))
		repo := source.Repository{URL: server.URL()}
		s := open(t, chart.Options{})
		server.SetFault(helmserver.Fault{Corrupt: true, Only: ".tgz"})
		c, err := s.Get(t.Context(), repo, "demo", "1.0.0", false)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Archive(t.Context()); !errors.Is(err, source.ErrDamaged) {
			t.Errorf("Archive = %v, want ErrDamaged", err)
		}
		if n := len(server.Requests(".tgz")); n != 2 {
			t.Errorf("it was downloaded %d times, want once more after asking for the index again", n)
		}
	})
	t.Run("a page instead of an archive", func(t *testing.T) {
		server := helmserver.Start(t, helmserver.Options{NoDigests: true}, demo("1.0.0"))
		server.SetFile("demo-1.0.0.tgz", []byte("<html>please log in</html>"))
		_, err := open(t, chart.Options{}).Get(t.Context(), source.Repository{URL: server.URL()}, "demo", "1.0.0", false)
		if !errors.Is(err, source.ErrDamaged) {
			t.Errorf("Get = %v, want ErrDamaged", err)
		}
	})
	t.Run("a page instead of an index", func(t *testing.T) {
		server := helmserver.Start(t, helmserver.Options{})
		server.SetIndex([]byte("<html>\n<body>please log in</body>\n"))
		_, err := open(t, chart.Options{}).Get(t.Context(), source.Repository{URL: server.URL()}, "demo", "1.0.0", false)
		if !errors.Is(err, source.ErrDamaged) {
			t.Errorf("Get = %v, want ErrDamaged", err)
		}
	})
	t.Run("an index or an archive that is too large", func(t *testing.T) {
		server := helmserver.Start(t, helmserver.Options{}, demo("1.0.0"))
		repo := source.Repository{URL: server.URL()}
		if _, err := open(t, chart.Options{MaxIndex: 100}).Get(t.Context(), repo, "demo", "", false); !errors.Is(err, source.ErrTooLarge) {
			t.Errorf("Get = %v, want ErrTooLarge", err)
		}
		c, err := open(t, chart.Options{MaxArchive: 100}).Get(t.Context(), repo, "demo", "", false)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Archive(t.Context()); !errors.Is(err, source.ErrTooLarge) {
			t.Errorf("Archive = %v, want ErrTooLarge", err)
		}
	})
	t.Run("an index that unpacks to more than it may have", func(t *testing.T) {
		var bomb bytes.Buffer
		z := gzip.NewWriter(&bomb)
		for range 1 << 10 {
			if _, err := z.Write(bytes.Repeat([]byte("# "), 1<<16)); err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb.Bytes())
		}))
		defer web.Close()
		_, err := open(t, chart.Options{MaxIndex: 1 << 20}).Get(t.Context(), source.Repository{URL: web.URL}, "demo", "", false)
		if !errors.Is(err, source.ErrTooLarge) {
			t.Errorf("Get = %v, want ErrTooLarge", err)
		}
	})
	t.Run("an index of aliases of aliases", func(t *testing.T) {
		var bomb strings.Builder
		bomb.WriteString("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n")
		for i := range 12 {
			fmt.Fprintf(&bomb, "a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i), 10), ","))
		}
		server := helmserver.Start(t, helmserver.Options{})
		for _, end := range []string{"entries: {demo: *a12}\n", "entries:\n  demo:\n  - version: *a12\n    urls: [x]\n"} {
			server.SetIndex([]byte(bomb.String() + end))
			_, err := open(t, chart.Options{}).Get(t.Context(), source.Repository{URL: server.URL()}, "demo", "", false)
			if !errors.Is(err, source.ErrDamaged) && !errors.Is(err, source.ErrRevisionNotFound) {
				t.Errorf("Get = %v, want an error about the index", err)
			}
		}
	})
	t.Run("an address that is not one of a server", func(t *testing.T) {
		server := helmserver.Start(t, helmserver.Options{Archives: "file:///etc/"}, demo("1.0.0"))
		_, err := open(t, chart.Options{}).Get(t.Context(), source.Repository{URL: server.URL()}, "demo", "", false)
		if !errors.Is(err, source.ErrDamaged) {
			t.Errorf("Get = %v, want ErrDamaged", err)
		}
	})
	t.Run("a chart replaced under its version", func(t *testing.T) {
		server := helmserver.Start(t, helmserver.Options{}, demo("1.0.0"))
		repo := source.Repository{URL: server.URL()}
		s := open(t, chart.Options{})
		c, err := s.Get(t.Context(), repo, "demo", "1.0.0", false)
		if err != nil {
			t.Fatal(err)
		}
		other := demo("1.0.0")
		other.Files["more.yaml"] = "x: 1\n"
		if _, err := server.Add(other); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Archive(t.Context()); !errors.Is(err, source.ErrDamaged) || !strings.Contains(err.Error(), "replaced") {
			t.Errorf("Archive = %v, want it to say that the chart was replaced", err)
		}
		fresh, err := s.Get(t.Context(), repo, "demo", "1.0.0", true)
		if err != nil || fresh.Digest == c.Digest {
			t.Errorf("a fresh Get = %v, %v; want the new digest", fresh.Digest, err)
		}
		get(t, s, repo, "demo", "1.0.0")
	})
}

func TestDamagedFilesAreFetchedAgain(t *testing.T) {
	server := helmserver.Start(t, helmserver.Options{}, demo("1.0.0"))
	repo := source.Repository{URL: server.URL()}
	dir := t.TempDir()
	s := open(t, chart.Options{Dir: dir})
	get(t, s, repo, "demo", "^1")
	s.Close()
	damaged := 0
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && d.Name() != "key" {
			damaged++
			return os.WriteFile(path, []byte("cut off"), 0o600)
		}
		return err
	})
	if err != nil || damaged < 4 {
		t.Fatalf("damaged %d files: %v", damaged, err)
	}
	s = open(t, chart.Options{Dir: dir})
	get(t, s, repo, "demo", "^1")
	if n := len(server.Requests(".tgz")); n != 2 {
		t.Errorf("the archive was downloaded %d times, want twice", n)
	}
}

func TestADirectoryThatIsDeletedOrCannotBeWrittenDoesNotStopTheWork(t *testing.T) {
	server := helmserver.Start(t, helmserver.Options{}, demo("1.0.0"))
	repo := source.Repository{URL: server.URL()}
	t.Run("deleted while in use", func(t *testing.T) {
		dir := t.TempDir()
		s := open(t, chart.Options{Dir: dir})
		get(t, s, repo, "demo", "1.0.0")
		if err := os.RemoveAll(filepath.Join(dir, "charts")); err != nil {
			t.Fatal(err)
		}
		get(t, s, repo, "demo", "1.0.0")
		get(t, s, repo, "demo", "^1")
	})
	t.Run("not writable", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(dir, nil, 0o600); err != nil { // no folder can be made in a file, not even by root
			t.Fatal(err)
		}
		server.Forget()
		s := open(t, chart.Options{Dir: dir})
		get(t, s, repo, "demo", "1.0.0")
		get(t, s, repo, "demo", "1.0.0")
		if n := len(server.Requests(".tgz")); n != 1 {
			t.Errorf("the archive was downloaded %d times, want once and then from memory", n)
		}
	})
}

func TestTwoStoresUseOneDirectory(t *testing.T) {
	server := helmserver.Start(t, helmserver.Options{}, demo("1.0.0"), demo("1.1.0"))
	repo := source.Repository{URL: server.URL()}
	dir := t.TempDir()
	var wait sync.WaitGroup
	for range 4 {
		s := open(t, chart.Options{Dir: dir})
		for range 8 {
			wait.Go(func() {
				for _, version := range []string{"1.0.0", "1.1.0", "*"} {
					c, err := s.Get(t.Context(), repo, "demo", version, false)
					if err == nil {
						_, err = c.Archive(t.Context())
					}
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	wait.Wait()
	server.Forget()
	get(t, open(t, chart.Options{Dir: dir}), repo, "demo", "1.1.0")
	if n := len(server.Requests("")); n != 0 {
		t.Errorf("a further store made %d requests, want none", n)
	}
}

func TestRelativeAddressesKeepTheRepositorysQuery(t *testing.T) {
	server := helmserver.Start(t, helmserver.Options{Archives: "../charts/"}, demo("1.0.0"))
	get(t, open(t, chart.Options{}), source.Repository{URL: server.URL() + "/"}, "demo", "1.0.0")
	get(t, open(t, chart.Options{}), source.Repository{URL: server.URL() + "?tenant=a"}, "demo", "1.0.0")
}

func TestNamesAndVersionsAreListed(t *testing.T) {
	server := helmserver.Start(t, helmserver.Options{}, demo("1.0.0"), demo("1.1.0"), helmserver.Chart{Name: "another", Version: "0.1.0"})
	repo := source.Repository{URL: server.URL()}
	s := open(t, chart.Options{})
	names, err := s.Names(t.Context(), repo, time.Minute)
	if err != nil || strings.Join(names, " ") != "another demo" {
		t.Errorf("Names = %v, %v", names, err)
	}
	versions, err := s.Versions(t.Context(), repo, "demo", time.Minute)
	if err != nil || len(versions) != 2 || versions[0].Version != "1.1.0" || versions[0].AppVersion != "app-1.1.0" ||
		versions[0].Created.IsZero() || len(versions[0].Digest) != 64 {
		t.Errorf("Versions = %+v, %v", versions, err)
	}
	if err := s.Test(t.Context(), repo); err != nil {
		t.Error(err)
	}
	if err := s.Test(t.Context(), source.Repository{URL: server.URL() + "/nothing"}); !errors.Is(err, source.ErrRepositoryNotFound) {
		t.Errorf("Test of another path = %v, want ErrRepositoryNotFound", err)
	}
	if err := s.Test(t.Context(), source.Repository{URL: "ssh://git@example.com/x"}); !errors.Is(err, source.ErrInvalidRepository) {
		t.Errorf("Test over ssh = %v, want ErrInvalidRepository", err)
	}
}
