package keyring

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/fairlead-cd/fairlead/internal/render/sops"
)

// vaultAccess is a token and the servers that may see it.
type vaultAccess struct {
	token     string
	namespace string
	addresses []string
}

func parseVault(token, addresses, namespace []byte) (*vaultAccess, error) {
	v := &vaultAccess{token: strings.TrimSpace(string(token)), namespace: strings.TrimSpace(string(namespace))}
	if v.token == "" || strings.ContainsAny(v.token, "\r\n") {
		return nil, errors.New("it is no token")
	}
	for _, text := range strings.FieldsFunc(string(addresses), func(r rune) bool { return strings.ContainsRune(", \r\n\t", r) }) {
		u, err := url.Parse(text)
		if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
			return nil, errors.New(fieldVaultAddress + " must have addresses such as https://vault.example.com:8200")
		}
		v.addresses = append(v.addresses, trimAddress(text))
	}
	if len(v.addresses) == 0 {
		return nil, errors.New("it is not used without " + fieldVaultAddress + ", because a file could name any server to send it to")
	}
	return v, nil
}

func trimAddress(address string) string { return strings.TrimRight(address, "/") }

// openVault has Vault's transit engine decrypt.
func (k *Keyring) openVault(ctx context.Context, access *vaultAccess, key sops.MasterKey, ciphertext []byte) ([]byte, error) {
	if access == nil || !slices.Contains(access.addresses, trimAddress(key.VaultAddress)) {
		return nil, ErrNoKey
	}
	for part := range strings.SplitSeq(key.EnginePath+"/"+key.KeyName, "/") {
		if part == "" || part == "." || part == ".." {
			return nil, errors.New("the path of the Vault key is no path")
		}
	}
	address, err := url.Parse(trimAddress(key.VaultAddress))
	if err != nil {
		return nil, errors.New("the address of Vault is no URL")
	}
	body, err := json.Marshal(map[string]string{"ciphertext": string(ciphertext)})
	if err != nil {
		return nil, err
	}
	address = address.JoinPath("v1", key.EnginePath, "decrypt", key.KeyName)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address.String(), bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("the address of Vault is no URL")
	}
	req.Header.Set("X-Vault-Token", access.token)
	req.Header.Set("X-Vault-Request", "true")
	if access.namespace != "" {
		req.Header.Set("X-Vault-Namespace", access.namespace)
	}
	var answer struct {
		Data struct {
			Plaintext string `json:"plaintext"`
		} `json:"data"`
	}
	if err := k.ask(req, "Vault", &answer); err != nil {
		return nil, err
	}
	return decodeKey("Vault", answer.Data.Plaintext)
}

// maxAnswer bounds the answer of a service.
const maxAnswer = 1 << 20

// ask sends a request to a service. Errors have nothing of its answer but the status, since that may be a key.
func (k *Keyring) ask(req *http.Request, service string, answer any) error {
	req.Header.Set("Content-Type", "application/json")
	resp, err := k.client.Do(req)
	if err != nil {
		return fmt.Errorf("%s cannot be reached: %w", service, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("%s cannot be reached: %w", service, err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s refuses to decrypt with it: %s", service, http.StatusText(resp.StatusCode))
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return fmt.Errorf("%s gives an answer that cannot be read", service)
	}
	return nil
}

func decodeKey(service, encoded string) ([]byte, error) {
	plain, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(plain) == 0 || len(plain) > maxDataKey {
		return nil, fmt.Errorf("%s gives an answer that cannot be read", service)
	}
	return plain, nil
}
