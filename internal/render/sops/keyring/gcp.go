package keyring

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"

	"github.com/fairlead-cd/fairlead/internal/render/sops"
)

const (
	gcpScope   = "https://www.googleapis.com/auth/cloudkms"
	gcpAddress = "https://cloudkms.googleapis.com/v1/"
)

var gcpResource = regexp.MustCompile(`^projects/[\w.:-]+/locations/[\w-]+/keyRings/[\w-]+/cryptoKeys/[\w-]+$`)

// parseGCP checks the key file of a service account. Other kinds of credentials may say that programs are to be run or
// files to be read.
func parseGCP(text []byte) ([]byte, error) {
	if _, err := google.JWTConfigFromJSON(text, gcpScope); err != nil {
		return nil, errors.New("it is no key file of a service account, in JSON")
	}
	return bytes.Clone(text), nil
}

// openGCP has Google's KMS decrypt.
func (k *Keyring) openGCP(ctx context.Context, set Keys, key sops.MasterKey, ciphertext []byte) ([]byte, error) {
	if set.gcp == nil && !set.ambient["gcp"] {
		return nil, ErrNoKey
	}
	if !gcpResource.MatchString(key.ResourceID) {
		return nil, errors.New("the resource id of the GCP KMS key is none")
	}
	token, err := gcpToken(context.WithValue(ctx, oauth2.HTTPClient, k.client), set.gcp)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(map[string]string{"ciphertext": string(ciphertext)}) // SOPS has it in base64 already
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, gcpAddress+key.ResourceID+":decrypt", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	token.SetAuthHeader(req)
	var answer struct {
		Plaintext string `json:"plaintext"`
	}
	if err := k.ask(req, "GCP KMS", &answer); err != nil {
		return nil, err
	}
	return decodeKey("GCP KMS", answer.Plaintext)
}

// gcpToken logs in with a key file, or without one as what the environment says.
func gcpToken(ctx context.Context, keyFile []byte) (*oauth2.Token, error) {
	var source oauth2.TokenSource
	if keyFile != nil {
		config, err := google.JWTConfigFromJSON(keyFile, gcpScope)
		if err != nil {
			return nil, errors.New("the key file of the service account cannot be used")
		}
		source = config.TokenSource(ctx)
	} else {
		found, err := google.FindDefaultCredentials(ctx, gcpScope)
		if err != nil {
			return nil, errors.New("the environment has no credentials for Google Cloud")
		}
		source = found.TokenSource
	}
	token, err := source.Token()
	if failure, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		return nil, fmt.Errorf("logging in to Google Cloud: %s", failure.Response.Status)
	}
	if err != nil {
		return nil, errors.New("logging in to Google Cloud failed")
	}
	return token, nil
}
