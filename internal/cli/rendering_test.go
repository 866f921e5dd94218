package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestRedisIsFoundWhereArgoCDFindsIt(t *testing.T) {
	folder := t.TempDir()
	for name, text := range map[string]string{"auth": "from a file\n", "sentinel_auth": "of the sentinel"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg, err := parse([]string{"--sentinel=a:1,b:2", "--redis-use-tls"}, map[string]string{
		"REDIS_SERVER": "redis:6379", "REDISDB": "3", "REDIS_USERNAME": "fairlead", "REDIS_PASSWORD": "of the environment",
		"REDIS_CREDS_DIR_PATH": folder,
	}, map[string]string{"redis.compression": "none", "redis.server": "not this one"})
	if err != nil {
		t.Fatal(err)
	}
	o, err := cfg.redis.options()
	if err != nil {
		t.Fatal(err)
	}
	if o.Address != "redis:6379" || o.DB != 3 || len(o.Sentinels) != 2 || o.MasterName != "master" || !o.Uncompressed ||
		o.Username != "fairlead" || o.Password != "from a file" || o.SentinelPassword != "of the sentinel" || o.TLS == nil ||
		!cfg.redis.used() {
		t.Error("not what was configured")
	}
}

func TestLimitsOfRenderingAreTakenOver(t *testing.T) {
	cfg, err := parse([]string{"--render-memory-limit=1Gi"}, map[string]string{"ARGOCD_EXEC_TIMEOUT": "2m30s"},
		map[string]string{"reposerver.parallelism.limit": "7"})
	if err != nil {
		t.Fatal(err)
	}
	if r := cfg.rendering; r.memory != 1<<30 || r.timeout != 150*time.Second || r.workers != 7 || r.output != 64<<20 {
		t.Errorf("limits %+v", r)
	}
	if cfg.redis.used() {
		t.Error("a Redis server appears from nowhere")
	}
}

func TestBadConfigurationOfRenderingIsRefused(t *testing.T) {
	for want, args := range map[string][]string{
		"choose gzip or none":  {"--redis-compress=zip"},
		"belong together":      {"--redis-client-key=key.pem"},
		"--redisdb is -1":      {"--redisdb=-1"},
		"--render-workers is":  {"--render-workers=-1"},
		"--render-timeout is":  {"--render-timeout=0s"},
		"no size such as 10M":  {"--render-memory-limit=much"},
		"--render-memory-limi": {"--render-memory-limit=1Ki"},
	} {
		if _, err := parse(args, nil, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: error %v, want one with %q", args, err, want)
		}
	}
	cfg, err := parse([]string{"--redis=127.0.0.1:1", "--redis-use-tls", "--redis-ca-certificate=/no/such/file"}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cfg.redis.options(); err == nil || !strings.Contains(err.Error(), "--redis-ca-certificate") {
		t.Errorf("error %v", err)
	}
}

func TestTheRenderingProcessIsNoCommandForUsers(t *testing.T) {
	root := NewRoot(func(string) (string, bool) { return "", false })
	var out strings.Builder
	root.SetOut(&out)
	root.SetArgs([]string{"--help"})
	if err := root.Execute(); err != nil || strings.Contains(out.String(), "render-worker") {
		t.Errorf("help %q, error %v", out.String(), err)
	}
	root.SetArgs([]string{"render-worker"})
	if err := root.Execute(); err == nil || !strings.Contains(err.Error(), "not by hand") {
		t.Errorf("error %v", err)
	}
}
