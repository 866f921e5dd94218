package keyring

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
)

// parsePGP reads private keys, as `gpg --export-secret-keys --armor` writes them.
func parsePGP(text []byte) (openpgp.EntityList, error) {
	entities, err := openpgp.ReadArmoredKeyRing(bytes.NewReader(text))
	if err != nil {
		return nil, errors.New("it is no private key as gpg --export-secret-keys --armor writes it")
	}
	for _, e := range entities {
		if e.PrivateKey == nil {
			return nil, fmt.Errorf("the key %s in it is a public one; export the private key", fingerprint(e))
		}
		protected := e.PrivateKey.Encrypted
		for _, sub := range e.Subkeys {
			protected = protected || sub.PrivateKey != nil && sub.PrivateKey.Encrypted
		}
		if protected {
			return nil, fmt.Errorf("the key %s is protected by a passphrase; export it without one", fingerprint(e))
		}
	}
	return entities, nil
}

func fingerprint(e *openpgp.Entity) string {
	return strings.ToUpper(fmt.Sprintf("%x", e.PrimaryKey.Fingerprint))
}

// openPGP decrypts with whichever key fits.
func openPGP(keys openpgp.EntityList, ciphertext []byte) ([]byte, error) {
	if len(keys) == 0 {
		return nil, ErrNoKey
	}
	damaged := errors.New("the data key, as encrypted with PGP, is damaged")
	block, err := armor.Decode(bytes.NewReader(ciphertext))
	if err != nil {
		return nil, damaged
	}
	message, err := openpgp.ReadMessage(block.Body, keys, nil, nil)
	if errors.Is(err, pgperrors.ErrKeyIncorrect) {
		return nil, ErrNoKey
	}
	if err != nil {
		return nil, damaged
	}
	// At the end of the body the integrity is checked.
	plain, err := io.ReadAll(io.LimitReader(message.UnverifiedBody, maxDataKey))
	if err != nil {
		return nil, damaged
	}
	return plain, nil
}
