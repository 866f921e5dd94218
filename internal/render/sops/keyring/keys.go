package keyring

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"log/slog"
	"maps"
	"path"
	"slices"
	"strings"

	"filippo.io/age"
	"github.com/ProtonMail/go-crypto/openpgp"
)

// Keys are those of one Secret. They do not change.
type Keys struct {
	// Name of the Secret, or of what else they come from.
	Name string
	// Projects that they serve; empty for every project.
	Projects []string

	age   []ageKey
	pgp   openpgp.EntityList
	aws   *awsCredentials
	gcp   []byte
	azure *azureCredentials
	vault *vaultAccess
	// ambient are the services for which the credentials of the process's environment may be used.
	ambient map[string]bool
	id      string
}

// ageKey is an identity and the recipient that belongs to it.
type ageKey struct {
	identity  age.Identity
	recipient string
}

// Problem is a field of a Secret that cannot be used.
type Problem struct {
	// Field is the key in the Secret's data.
	Field string
	// Message says what is wrong and what to do. It has nothing of the field's value.
	Message string
}

// Fields that are known by their whole name. The others go by what they end in.
const (
	fieldAWS            = "sops.aws-kms"
	fieldGCP            = "sops.gcp-kms"
	fieldAzure          = "sops.azure-kv"
	fieldVaultToken     = "sops.vault-token" //nolint:gosec // a name, not a credential
	fieldVaultAddress   = "sops.vault-address"
	fieldVaultNamespace = "sops.vault-namespace"
	fieldAmbient        = "sops.ambient"
)

// Parse reads the data of a Secret. Fields that cannot be used are left out.
func Parse(name string, projects []string, data map[string][]byte) (Keys, []Problem) {
	p := parsing{keys: Keys{Name: name, Projects: slices.Clone(projects)}}
	hash := sha256.New()
	for _, field := range slices.Sorted(maps.Keys(data)) {
		value := data[field]
		for _, part := range [][]byte{[]byte(field), value} {
			var length [8]byte
			binary.BigEndian.PutUint64(length[:], uint64(len(part)))
			hash.Write(length[:])
			hash.Write(part)
		}
		p.field(field, value)
	}
	p.vault(data)
	p.keys.id = hex.EncodeToString(hash.Sum(nil))
	return p.keys, p.problems
}

type parsing struct {
	keys     Keys
	problems []Problem
}

func (p *parsing) problem(field, message string) {
	p.problems = append(p.problems, Problem{Field: field, Message: message})
}

// maxField bounds one field.
const maxField = 1 << 20

func (p *parsing) field(field string, value []byte) {
	if len(value) > maxField {
		p.problem(field, "it is too long to be a key")
		return
	}
	var err error
	switch {
	case field == fieldAWS:
		p.keys.aws, err = parseAWS(value)
	case field == fieldGCP:
		p.keys.gcp, err = parseGCP(value)
	case field == fieldAzure:
		p.keys.azure, err = parseAzure(value)
	case field == fieldAmbient:
		err = p.ambient(string(value))
	case field == fieldVaultToken, field == fieldVaultAddress, field == fieldVaultNamespace:
	case path.Ext(field) == ".agekey", path.Ext(field) == ".ssh":
		var found []ageKey
		found, err = parseAge(value)
		p.keys.age = append(p.keys.age, found...)
	case path.Ext(field) == ".asc":
		var found openpgp.EntityList
		found, err = parsePGP(value)
		p.keys.pgp = append(p.keys.pgp, found...)
	default:
		p.problem(field, "its name says no kind of key; use *.agekey, *.asc, sops.aws-kms, sops.gcp-kms, sops.azure-kv or sops.vault-token")
	}
	if err != nil {
		p.problem(field, err.Error())
	}
}

// ambient reads a list of services.
func (p *parsing) ambient(text string) error {
	if len(p.keys.Projects) > 0 {
		return fmt.Errorf("the credentials of the environment are the installation's, so that a Secret of projects cannot switch them on")
	}
	for _, service := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' }) {
		if service != "aws" && service != "gcp" && service != "azure" {
			return fmt.Errorf("it may list aws, gcp and azure")
		}
		if p.keys.ambient == nil {
			p.keys.ambient = map[string]bool{}
		}
		p.keys.ambient[service] = true
	}
	return nil
}

func (p *parsing) vault(data map[string][]byte) {
	token, stated := data[fieldVaultToken]
	if !stated {
		if _, stated = data[fieldVaultAddress]; stated {
			p.problem(fieldVaultAddress, "there is no "+fieldVaultToken+" for it")
		}
		return
	}
	access, err := parseVault(token, data[fieldVaultAddress], data[fieldVaultNamespace])
	if err != nil {
		p.problem(fieldVaultToken, err.Error())
		return
	}
	p.keys.vault = access
}

// identities name the keys by what is public of them.
func (k Keys) identities() []string {
	var all []string
	for _, one := range k.age {
		all = append(all, "age "+one.recipient)
	}
	for _, e := range k.pgp {
		all = append(all, "PGP "+fingerprint(e))
	}
	if k.aws != nil || k.ambient["aws"] {
		all = append(all, "credentials for AWS KMS")
	}
	if k.gcp != nil || k.ambient["gcp"] {
		all = append(all, "credentials for GCP KMS")
	}
	if k.azure != nil || k.ambient["azure"] {
		all = append(all, "credentials for Azure Key Vault")
	}
	if k.vault != nil {
		all = append(all, "a token for Vault at "+strings.Join(k.vault.addresses, " and "))
	}
	return all
}

// serves reports whether a project may use the keys.
func (k Keys) serves(project string) bool {
	return len(k.Projects) == 0 || slices.Contains(k.Projects, project)
}

// String says which keys there are, by their public identities.
func (k Keys) String() string {
	return fmt.Sprintf("keys of %s (%s)", k.Name, strings.Join(k.identities(), ", "))
}

// GoString is String, so that no way of printing shows a key.
func (k Keys) GoString() string { return k.String() }

// Format is String for every verb.
func (k Keys) Format(f fmt.State, _ rune) { fmt.Fprint(f, k.String()) }

// LogValue is String.
func (k Keys) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MarshalText is String.
func (k Keys) MarshalText() ([]byte, error) { return []byte(k.String()), nil }
