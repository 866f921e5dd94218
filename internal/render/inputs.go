package render

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
)

// Inputs are everything outside of its Request that a Renderer can reach. Memo records what is asked of them, so that a
// result can be verified later by asking again.
type Inputs struct {
	// Files are those of the source: its repository at one commit, or its unpacked chart or artifact. The root is the
	// repository's.
	Files fs.FS
	// Refs are the files of the sibling sources that state a ref, by that name without the dollar sign.
	Refs map[string]fs.FS
	// External gives what is not in these files; nil is NoExternal.
	External External
}

// External gives a renderer what lies outside of the files of the sources. Implementations decide with which
// credentials a thing is fetched, whether the project may have it, and how long an answer is good; a renderer only
// names it. Asking again must be cheap, because it is how a kept result is verified. All methods are safe for
// concurrent use.
type External interface {
	// Variable gives a variable of the build environment that changes with the revision, see Variables.
	Variable(ctx context.Context, name string) (string, error)
	// HasAPI reports whether the destination serves a version (apps/v1) or a kind of a version (apps/v1/Deployment).
	HasAPI(ctx context.Context, version string) (bool, error)
	// APIVersions is the whole list of what HasAPI is true for. Ask HasAPI where that will do: a result that has seen
	// the whole list is rendered again whenever somebody adds a CRD.
	APIVersions(ctx context.Context) ([]string, error)
	// Chart finds a chart of a Helm repository or a registry.
	Chart(ctx context.Context, ref ChartRef) (Chart, error)
	// Repository gives the files of another Git repository at a revision; empty is HEAD.
	Repository(ctx context.Context, url, revision string) (fs.FS, error)
	// Download reads a file by its URL: http or https.
	Download(ctx context.Context, url string) ([]byte, error)
	// DataKey decrypts the data key of a SOPS file with one of the file's master keys.
	DataKey(ctx context.Context, key EncryptedDataKey) ([]byte, error)
	// Keyring names the set of keys that DataKey has; it changes when a key is added or taken away.
	Keyring(ctx context.Context) (string, error)
	// Generate has a config management plugin make manifests out of the source's files.
	Generate(ctx context.Context, call PluginCall) ([]byte, error)
	// Discover finds the config management plugin whose rule takes the source in a folder of Files; empty: none does.
	Discover(ctx context.Context, dir string) (string, error)
}

// Variables are the names that External.Variable knows.
var Variables = []string{
	"ARGOCD_APP_REVISION", "ARGOCD_APP_REVISION_SHORT", "ARGOCD_APP_REVISION_SHORT_8", "ARGOCD_APP_SOURCE_TARGET_REVISION",
}

// ChartRef names a chart.
type ChartRef struct {
	// Repository is the URL of a Helm repository (http, https) or of the registry folder that holds the chart (oci).
	Repository string
	// Name of the chart.
	Name string
	// Version is one version, a semantic version range, or empty for the newest that is no pre-release.
	Version string
	// Digest that a lock file states for the archive, or empty.
	Digest string
}

func (r ChartRef) String() string {
	return fmt.Sprintf("chart %s %s of %s", r.Name, r.Version, r.Repository)
}

// Chart is a chart that was found.
type Chart struct {
	// Version that the reference resolved to.
	Version string
	// Digest of the archive: sha256 in hexadecimal. Equal digests, equal charts.
	Digest string
	// Archive reads the chart's .tgz. It may be long: ask only when the digest is not known already.
	Archive func(ctx context.Context) ([]byte, error)
}

// EncryptedDataKey is a data key as a SOPS file holds it, encrypted for one master key.
type EncryptedDataKey struct {
	// Type of the master key: age, pgp, kms, gcp_kms, azure_kv or hc_vault.
	Type string
	// Key holds what SOPS's metadata say about the master key, as JSON of the key service's message.
	Key []byte
	// Ciphertext is the encrypted data key.
	Ciphertext []byte
}

// PluginCall is one request to a config management plugin.
type PluginCall struct {
	// Name of the plugin; empty is the one that Discover finds.
	Name string
	// Path of the source within Files.
	Path string
	// Env is the environment, NAME=value.
	Env []string
	// Parameters as the Application states them, as JSON.
	Parameters []byte
}

// ErrNoExternal means that a renderer was asked for something that the caller cannot give, such as the network offline.
var ErrNoExternal = errors.New("not available here")

// NoExternal is an External that has nothing. Embed it in implementations that have a part.
type NoExternal struct{}

var _ External = NoExternal{}

// Variable gives the empty string.
func (NoExternal) Variable(context.Context, string) (string, error) { return "", nil }

// HasAPI reports false.
func (NoExternal) HasAPI(context.Context, string) (bool, error) { return false, nil }

// APIVersions is empty.
func (NoExternal) APIVersions(context.Context) ([]string, error) { return nil, nil }

// Chart gives ErrNoExternal.
func (NoExternal) Chart(_ context.Context, ref ChartRef) (Chart, error) {
	return Chart{}, fmt.Errorf("%s: charts of repositories are %w", ref, ErrNoExternal)
}

// Repository gives ErrNoExternal.
func (NoExternal) Repository(_ context.Context, url, _ string) (fs.FS, error) {
	return nil, fmt.Errorf("%s: other repositories are %w", url, ErrNoExternal)
}

// Download gives ErrNoExternal.
func (NoExternal) Download(_ context.Context, url string) ([]byte, error) {
	return nil, fmt.Errorf("%s: downloads are %w", url, ErrNoExternal)
}

// DataKey gives ErrNoExternal.
func (NoExternal) DataKey(context.Context, EncryptedDataKey) ([]byte, error) {
	return nil, fmt.Errorf("keys to decrypt with are %w", ErrNoExternal)
}

// Keyring is empty.
func (NoExternal) Keyring(context.Context) (string, error) { return "", nil }

// Generate gives ErrNoExternal.
func (NoExternal) Generate(context.Context, PluginCall) ([]byte, error) {
	return nil, fmt.Errorf("plugins are %w", ErrNoExternal)
}

// Discover finds none.
func (NoExternal) Discover(context.Context, string) (string, error) { return "", nil }

// external is the External of the inputs, never nil.
func (in Inputs) external() External {
	if in.External == nil {
		return NoExternal{}
	}
	return in.External
}
