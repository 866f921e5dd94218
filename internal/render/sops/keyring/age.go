package keyring

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"io"
	"strings"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"filippo.io/age/armor"
	"golang.org/x/crypto/ssh"
)

// maxDataKey bounds a decrypted data key, or a part of one.
const maxDataKey = 4096

// parseAge reads identities, one a line as age-keygen writes them, or one private key of SSH.
func parseAge(text []byte) ([]ageKey, error) {
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("-----BEGIN")) {
		return parseSSH(text)
	}
	var found []ageKey
	for line := range strings.FieldsSeq(withoutComments(string(text))) {
		one, err := parseIdentity(line)
		if err != nil {
			return nil, err
		}
		found = append(found, one)
	}
	if len(found) == 0 {
		return nil, errors.New("there is no line AGE-SECRET-KEY-1… in it")
	}
	return found, nil
}

func withoutComments(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(strings.TrimSpace(line), "#") {
			b.WriteString(line)
		}
	}
	return b.String()
}

func parseIdentity(line string) (ageKey, error) {
	switch {
	case strings.HasPrefix(line, "AGE-SECRET-KEY-PQ-1"):
		if i, err := age.ParseHybridIdentity(line); err == nil {
			return ageKey{i, i.Recipient().String()}, nil
		}
	case strings.HasPrefix(line, "AGE-SECRET-KEY-1"):
		if i, err := age.ParseX25519Identity(line); err == nil {
			return ageKey{i, i.Recipient().String()}, nil
		}
	case strings.HasPrefix(line, "AGE-PLUGIN-"):
		return ageKey{}, errors.New("plugins of age are not supported, since they are foreign programs")
	}
	return ageKey{}, errors.New("a line is no identity of age: it must be AGE-SECRET-KEY-1… as age-keygen writes it")
}

func parseSSH(text []byte) ([]ageKey, error) {
	identity, err := agessh.ParseIdentity(text)
	if _, ok := errors.AsType[*ssh.PassphraseMissingError](err); ok {
		return nil, errors.New("the SSH key is protected by a passphrase; give it without one")
	}
	if err != nil {
		return nil, errors.New("it is no private key of SSH, or neither Ed25519 nor RSA")
	}
	raw, err := ssh.ParseRawPrivateKey(text)
	if err != nil {
		return nil, errors.New("it is no private key of SSH")
	}
	var public any
	switch key := raw.(type) {
	case *ed25519.PrivateKey:
		public = key.Public()
	case ed25519.PrivateKey:
		public = key.Public()
	case *rsa.PrivateKey:
		public = key.Public()
	}
	shown, err := ssh.NewPublicKey(public)
	if err != nil {
		return nil, errors.New("it is no private key of SSH, or neither Ed25519 nor RSA")
	}
	return []ageKey{{identity, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(shown)))}}, nil
}

// openAge decrypts with whichever identity fits.
func openAge(keys []ageKey, ciphertext []byte) ([]byte, error) {
	if len(keys) == 0 {
		return nil, ErrNoKey
	}
	identities := make([]age.Identity, len(keys))
	for i, k := range keys {
		identities[i] = k.identity
	}
	r, err := age.Decrypt(armor.NewReader(bytes.NewReader(ciphertext)), identities...)
	if _, ok := errors.AsType[*age.NoIdentityMatchError](err); ok {
		return nil, ErrNoKey
	}
	if err != nil {
		return nil, errors.New("the data key, as encrypted with age, is damaged")
	}
	plain, err := io.ReadAll(io.LimitReader(r, maxDataKey))
	if err != nil {
		return nil, errors.New("the data key, as encrypted with age, is damaged")
	}
	return plain, nil
}
