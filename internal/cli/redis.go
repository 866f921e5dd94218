package cli

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/spf13/pflag"

	"github.com/fairlead-cd/fairlead/internal/cache"
)

// redisConfig says where Redis is; all of it has the names that Argo CD's components use.
type redisConfig struct {
	address     string
	db          int
	sentinels   []string
	master      string
	useTLS      bool
	insecure    bool
	ca          string
	certificate string
	key         string
	compress    string

	// Of the environment.
	username, password, sentinelUsername, sentinelPassword string
	credentials                                            string // a folder of files instead
}

// redisOrigins are where the flags of addFlags come from beside our own variables.
var redisOrigins = []origin{
	{flag: "redis", argocd: []string{"REDIS_SERVER"}, params: []string{"redis.server"}},
	{flag: "redisdb", argocd: []string{"REDISDB"}, params: []string{"redis.db"}},
	{flag: "redis-compress", argocd: []string{"REDIS_COMPRESSION"}, params: []string{"redis.compression"}},
}

func (c *redisConfig) addFlags(flags *pflag.FlagSet) {
	flags.StringVar(&c.address, "redis", "", "address of a Redis server (host:port) that keeps rendered results over a restart and for other replicas; empty: in memory alone")
	flags.IntVar(&c.db, "redisdb", 0, "number of the Redis database")
	flags.StringSliceVar(&c.sentinels, "sentinel", nil, "addresses of Redis Sentinels (host:port), which know the server; --redis is not used then")
	flags.StringVar(&c.master, "sentinelmaster", "master", "name under which the Sentinels know the server")
	flags.BoolVar(&c.useTLS, "redis-use-tls", false, "speak TLS with Redis")
	flags.BoolVar(&c.insecure, "redis-insecure-skip-tls-verify", false, "do not check the certificate of Redis")
	flags.StringVar(&c.ca, "redis-ca-certificate", "", "file of the authorities that Redis's certificate is checked with (default: the system's)")
	flags.StringVar(&c.certificate, "redis-client-certificate", "", "file of the certificate to show to Redis")
	flags.StringVar(&c.key, "redis-client-key", "", "file of the key of that certificate")
	flags.StringVar(&c.compress, "redis-compress", "gzip", "how values in Redis are compressed: gzip or none")
}

// environment are the variables without a flag: secrets do not belong on a command line.
func (c *redisConfig) environment() map[string]*string {
	return map[string]*string{
		"REDIS_USERNAME": &c.username, "REDIS_PASSWORD": &c.password,
		"REDIS_SENTINEL_USERNAME": &c.sentinelUsername, "REDIS_SENTINEL_PASSWORD": &c.sentinelPassword,
		"REDIS_CREDS_DIR_PATH": &c.credentials,
	}
}

func (c *redisConfig) used() bool { return c.address != "" || len(c.sentinels) > 0 }

func (c *redisConfig) validate() error {
	var errs []error
	if c.compress != "gzip" && c.compress != "none" {
		errs = append(errs, fmt.Errorf("--redis-compress is %q; choose gzip or none", c.compress))
	}
	if (c.certificate == "") != (c.key == "") {
		errs = append(errs, errors.New("--redis-client-certificate and --redis-client-key belong together; give both or neither"))
	}
	if c.db < 0 {
		errs = append(errs, fmt.Errorf("--redisdb is %d; it has to be at least 0", c.db))
	}
	return errors.Join(errs...)
}

// options reads the files that the configuration names.
func (c *redisConfig) options() (cache.Options, error) {
	o := cache.Options{
		Address: c.address, Sentinels: c.sentinels, MasterName: c.master, DB: c.db, Uncompressed: c.compress == "none",
		Username: c.username, Password: c.password, SentinelUsername: c.sentinelUsername, SentinelPassword: c.sentinelPassword,
	}
	if err := c.readCredentials(&o); err != nil {
		return o, err
	}
	if !c.useTLS {
		return o, nil
	}
	o.TLS = &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: c.insecure} //nolint:gosec // the operator says so
	if c.ca != "" {
		pem, err := os.ReadFile(c.ca)
		if err != nil {
			return o, fmt.Errorf("reading --redis-ca-certificate: %w", err)
		}
		o.TLS.RootCAs = x509.NewCertPool()
		if !o.TLS.RootCAs.AppendCertsFromPEM(pem) {
			return o, fmt.Errorf("--redis-ca-certificate: %s has no certificate in PEM form", c.ca)
		}
	}
	if c.certificate != "" {
		pair, err := tls.LoadX509KeyPair(c.certificate, c.key)
		if err != nil {
			return o, fmt.Errorf("reading --redis-client-certificate and --redis-client-key: %w", err)
		}
		o.TLS.Certificates = []tls.Certificate{pair}
	}
	return o, nil
}

// readCredentials reads the folder of credentials, in which each may be a file.
func (c *redisConfig) readCredentials(o *cache.Options) error {
	if c.credentials == "" {
		return nil
	}
	for name, field := range map[string]*string{
		"auth": &o.Password, "auth_username": &o.Username,
		"sentinel_auth": &o.SentinelPassword, "sentinel_username": &o.SentinelUsername,
	} {
		content, err := os.ReadFile(filepath.Join(c.credentials, name))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("reading the Redis credentials of REDIS_CREDS_DIR_PATH: %w", err)
		}
		*field = strings.TrimSpace(string(content))
	}
	return nil
}

// buildID tells builds apart that may render differently.
func buildID() string {
	id := Version
	modified := true
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				id += " " + s.Value
				modified = false
			case "vcs.modified":
				modified = modified || s.Value == "true"
			}
		}
	}
	if !modified {
		return id
	}
	// Nothing in the binary says what it was built from; the file does.
	if binary, err := os.Executable(); err == nil {
		if file, err := os.Stat(binary); err == nil {
			id += fmt.Sprintf(" %d %d", file.Size(), file.ModTime().UnixNano())
		}
	}
	return id
}
