package sopstest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	agelib "filippo.io/age"
	"github.com/getsops/sops/v3"
	"github.com/getsops/sops/v3/aes"
	"github.com/getsops/sops/v3/age"
	"github.com/getsops/sops/v3/keyservice"
	"github.com/getsops/sops/v3/stores"
	"go.yaml.in/yaml/v3"
	"google.golang.org/grpc"

	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/sops/keyring"
)

// Format of an encrypted file.
type Format int

// Formats that SOPS knows.
const (
	YAML Format = iota
	JSON
	Dotenv
	INI
	Binary
)

// File is a file to be encrypted.
type File struct {
	Format Format
	// Plain content. Of INI files it is YAML: a mapping of sections.
	Plain string
	// Groups of keys, and how many are needed when there are several.
	Groups    []sops.KeyGroup
	Threshold int
	// Edit changes the metadata before anything is encrypted.
	Edit func(*sops.Metadata)
	// Service encrypts the data key; nil is SOPS's own, which can do so for age.
	Service func(key *keyservice.Key, plain []byte) ([]byte, error)
}

// Identity makes a new age identity and its recipient.
func Identity(tb testing.TB) (secret, recipient string) {
	tb.Helper()
	id, err := agelib.GenerateX25519Identity()
	if err != nil {
		tb.Fatal(err)
	}
	return id.String(), id.Recipient().String()
}

// Age is a group of age recipients.
func Age(tb testing.TB, recipients ...string) sops.KeyGroup {
	tb.Helper()
	var group sops.KeyGroup
	for _, r := range recipients {
		key, err := age.MasterKeyFromRecipient(r)
		if err != nil {
			tb.Fatal(err)
		}
		group = append(group, key)
	}
	return group
}

// ForAge encrypts YAML or JSON for age recipients.
func ForAge(tb testing.TB, plain string, recipients ...string) string {
	tb.Helper()
	return Encrypt(tb, File{Plain: plain, Groups: []sops.KeyGroup{Age(tb, recipients...)}})
}

// Encrypt encrypts a file.
func Encrypt(tb testing.TB, f File) string {
	tb.Helper()
	text, err := f.encrypt()
	if err != nil {
		tb.Fatalf("encrypt: %v", err)
	}
	return text
}

func (f File) encrypt() (string, error) {
	branches, err := f.parse()
	if err != nil {
		return "", err
	}
	tree := sops.Tree{Branches: branches, Metadata: sops.Metadata{
		KeyGroups: f.Groups, ShamirThreshold: f.Threshold, LastModified: time.Now().UTC(), Version: "3.13.3",
		UnencryptedSuffix: sops.DefaultUnencryptedSuffix,
	}}
	if f.Edit != nil {
		f.Edit(&tree.Metadata)
	}
	var services []keyservice.KeyServiceClient
	if f.Service != nil {
		services = append(services, service(f.Service))
	}
	services = append(services, keyservice.NewLocalClient())
	key, failures := tree.GenerateDataKeyWithKeyServices(services)
	if len(failures) > 0 {
		return "", failures[0]
	}
	cipher := aes.NewCipher()
	mac, err := tree.Encrypt(key, cipher)
	if err != nil {
		return "", err
	}
	at := tree.Metadata.LastModified.Format(time.RFC3339)
	if tree.Metadata.MessageAuthenticationCode, err = cipher.Encrypt(mac, key, at); err != nil {
		return "", err
	}
	return f.emit(tree)
}

func (f File) parse() (sops.TreeBranches, error) {
	switch f.Format {
	case Binary:
		return sops.TreeBranches{{{Key: "data", Value: f.Plain}}}, nil
	case Dotenv:
		var branch sops.TreeBranch
		for line := range strings.Lines(f.Plain) {
			key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
			branch = append(branch, sops.TreeItem{Key: key, Value: value})
		}
		return sops.TreeBranches{branch}, nil
	}
	var out sops.TreeBranches
	decoder := yaml.NewDecoder(strings.NewReader(f.Plain))
	for {
		var n yaml.Node
		if err := decoder.Decode(&n); err != nil {
			return out, nil //nolint:nilerr // the end, or a mistake that the test will see
		}
		branch, ok := fromNode(n.Content[0]).(sops.TreeBranch)
		if !ok {
			return nil, fmt.Errorf("a document is no mapping")
		}
		out = append(out, branch)
	}
}

func fromNode(n *yaml.Node) any {
	switch n.Kind {
	case yaml.MappingNode:
		branch := sops.TreeBranch{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			branch = append(branch, sops.TreeItem{Key: n.Content[i].Value, Value: fromNode(n.Content[i+1])})
		}
		return branch
	case yaml.SequenceNode:
		list := []any{}
		for _, item := range n.Content {
			list = append(list, fromNode(item))
		}
		return list
	}
	var v any
	_ = n.Decode(&v)
	return v
}

func (f File) emit(tree sops.Tree) (string, error) {
	o := stores.MetadataOpts{}
	switch f.Format {
	case Dotenv:
		o.Flatten = stores.MetadataFlattenFull
	case INI:
		o.Flatten, o.EscapeNewlines = stores.MetadataFlattenBelowTop, true
	}
	branches, err := stores.SerializeMetadata(tree, o)
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	switch f.Format {
	case Dotenv:
		for _, item := range branches[0] {
			fmt.Fprintf(&b, "%s=%s\n", item.Key, strings.ReplaceAll(stores.ValToString(item.Value), "\n", `\n`))
		}
	case INI:
		for _, section := range branches[0] {
			fmt.Fprintf(&b, "[%s]\n", section.Key)
			for _, item := range section.Value.(sops.TreeBranch) {
				fmt.Fprintf(&b, "%s = %s\n", item.Key, stores.ValToString(item.Value))
			}
		}
	case YAML:
		encoder := yaml.NewEncoder(&b)
		for _, branch := range branches {
			if err := encoder.Encode(toNode(branch)); err != nil {
				return "", err
			}
		}
	default:
		err = toJSON(&b, branches[0])
	}
	return b.String(), err
}

func toNode(value any) *yaml.Node {
	n := &yaml.Node{}
	switch v := value.(type) {
	case sops.TreeBranch:
		n.Kind = yaml.MappingNode
		for _, item := range v {
			n.Content = append(n.Content, toNode(item.Key), toNode(item.Value))
		}
	case []any:
		n.Kind = yaml.SequenceNode
		for _, item := range v {
			n.Content = append(n.Content, toNode(item))
		}
	default:
		_ = n.Encode(value)
	}
	return n
}

// toJSON keeps the order, which the MAC is about.
func toJSON(b *bytes.Buffer, value any) error {
	switch v := value.(type) {
	case sops.TreeBranch:
		for i, item := range v {
			b.WriteByte("{,"[min(i, 1)])
			fmt.Fprintf(b, "%q: ", item.Key)
			if err := toJSON(b, item.Value); err != nil {
				return err
			}
		}
		b.WriteByte('}')
		return nil
	case []any:
		for i, item := range v {
			b.WriteByte("[,"[min(i, 1)])
			if err := toJSON(b, item); err != nil {
				return err
			}
		}
		b.WriteByte(']')
		return nil
	}
	text, err := json.Marshal(value)
	b.Write(text)
	return err
}

type service func(key *keyservice.Key, plain []byte) ([]byte, error)

// Encrypt implements keyservice.KeyServiceClient.
func (s service) Encrypt(_ context.Context, req *keyservice.EncryptRequest, _ ...grpc.CallOption) (*keyservice.EncryptResponse, error) {
	out, err := s(req.GetKey(), req.GetPlaintext())
	return &keyservice.EncryptResponse{Ciphertext: out}, err
}

// Decrypt implements keyservice.KeyServiceClient.
func (s service) Decrypt(context.Context, *keyservice.DecryptRequest, ...grpc.CallOption) (*keyservice.DecryptResponse, error) {
	return nil, fmt.Errorf("the test only encrypts")
}

// External is a render.External that has the keys of one project, and nothing else.
type External struct {
	render.NoExternal
	Keys    *keyring.Keyring
	Project string
}

// DataKey implements render.External.
func (e External) DataKey(ctx context.Context, key render.EncryptedDataKey) ([]byte, error) {
	return e.Keys.DataKey(ctx, e.Project, key)
}

// Keyring implements render.External.
func (e External) Keyring(context.Context) (string, error) { return e.Keys.ID(e.Project), nil }

// Holding is an External with age identities for the project "shop".
func Holding(tb testing.TB, identities ...string) External {
	tb.Helper()
	var sets []keyring.Keys
	if len(identities) > 0 {
		keys, problems := keyring.Parse("test", []string{"shop"}, map[string][]byte{"test.agekey": []byte(strings.Join(identities, "\n"))})
		if len(problems) > 0 {
			tb.Fatalf("keys: %v", problems)
		}
		sets = append(sets, keys)
	}
	return External{Keys: keyring.New(sets, keyring.Options{}), Project: "shop"}
}
