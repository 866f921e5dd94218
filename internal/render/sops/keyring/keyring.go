package keyring

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/sops"
)

// ErrNoKey means that a project has no key for a question.
var ErrNoKey = errors.New("no key fits")

// Options are what a Keyring works with; all have defaults.
type Options struct {
	// Client reaches the services of clouds and Vault. It must not follow redirects with credentials; default: one that
	// follows none, with a time limit.
	Client *http.Client
}

// Keyring holds all keys at one time and gives data keys to projects. It does not change and is safe for concurrent use.
// The nil Keyring has no keys.
type Keyring struct {
	sets   []Keys
	client *http.Client
}

// New makes a Keyring.
func New(sets []Keys, o Options) *Keyring {
	if o.Client == nil {
		o.Client = &http.Client{
			Timeout:       30 * time.Second,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	return &Keyring{sets: slices.Clone(sets), client: o.Client}
}

// of are the sets that a project may use: its own first, then those of the installation.
func (k *Keyring) of(project string) []Keys {
	if k == nil {
		return nil
	}
	var own, common []Keys
	for _, set := range k.sets {
		switch {
		case !set.serves(project):
		case len(set.Projects) > 0:
			own = append(own, set)
		default:
			common = append(common, set)
		}
	}
	return append(own, common...)
}

// ID stands for the keys that a project may use: another set of keys, another ID. Nothing can be learned from it.
func (k *Keyring) ID(project string) string {
	sets := k.of(project)
	if len(sets) == 0 {
		return ""
	}
	h := sha256.New()
	for _, set := range sets {
		h.Write([]byte(set.id))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Identities name the keys that a project may use, by what is public of them.
func (k *Keyring) Identities(project string) []string {
	var all []string
	for _, set := range k.of(project) {
		all = append(all, set.identities()...)
	}
	return all
}

// maxQuestion bounds an encrypted data key and what is said about its master key.
const maxQuestion = 64 << 10

// DataKey decrypts the data key of a file for a project, with the keys that the project may use.
func (k *Keyring) DataKey(ctx context.Context, project string, question render.EncryptedDataKey) ([]byte, error) {
	if len(question.Key)+len(question.Ciphertext) > maxQuestion {
		return nil, fmt.Errorf("%w: an encrypted data key may have %d bytes", render.ErrTooLarge, maxQuestion)
	}
	var key sops.MasterKey
	if err := json.Unmarshal(question.Key, &key); err != nil {
		return nil, fmt.Errorf("reading what the file says about its key: %w", err)
	}
	var failures []string
	for _, set := range k.of(project) {
		plain, err := k.try(ctx, set, question.Type, key, question.Ciphertext)
		switch {
		case err == nil:
			return plain, nil
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case !errors.Is(err, ErrNoKey):
			failures = append(failures, err.Error())
		}
	}
	if len(failures) > 0 {
		return nil, fmt.Errorf("%s", strings.Join(failures, "; "))
	}
	return nil, k.noKey(project)
}

// noKey says which keys there are.
func (k *Keyring) noKey(project string) error {
	identities := k.Identities(project)
	if len(identities) == 0 {
		return fmt.Errorf("%w: project %s has no keys; give it some in a Secret labelled fairlead.dev/secret-type: sops-keys", ErrNoKey, project)
	}
	const most = 20
	more := ""
	if len(identities) > most {
		more = fmt.Sprintf(" and %d more", len(identities)-most)
		identities = identities[:most]
	}
	return fmt.Errorf("%w: project %s has %s%s", ErrNoKey, project, strings.Join(identities, ", "), more)
}

func (k *Keyring) try(ctx context.Context, set Keys, kind string, key sops.MasterKey, ciphertext []byte) ([]byte, error) {
	switch kind {
	case sops.TypeAge:
		return openAge(set.age, ciphertext)
	case sops.TypePGP:
		return openPGP(set.pgp, ciphertext)
	case sops.TypeAWS:
		return k.openAWS(ctx, set, key, ciphertext)
	case sops.TypeGCP:
		return k.openGCP(ctx, set, key, ciphertext)
	case sops.TypeAzure:
		return k.openAzure(ctx, set, key, ciphertext)
	case sops.TypeVault:
		return k.openVault(ctx, set.vault, key, ciphertext)
	}
	return nil, fmt.Errorf("keys of type %q are not supported", kind)
}

// String says how many sets there are.
func (k *Keyring) String() string {
	if k == nil {
		return "no keys"
	}
	return fmt.Sprintf("%d sets of keys", len(k.sets))
}

// GoString is String.
func (k *Keyring) GoString() string { return k.String() }

// LogValue is String.
func (k *Keyring) LogValue() slog.Value { return slog.StringValue(k.String()) }
