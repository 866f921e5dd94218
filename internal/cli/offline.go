package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/renderers"
	"github.com/fairlead-cd/fairlead/internal/repo"
	"github.com/fairlead-cd/fairlead/internal/settings"
	"github.com/fairlead-cd/fairlead/internal/source"
)

// offlineConfig is what the commands need that render without a cluster.
type offlineConfig struct {
	repositories []string
	credentials  []string
	kubeVersion  string
	apiVersions  []string
	dataDir      string
}

func (c *offlineConfig) addFlags(flags *pflag.FlagSet) {
	flags.StringSliceVar(&c.repositories, "repository", nil, "further URLs by which Applications call the repository at hand (default: those of its remotes; without remotes every Git repository counts as this one)")
	flags.StringSliceVar(&c.credentials, "repository-credentials", nil, "files with the settings of an installation as YAML: Secrets of repositories, credentials and SOPS keys, ConfigMaps such as argocd-cm")
	flags.StringVar(&c.kubeVersion, "kube-version", "1.36.3", "version of the destination")
	flags.StringSliceVar(&c.apiVersions, "api-versions", nil, "versions and kinds that the destination serves, such as monitoring.coreos.com/v1/ServiceMonitor")
	flags.StringVar(&c.dataDir, "data-dir", "", "directory of mirrors and charts (default: a folder in the user's cache directory)")
}

// offline renders without a cluster.
type offline struct {
	*offlineConfig
	parts *repoParts
	root  string // the folder of the repository at hand
	urls  []string
	env   []string
}

// openOffline builds the repo component for one command, around the repository
// that a folder belongs to.
func (c *offlineConfig) openOffline(ctx context.Context, dir string, lookup func(string) (string, bool), stderr io.Writer) (*offline, error) {
	o := &offline{offlineConfig: c, env: gitEnvironment()}
	var err error
	if o.root, err = filepath.Abs(dir); err != nil {
		return nil, fmt.Errorf("finding the folder of the repository: %w", err)
	}
	if top, err := o.git(ctx, "rev-parse", "--show-toplevel"); err == nil {
		o.root = top
	}
	o.urls = slices.Clone(c.repositories)
	if remotes, err := o.git(ctx, "config", "--get-regexp", `^remote\..*\.url$`); err == nil {
		for line := range strings.Lines(remotes) {
			if _, url, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
				o.urls = append(o.urls, url)
			}
		}
	}
	if c.dataDir == "" {
		if c.dataDir, err = defaultDataDir(); err != nil {
			return nil, err
		}
	}
	slices.Sort(c.apiVersions)
	logger := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	store, err := c.settings(lookup, stderr)
	if err != nil {
		return nil, err
	}
	o.parts, err = newRepo(repoOptions{
		dataDir: c.dataDir, settings: store, gitTimeout: 90 * time.Second, submodules: true, logger: logger,
		memo: render.New(render.Options{Renderer: renderers.New(), MaxBytes: 1 << 30, MaxPerRequest: 4, ErrorTTL: time.Hour}),
	})
	return o, err
}

// settings reads what stands for the settings of an installation.
func (c *offlineConfig) settings(lookup func(string) (string, bool), stderr io.Writer) (*settings.Store, error) {
	in := settings.Input{ConfigMaps: map[string]map[string]string{}}
	add := func(name string, text []byte) {
		in.SOPSKeys = append(in.SOPSKeys, settings.LabelledSecret{Name: name, Data: map[string][]byte{"environment.agekey": text}})
	}
	if text, ok := lookup("SOPS_AGE_KEY"); ok && text != "" {
		add("SOPS_AGE_KEY", []byte(text))
	}
	if file, ok := lookup("SOPS_AGE_KEY_FILE"); ok && file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("SOPS_AGE_KEY_FILE: %w", err)
		}
		add("SOPS_AGE_KEY_FILE", text)
	}
	for _, file := range c.credentials {
		secrets, err := readSettings(file, in.ConfigMaps)
		if err != nil {
			return nil, fmt.Errorf("--repository-credentials: %w", err)
		}
		for _, secret := range secrets {
			if secret.Labels["fairlead.dev/secret-type"] == "sops-keys" {
				in.SOPSKeys = append(in.SOPSKeys, secret)
				continue
			}
			in.Labelled = append(in.Labelled, secret)
		}
	}
	parsed := settings.Parse(in, nil, nil)
	for _, warning := range parsed.Warnings {
		fmt.Fprintf(stderr, "warning: %s: %s: %s\n", warning.Object, warning.Key, warning.Message)
	}
	knownHosts := ""
	if home, ok := lookup("HOME"); ok {
		knownHosts = filepath.Join(home, ".ssh")
	}
	store := settings.New(settings.Options{Defaults: parsed, SSHDataPath: knownHosts})
	return store, nil
}

// Close gives back what the command held.
func (o *offline) Close() error { return o.parts.Close() }

// git asks git about the repository at hand.
func (o *offline) git(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir, cmd.Env = o.root, o.env
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %s", args[0], strings.TrimSpace(stderr.String()))
	}
	return strings.TrimSpace(string(out)), nil
}

// files are those of the repository at hand at one moment.
type files struct {
	fs.FS
	revision string
}

// workingCopy are the files as they lie in the folder.
func (o *offline) workingCopy(ctx context.Context) (*files, func() error, error) {
	copied, err := source.OpenWorkingCopy(o.root, 0)
	if err != nil {
		return nil, nil, err
	}
	revision, err := o.git(ctx, "rev-parse", "HEAD")
	if err != nil {
		revision = "HEAD" // no commit yet, or no repository
	}
	return &files{FS: copied, revision: revision}, copied.Close, nil
}

// at are the files of a revision.
func (o *offline) at(ctx context.Context, revision string) (*files, error) {
	commit, err := o.git(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", revision+"^{commit}")
	if err != nil || commit == "" {
		return nil, fmt.Errorf("the repository in %s has no commit %q; fetch it first when it is a remote's", o.root, revision)
	}
	here := source.Repository{URL: "file://" + filepath.ToSlash(o.root)}
	if _, err := o.parts.mirrors.Resolve(ctx, here, commit, 0); err != nil {
		return nil, err
	}
	snapshot, err := o.parts.mirrors.Snapshot(ctx, here, commit)
	if err != nil {
		return nil, err
	}
	return &files{FS: snapshot, revision: commit}, nil
}

// service renders with these files in place of the repository at hand.
func (o *offline) service(at *files) *repo.Local {
	options := o.parts.local.Options
	options.Checkout = func(url string) (fs.FS, string, bool) {
		if !o.isHere(url) {
			return nil, "", false
		}
		return at.FS, at.revision, true
	}
	return repo.NewLocal(options)
}

// isHere tells whether a URL is one of the repository at hand.
func (o *offline) isHere(url string) bool {
	if url == "" || len(o.urls) == 0 {
		return true
	}
	wanted := settings.NormalizeURL(url)
	return slices.ContainsFunc(o.urls, func(one string) bool { return settings.NormalizeURL(one) == wanted })
}

// request is what a controller would ask for.
func (o *offline) request(app *v1alpha1.Application) (repo.Request, error) {
	if len(app.Spec.GetSources()) == 0 {
		return repo.Request{}, errors.New("the Application states no source; set spec.source.repoURL and spec.source.path")
	}
	namespace := app.Namespace
	if namespace == "" {
		namespace = "argocd"
	}
	return repo.Request{
		Name: app.Name, Namespace: namespace, Project: app.Spec.GetProject(),
		DestinationNamespace: app.Spec.Destination.Namespace, Sources: app.Spec.GetSources(),
		KubeVersion: o.kubeVersion, APIVersions: o.apiVersions,
		GeneratePaths: app.Annotations[v1alpha1.AnnotationManifestGeneratePaths],
	}, nil
}
