package sops

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/getsops/sops/v3"
	"github.com/getsops/sops/v3/aes"
	"github.com/getsops/sops/v3/keyservice"
	"github.com/getsops/sops/v3/stores"

	"github.com/fairlead-cd/fairlead/internal/render"
)

// maxMasterKeys bounds how many keys of a file are tried, since each may be a request to a remote service.
const maxMasterKeys = 100

// Decrypt gives the plain content of a file, or the content as it is when the file is not encrypted. name is relative to
// the root of the repository; its extension tells formats apart. Errors are an *Error.
func Decrypt(ctx context.Context, in render.Inputs, name string, content []byte) (plain []byte, err error) {
	readers := candidates(name, content)
	if len(readers) == 0 {
		return content, nil
	}
	if len(content) > maxFile {
		return nil, fmt.Errorf("%s: %w: encrypted files may have %d bytes", name, render.ErrTooLarge, maxFile)
	}
	// The library is made for files of one's own, and panics at some metadata.
	defer func() {
		if r := recover(); r != nil {
			plain, err = nil, malformed(name, "they are damaged; try `sops decrypt` on it")
		}
	}()
	for _, read := range readers {
		d, err := read(name, content)
		if err != nil {
			return nil, err
		}
		if d != nil {
			return decrypt(ctx, in, name, d)
		}
	}
	return content, nil
}

func decrypt(ctx context.Context, in render.Inputs, name string, d document) ([]byte, error) {
	branches, metadata, err := stores.ExtractMetadata(d.tree(), d.options())
	if err != nil {
		return nil, malformed(name, "they are incomplete or damaged; try `sops decrypt` on it")
	}
	tree := sops.Tree{Branches: branches, Metadata: metadata}
	key, err := dataKey(ctx, in, name, &tree.Metadata)
	if err != nil {
		return nil, err
	}
	cipher := &namingCipher{Cipher: aes.NewCipher()}
	mac, err := tree.Decrypt(key, cipher)
	if err != nil {
		return nil, cipher.explain(name, err)
	}
	stated, err := cipher.Cipher.Decrypt(metadata.MessageAuthenticationCode, key, metadata.LastModified.Format(time.RFC3339))
	if err != nil {
		return nil, &Error{File: name, err: ErrTampered, Problem: ": its MAC cannot be decrypted; encrypt it again"}
	}
	if text, ok := stated.(string); !ok || subtle.ConstantTimeCompare([]byte(text), []byte(mac)) != 1 {
		return nil, &Error{File: name, err: ErrTampered, Problem: ": its MAC does not match; edit it with `sops edit`, and only so"}
	}
	plain, err := d.emit(tree.Branches)
	if err != nil {
		return nil, malformed(name, "what is in it does not fit its format")
	}
	if r, ok := ctx.Value(redactorKey{}).(*Redactor); ok {
		r.Add(plain)
	}
	return plain, nil
}

// dataKey gets the key that the values are encrypted with.
func dataKey(ctx context.Context, in render.Inputs, name string, metadata *sops.Metadata) ([]byte, error) {
	if n := metadata.MasterKeyCount(); n == 0 || n > maxMasterKeys {
		return nil, malformed(name, "it is encrypted for %d keys, and may be for 1 to %d", n, maxMasterKeys)
	}
	from := in.External
	if from == nil {
		from = render.NoExternal{}
	}
	h := &holder{ctx: ctx, from: from}
	// Keys that are at hand first, then those of remote services.
	key, err := metadata.GetDataKeyWithKeyServices([]keyservice.KeyServiceClient{h}, sops.DefaultDecryptionOrder)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil && len(h.refusals) > 0:
		return nil, noKey(name, h.refusals, len(metadata.KeyGroups), metadata.ShamirThreshold)
	case err != nil:
		return nil, malformed(name, "the parts of its data key do not fit together")
	}
	return key, nil
}

// errValue marks that a value could not be decrypted.
var errValue = errors.New("value")

// namingCipher remembers which value it could not decrypt, and keeps the library's error, which may have the value in it.
type namingCipher struct {
	aes.Cipher
	failed string
}

// Decrypt implements sops.Cipher.
func (c *namingCipher) Decrypt(text string, key []byte, additional string) (any, error) {
	value, err := c.Cipher.Decrypt(text, key, additional)
	if err != nil {
		c.failed = strings.TrimSuffix(additional, ":")
		return nil, errValue
	}
	return value, nil
}

// explain makes an error of a failure of tree.Decrypt.
func (c *namingCipher) explain(name string, err error) error {
	where := "a value that should be encrypted is not"
	if strings.HasSuffix(err.Error(), ": "+errValue.Error()) {
		where = fmt.Sprintf("the value of %s cannot be decrypted", clip(strings.ReplaceAll(c.failed, ":", ".")))
	}
	return &Error{File: name, err: ErrTampered, Problem: ": " + where + "; edit it with `sops edit`, and only so"}
}
