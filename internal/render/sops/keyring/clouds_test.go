package keyring_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	sopslib "github.com/getsops/sops/v3"
	"github.com/getsops/sops/v3/azkv"
	"github.com/getsops/sops/v3/gcpkms"
	"github.com/getsops/sops/v3/keyservice"

	"github.com/fairlead-cd/fairlead/internal/render/sops"
	"github.com/fairlead-cd/fairlead/internal/render/sops/keyring"
	"github.com/fairlead-cd/fairlead/internal/render/sops/sopstest"
)

func TestGoogleDecryptsWithTheKeyFileOfTheSecret(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	private := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	account, err := json.Marshal(map[string]string{
		"type": "service_account", "client_email": "shop@example.com", "private_key": string(private),
		"token_uri": "https://oauth2.example.com/token",
	})
	if err != nil {
		t.Fatal(err)
	}
	const resource = "projects/shop/locations/global/keyRings/ring/cryptoKeys/key"
	client, sent := serve(t, func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path == "/token" {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `{"access_token":"good","token_type":"Bearer","expires_in":3600}`)
			return
		}
		var body struct{ Ciphertext string }
		if err := json.NewDecoder(req.Body).Decode(&body); err != nil || req.URL.Path != "/v1/"+resource+":decrypt" ||
			req.Header.Get("Authorization") != "Bearer good" {
			http.Error(w, "secret words", http.StatusForbidden)
			return
		}
		fmt.Fprintf(w, `{"plaintext":%q}`, body.Ciphertext)
	})
	keys := keyring.New([]keyring.Keys{parse(t, nil, map[string]string{"sops.gcp-kms": string(account)})}, keyring.Options{Client: client})
	got, err := decrypt(t.Context(), keys, "shop", sealed(t, "", sopslib.KeyGroup{gcpkms.NewMasterKeyFromResourceID(resource)}))
	if err != nil || got != "a: b\n" || strings.Join(sent.hosts, " ") != "oauth2.example.com cloudkms.googleapis.com" {
		t.Errorf("got %q, %v, asked %v", got, err, sent.hosts)
	}
	other := strings.Replace(resource, "shop", "bank", 1)
	_, err = decrypt(t.Context(), keys, "shop", sealed(t, "", sopslib.KeyGroup{gcpkms.NewMasterKeyFromResourceID(other)}))
	if !errors.Is(err, sops.ErrNoKey) || !strings.Contains(err.Error(), "Forbidden") || strings.Contains(err.Error(), "secret words") {
		t.Errorf("without access: %v", err)
	}
}

func TestAzureDecryptsUnderItsOwnNamesOnly(t *testing.T) {
	client, sent := serve(t, func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch {
		case strings.Contains(req.URL.Path, "/discovery/instance"):
			fmt.Fprint(w, `{"tenant_discovery_endpoint":"https://login.microsoftonline.com/tenant/v2.0/.well-known/openid-configuration",`+
				`"metadata":[{"preferred_network":"login.microsoftonline.com","preferred_cache":"login.windows.net","aliases":["login.microsoftonline.com"]}]}`)
		case strings.Contains(req.URL.Path, "openid-configuration"):
			fmt.Fprint(w, `{"authorization_endpoint":"https://login.microsoftonline.com/tenant/oauth2/v2.0/authorize",`+
				`"token_endpoint":"https://login.microsoftonline.com/tenant/oauth2/v2.0/token","issuer":"https://login.microsoftonline.com/tenant/v2.0"}`)
		case strings.HasSuffix(req.URL.Path, "/token"):
			fmt.Fprint(w, `{"access_token":"good","token_type":"Bearer","expires_in":3600}`)
		case req.Header.Get("Authorization") != "Bearer good":
			w.Header().Set("WWW-Authenticate", `Bearer authorization="https://login.microsoftonline.com/tenant", resource="https://vault.azure.net"`)
			w.WriteHeader(http.StatusUnauthorized)
		default:
			var body struct{ Value string }
			_ = json.NewDecoder(req.Body).Decode(&body)
			fmt.Fprintf(w, `{"kid":"https://shop.vault.azure.net/keys/key/v1","value":%q}`, body.Value)
		}
	})
	secret := "tenantId: tenant\nclientId: client\nclientSecret: hidden\n"
	keys := keyring.New([]keyring.Keys{parse(t, nil, map[string]string{"sops.azure-kv": secret})}, keyring.Options{Client: client})
	file := func(address string) string {
		return sopstest.Encrypt(t, sopstest.File{
			Plain: "a: b\n", Groups: []sopslib.KeyGroup{{azkv.NewMasterKey(address, "key", "v1")}},
			Service: func(_ *keyservice.Key, plain []byte) ([]byte, error) {
				return []byte(base64.RawURLEncoding.EncodeToString(plain)), nil
			},
		})
	}
	if got, err := decrypt(t.Context(), keys, "shop", file("https://shop.vault.azure.net")); err != nil || got != "a: b\n" {
		t.Errorf("got %q, %v, asked %v", got, err, sent.hosts)
	}
	sent.hosts = nil
	for _, address := range []string{
		"https://vault.example.com", "https://shop.vault.azure.net.example.com", "http://shop.vault.azure.net",
		"https://shop.vault.azure.net:8443", "https://user@shop.vault.azure.net", "https://.vault.azure.net",
	} {
		if _, err := decrypt(t.Context(), keys, "shop", file(address)); !errors.Is(err, sops.ErrNoKey) || len(sent.hosts) > 0 {
			t.Errorf("%s: %v, asked %v", address, err, sent.hosts)
		}
	}
}
