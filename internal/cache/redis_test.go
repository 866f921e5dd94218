package cache_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"net"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/cache"
	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/test/redisserver"
)

const marker = "a very secret value"

func open(t *testing.T, s *redisserver.Server, change func(*cache.Options)) *cache.Redis {
	t.Helper()
	o := cache.Options{
		Address: s.Address, Password: s.Password, Key: func() []byte { return []byte("a key of this installation") }, Version: "1",
		Timeout: 10 * time.Second, // the machine may be busy; the test of slow servers has its own
	}
	if change != nil {
		change(&o)
	}
	r := cache.New(o)
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// awaitKeys waits until that many entries are written, and returns their names and values.
func awaitKeys(t *testing.T, s *redisserver.Server, n int) map[string]string {
	t.Helper()
	c := redis.NewClient(&redis.Options{Addr: s.Address, Password: s.Password})
	defer c.Close()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		keys, err := c.Keys(t.Context(), "*").Result()
		if err == nil && len(keys) >= n {
			values := map[string]string{}
			for _, key := range keys {
				if values[key], err = c.Get(t.Context(), key).Result(); err != nil {
					t.Fatal(err)
				}
			}
			return values
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d entries, want %d (%v)", len(keys), n, err)
		}
	}
}

func TestWhatIsSavedIsLoadedByWhoHasTheKey(t *testing.T) {
	s := redisserver.Start(t, "redis-password")
	key := sha256.Sum256([]byte("request"))
	value := []byte(strings.Repeat(marker+" ", 100))
	for name, c := range map[string]struct {
		write, read func(*cache.Options)
		hit         bool
	}{
		"the same":             {nil, nil, true},
		"uncompressed":         {func(o *cache.Options) { o.Uncompressed = true }, nil, true},
		"another installation": {nil, func(o *cache.Options) { o.Key = func() []byte { return []byte("another key") } }, false},
		"another version":      {nil, func(o *cache.Options) { o.Version = "2" }, false},
		"no key yet":           {nil, func(o *cache.Options) { o.Key = func() []byte { return nil } }, false},
		"too large to read":    {nil, func(o *cache.Options) { o.MaxEntry = 1000 }, false},
		"a wrong password":     {nil, func(o *cache.Options) { o.Password = "wrong" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			empty(t, s)
			open(t, s, c.write).Save(key, value)
			for name, stored := range awaitKeys(t, s, 1) {
				if strings.Contains(name+stored, marker) || strings.Contains(name, string(key[:])) {
					t.Errorf("what is stored can be read: %q", name)
				}
			}
			got, hit := open(t, s, c.read).Load(t.Context(), key)
			if hit != c.hit || hit && !bytes.Equal(got, value) {
				t.Errorf("hit %v with %d bytes", hit, len(got))
			}
		})
	}
}

func empty(t *testing.T, s *redisserver.Server) {
	t.Helper()
	c := redis.NewClient(&redis.Options{Addr: s.Address, Password: s.Password})
	defer c.Close()
	if err := c.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
}

func TestAnEntryThatWasTouchedIsAMiss(t *testing.T) {
	s := redisserver.Start(t, "")
	r := open(t, s, nil)
	one, two := sha256.Sum256([]byte("one")), sha256.Sum256([]byte("two"))
	r.Save(one, []byte("1"))
	values := awaitKeys(t, s, 1)
	r.Save(two, []byte("2"))
	client := redis.NewClient(&redis.Options{Addr: s.Address})
	defer client.Close()
	for name, value := range awaitKeys(t, s, 2) {
		if _, isFirst := values[name]; isFirst {
			continue
		}
		for _, first := range values { // the value of one name under the other
			if err := client.Set(t.Context(), name, first, 0).Err(); err != nil {
				t.Fatal(err)
			}
			if got, hit := r.Load(t.Context(), two); hit {
				t.Errorf("the value of another name was taken: %q", got)
			}
		}
		for _, damaged := range []string{"", "x", value[:len(value)-1], value + "x", strings.Repeat("x", 100)} {
			if err := client.Set(t.Context(), name, damaged, 0).Err(); err != nil {
				t.Fatal(err)
			}
			if got, hit := r.Load(t.Context(), two); hit {
				t.Errorf("a damaged value was taken: %q", got)
			}
		}
	}
	if got, hit := r.Load(t.Context(), one); !hit || string(got) != "1" {
		t.Errorf("the entry that was not touched gives %q, %v", got, hit)
	}
	if ttl := client.TTL(t.Context(), client.Keys(t.Context(), "*").Val()[0]).Val(); ttl > 24*time.Hour {
		t.Errorf("an entry lives for %v", ttl)
	}
}

func TestARedisThatGoesAndComesBackIsNoticed(t *testing.T) {
	s := redisserver.Start(t, "")
	r := open(t, s, nil)
	key := sha256.Sum256([]byte("request"))
	r.Save(key, []byte("value"))
	awaitKeys(t, s, 1)
	s.Stop()
	if _, hit := r.Load(t.Context(), key); hit {
		t.Error("a server that is gone has answered")
	}
	if r.Stats().Failures != 1 {
		t.Errorf("stats %+v", r.Stats())
	}
	for range 1000 { // none of these reaches the network
		r.Load(t.Context(), key)
	}
	if f := r.Stats().Failures; f > 10 {
		t.Errorf("%d tries in a moment", f)
	}
	s.Restart(t)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		r.Save(key, []byte("value"))
		if got, hit := r.Load(t.Context(), key); hit && string(got) == "value" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("it is not used again: %+v", r.Stats())
		}
	}
}

func TestAServerThatNeverAnswersIsNotWaitedFor(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // accepts and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r := open(t, &redisserver.Server{Address: l.Addr().String()}, func(o *cache.Options) { o.Timeout = 20 * time.Millisecond })
	key := sha256.Sum256([]byte("request"))
	for range 1000 {
		if _, hit := r.Load(t.Context(), key); hit {
			t.Fatal("an answer")
		}
		r.Save(key, []byte("value"))
	}
	if s := r.Stats(); s.Failures > 20 || s.Misses != 1000 {
		t.Errorf("stats %+v", s)
	}
}

func TestTwoMemosShareWhatOneHasRendered(t *testing.T) {
	s := redisserver.Start(t, "")
	files := func(readme string) fstest.MapFS {
		return fstest.MapFS{
			".":         {Mode: 0o755 | 1<<31, Sys: "root " + readme},
			"app":       {Mode: 0o755 | 1<<31, Sys: "app"},
			"README.md": {Data: []byte(readme), Sys: readme},
			"app/a.yaml": {Sys: "a", Data: []byte("apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\nstringData:\n  password: " +
				marker + "\n")},
		}
	}
	renders := 0
	memo := func() *render.Memo {
		return render.New(render.Options{Store: open(t, s, nil), Renderer: render.RendererFunc(
			func(ctx context.Context, in render.Inputs, req render.Request) (render.Result, error) {
				renders++
				return render.Directory{}.Render(ctx, in, req)
			})})
	}
	req := render.Request{AppName: "web", Namespace: "default", Source: v1alpha1.ApplicationSource{Path: "app"}}
	first, err := memo().Render(t.Context(), render.Inputs{Files: files("1")}, req, render.CallOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range awaitKeys(t, s, 1) {
		if strings.Contains(name+value, marker) || strings.Contains(name+value, "password") {
			t.Error("a secret stands in Redis")
		}
	}
	second, err := memo().Render(t.Context(), render.Inputs{Files: files("2")}, req, render.CallOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if renders != 1 || second.Digest != first.Digest || len(second.Objects) != 1 {
		t.Errorf("%d renders, digests %s and %s", renders, first.Digest, second.Digest)
	}
	changed := files("2")
	changed["app"].Sys, changed["app/a.yaml"].Sys, changed["."].Sys = "app 2", "a 2", "root 3"
	if _, err := memo().Render(t.Context(), render.Inputs{Files: changed}, req, render.CallOptions{}); err != nil || renders != 2 {
		t.Errorf("%d renders after a change of what was read, error %v", renders, err)
	}
	if _, err := memo().Render(t.Context(), render.Inputs{Files: files("2")}, req, render.CallOptions{NoCache: true}); err != nil || renders != 3 {
		t.Errorf("%d renders after a hard refresh, error %v", renders, err)
	}
}
