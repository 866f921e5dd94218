package cache

import (
	"bytes"
	"compress/gzip"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/chacha20poly1305"
)

// errForeign means that an entry was not written by this installation for this name, or is damaged.
var errForeign = errors.New("the entry is damaged, or of another installation")

// Forms of a value before it is encrypted.
const (
	formPlain byte = iota
	formGzip
)

// sealer names and encrypts entries.
type sealer struct {
	aead     cipher.AEAD
	nameKey  []byte
	compress bool
	maxBytes int64
}

// newSealer derives the keys of one version of entries. Entries of other versions have other names and other keys.
func newSealer(serverKey []byte, version string, compress bool, maxBytes int64) (*sealer, error) {
	if len(serverKey) == 0 {
		return nil, errors.New("the installation has no server key yet")
	}
	derive := func(purpose string) ([]byte, error) {
		return hkdf.Key(sha256.New, serverKey, nil, "fairlead cache "+purpose+" "+version, chacha20poly1305.KeySize)
	}
	key, err := derive("encryption")
	if err != nil {
		return nil, fmt.Errorf("deriving a key: %w", err)
	}
	nameKey, err := derive("names")
	if err != nil {
		return nil, fmt.Errorf("deriving a key: %w", err)
	}
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, fmt.Errorf("making a cipher: %w", err)
	}
	return &sealer{aead: aead, nameKey: nameKey, compress: compress, maxBytes: maxBytes}, nil
}

// name is where an entry stands.
func (s *sealer) name(key [32]byte) string {
	mac := hmac.New(sha256.New, s.nameKey)
	mac.Write(key[:])
	return "fairlead:render:" + hex.EncodeToString(mac.Sum(nil))
}

// seal compresses and encrypts a value for a name.
func (s *sealer) seal(name string, value []byte) ([]byte, error) {
	plain := append([]byte{formPlain}, value...)
	if s.compress {
		b := bytes.NewBuffer([]byte{formGzip})
		w, err := gzip.NewWriterLevel(b, gzip.BestSpeed)
		if err != nil {
			return nil, fmt.Errorf("compressing: %w", err)
		}
		if _, err = w.Write(value); err == nil {
			err = w.Close()
		}
		if err != nil {
			return nil, fmt.Errorf("compressing: %w", err)
		}
		plain = b.Bytes()
	}
	nonce := make([]byte, s.aead.NonceSize(), s.aead.NonceSize()+len(plain)+s.aead.Overhead())
	if _, err := rand.Read(nonce); err != nil {
		return nil, fmt.Errorf("making a nonce: %w", err)
	}
	return s.aead.Seal(nonce, nonce, plain, []byte(name)), nil
}

// open is the inverse of seal. It never makes more than maxBytes of an entry.
func (s *sealer) open(name string, sealed []byte) ([]byte, error) {
	n := s.aead.NonceSize()
	if len(sealed) < n {
		return nil, errForeign
	}
	plain, err := s.aead.Open(nil, sealed[:n], sealed[n:], []byte(name))
	if err != nil || len(plain) == 0 {
		return nil, errForeign
	}
	switch plain[0] {
	case formPlain:
		return plain[1:], nil
	case formGzip:
		r, err := gzip.NewReader(bytes.NewReader(plain[1:]))
		if err != nil {
			return nil, errForeign
		}
		value, err := io.ReadAll(io.LimitReader(r, s.maxBytes+1))
		if err != nil || int64(len(value)) > s.maxBytes {
			return nil, errForeign
		}
		return value, nil
	}
	return nil, errForeign
}
