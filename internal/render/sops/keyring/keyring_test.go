package keyring_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	sopslib "github.com/getsops/sops/v3"
	"github.com/getsops/sops/v3/hcvault"
	"github.com/getsops/sops/v3/keyservice"
	"github.com/getsops/sops/v3/kms"
	"github.com/getsops/sops/v3/pgp"
	"golang.org/x/crypto/ssh"

	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/sops"
	"github.com/fairlead-cd/fairlead/internal/render/sops/keyring"
	"github.com/fairlead-cd/fairlead/internal/render/sops/sopstest"
)

// parse fails the test when a field cannot be used.
func parse(t *testing.T, projects []string, data map[string]string) keyring.Keys {
	t.Helper()
	fields := map[string][]byte{}
	for k, v := range data {
		fields[k] = []byte(v)
	}
	keys, problems := keyring.Parse("Secret test", projects, fields)
	if len(problems) > 0 {
		t.Fatalf("problems: %v", problems)
	}
	return keys
}

// decrypt decrypts a YAML file for a project.
func decrypt(ctx context.Context, keys *keyring.Keyring, project, content string) (string, error) {
	in := render.Inputs{External: sopstest.External{Keys: keys, Project: project}}
	plain, err := sops.Decrypt(ctx, in, "a.yaml", []byte(content))
	return string(plain), err
}

func TestAProjectsKeysServeThatProjectAlone(t *testing.T) {
	shop, toShop := sopstest.Identity(t)
	bank, toBank := sopstest.Identity(t)
	common, toAll := sopstest.Identity(t)
	keys := keyring.New([]keyring.Keys{
		parse(t, []string{"shop"}, map[string]string{"a.agekey": shop}),
		parse(t, []string{"bank"}, map[string]string{"a.agekey": bank}),
		parse(t, nil, map[string]string{"a.agekey": "# a comment\n\n" + common + "\n"}),
	}, keyring.Options{})
	for _, c := range []struct {
		project, recipient string
		can                bool
	}{
		{"shop", toShop, true}, {"shop", toBank, false}, {"shop", toAll, true},
		{"bank", toBank, true}, {"bank", toShop, false}, {"other", toAll, true}, {"other", toShop, false},
	} {
		_, err := decrypt(t.Context(), keys, c.project, sopstest.ForAge(t, "a: b\n", c.recipient))
		if (err == nil) != c.can || err != nil && !errors.Is(err, sops.ErrNoKey) {
			t.Errorf("%s with a file for %s: %v", c.project, c.recipient, err)
		}
	}
	if keys.ID("shop") == keys.ID("bank") || keys.ID("other") == "" || keys.ID("other") != keys.ID("another") {
		t.Error("the identities of the key sets are wrong")
	}
}

func TestSSHKeysAreIdentitiesOfAge(t *testing.T) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	shown, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	recipient := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(shown)))
	keys := keyring.New([]keyring.Keys{parse(t, nil, map[string]string{"id.ssh": string(pem.EncodeToMemory(block))})}, keyring.Options{})
	if got := keys.Identities("shop"); len(got) != 1 || got[0] != "age "+recipient {
		t.Errorf("identities: %q", got)
	}
	if got, err := decrypt(t.Context(), keys, "shop", sopstest.ForAge(t, "a: b\n", recipient)); err != nil || got != "a: b\n" {
		t.Errorf("got %q, %v", got, err)
	}
}

// pgpKey makes a key and what gpg would export of it.
func pgpKey(t *testing.T) (*openpgp.Entity, string) {
	t.Helper()
	entity, err := openpgp.NewEntity("test", "", "test@example.com", nil)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w, err := armor.Encode(&b, openpgp.PrivateKeyType, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(entity.SerializePrivate(w, nil), w.Close()); err != nil {
		t.Fatal(err)
	}
	return entity, b.String()
}

func TestPGPKeysDecryptInProcess(t *testing.T) {
	entity, private := pgpKey(t)
	_, other := pgpKey(t)
	fingerprint := fmt.Sprintf("%X", entity.PrimaryKey.Fingerprint)
	content := sopstest.Encrypt(t, sopstest.File{
		Plain:  "a: b\n",
		Groups: []sopslib.KeyGroup{{pgp.NewMasterKeyFromFingerprint(fingerprint)}},
		Service: func(_ *keyservice.Key, plain []byte) ([]byte, error) {
			var b bytes.Buffer
			armored, err := armor.Encode(&b, "PGP MESSAGE", nil)
			if err != nil {
				return nil, err
			}
			w, err := openpgp.Encrypt(armored, openpgp.EntityList{entity}, nil, nil, nil)
			if err != nil {
				return nil, err
			}
			_, err = w.Write(plain)
			err = errors.Join(err, w.Close(), armored.Close())
			return b.Bytes(), err
		},
	})
	keys := keyring.New([]keyring.Keys{parse(t, nil, map[string]string{"identity.asc": private})}, keyring.Options{})
	if got, err := decrypt(t.Context(), keys, "shop", content); err != nil || got != "a: b\n" {
		t.Errorf("got %q, %v", got, err)
	}
	wrong := keyring.New([]keyring.Keys{parse(t, nil, map[string]string{"identity.asc": other})}, keyring.Options{})
	if _, err := decrypt(t.Context(), wrong, "shop", content); !errors.Is(err, sops.ErrNoKey) || !strings.Contains(err.Error(), fingerprint) {
		t.Errorf("with another key: %v", err)
	}
}

// redirect sends every request to a test server, and notes where it was meant to go.
type redirect struct {
	to    *url.URL
	hosts []string
}

func (r *redirect) RoundTrip(req *http.Request) (*http.Response, error) {
	r.hosts = append(r.hosts, req.URL.Host)
	req = req.Clone(req.Context())
	req.URL.Scheme, req.URL.Host = r.to.Scheme, r.to.Host
	return http.DefaultTransport.RoundTrip(req)
}

// serve is a client whose every request a handler answers.
func serve(t *testing.T, handler http.HandlerFunc) (*http.Client, *redirect) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	r := &redirect{to: u}
	return &http.Client{Transport: r, Timeout: time.Minute}, r
}

// sealed encrypts YAML so that the data key is kept in base64, with a prefix, as if a service had encrypted it.
func sealed(t *testing.T, prefix string, group sopslib.KeyGroup) string {
	t.Helper()
	return sopstest.Encrypt(t, sopstest.File{
		Plain: "a: b\n", Groups: []sopslib.KeyGroup{group},
		Service: func(_ *keyservice.Key, plain []byte) ([]byte, error) {
			return []byte(prefix + base64.StdEncoding.EncodeToString(plain)), nil
		},
	})
}

func TestVaultDecryptsWhereTheSecretSaysSo(t *testing.T) {
	client, sent := serve(t, func(w http.ResponseWriter, req *http.Request) {
		var body struct{ Ciphertext string }
		if err := json.NewDecoder(req.Body).Decode(&body); err != nil || req.URL.Path != "/v1/transit/decrypt/shop" {
			http.Error(w, "bad request", http.StatusBadRequest)
			return
		}
		if req.Header.Get("X-Vault-Token") != "hvs.good" {
			http.Error(w, `{"errors":["permission denied for hvs.bad"]}`, http.StatusForbidden)
			return
		}
		fmt.Fprintf(w, `{"data":{"plaintext":%q}}`, strings.TrimPrefix(body.Ciphertext, "vault:v1:"))
	})
	const address = "https://vault.example.com:8200"
	content := sealed(t, "vault:v1:", sopslib.KeyGroup{hcvault.NewMasterKey(address, "transit", "shop")})
	ring := func(token, addresses string) *keyring.Keyring {
		return keyring.New([]keyring.Keys{parse(t, nil, map[string]string{"sops.vault-token": token, "sops.vault-address": addresses})},
			keyring.Options{Client: client})
	}
	if got, err := decrypt(t.Context(), ring("hvs.good\n", "https://other.example.com, "+address+"/"), "shop", content); err != nil || got != "a: b\n" {
		t.Errorf("got %q, %v", got, err)
	}
	_, err := decrypt(t.Context(), ring("hvs.bad", address), "shop", content)
	if !errors.Is(err, sops.ErrNoKey) || !strings.Contains(err.Error(), "Forbidden") || strings.Contains(err.Error(), "hvs.bad") {
		t.Errorf("with another token: %v", err)
	}
	sent.hosts = nil
	_, err = decrypt(t.Context(), ring("hvs.good", "https://other.example.com"), "shop", content)
	if !errors.Is(err, sops.ErrNoKey) || len(sent.hosts) > 0 {
		t.Errorf("a server that only the file names was asked: %v, %v", sent.hosts, err)
	}
	evil := sealed(t, "vault:v1:", sopslib.KeyGroup{hcvault.NewMasterKey(address, "transit/../../sys", "shop")})
	if _, err := decrypt(t.Context(), ring("hvs.good", address), "shop", evil); err == nil || len(sent.hosts) > 0 {
		t.Errorf("a path that leads elsewhere was asked for: %v, %v", sent.hosts, err)
	}
}

func TestAWSDecryptsWithTheCredentialsOfTheSecret(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "of-the-environment")
	const arn = "arn:aws:kms:eu-central-1:123456789012:key/12345678-1234-1234-1234-123456789012"
	var credential []string
	client, sent := serve(t, func(w http.ResponseWriter, req *http.Request) {
		text, _ := io.ReadAll(req.Body)
		credential = append(credential, req.Header.Get("Authorization"))
		if form, err := url.ParseQuery(string(text)); err == nil && form.Get("Action") == "AssumeRole" {
			fmt.Fprint(w, `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>AKIAROLE</AccessKeyId>`+
				`<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2999-01-01T00:00:00Z</Expiration>`+
				`</Credentials></AssumeRoleResult></AssumeRoleResponse>`)
			return
		}
		var body struct {
			KeyId, CiphertextBlob string
			EncryptionContext     map[string]string
		}
		if err := json.Unmarshal(text, &body); err != nil || req.Header.Get("X-Amz-Target") != "TrentService.Decrypt" || body.KeyId != arn {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"__type":"ValidationException"}`)
			return
		}
		if body.EncryptionContext["team"] != "shop" {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"__type":"AccessDeniedException","message":"secret words"}`)
			return
		}
		fmt.Fprintf(w, `{"Plaintext":%q}`, body.CiphertextBlob)
	})
	team := "shop"
	content := sealed(t, "", sopslib.KeyGroup{kms.NewMasterKey(arn, "", map[string]*string{"team": &team})})
	own := parse(t, []string{"shop"}, map[string]string{"sops.aws-kms": "aws_access_key_id: AKIASHOP\naws_secret_access_key: hidden\n"})
	keys := keyring.New([]keyring.Keys{own}, keyring.Options{Client: client})
	if got, err := decrypt(t.Context(), keys, "shop", content); err != nil || got != "a: b\n" {
		t.Fatalf("got %q, %v", got, err)
	}
	if len(credential) != 1 || !strings.Contains(credential[0], "AKIASHOP/") || sent.hosts[0] != "kms.eu-central-1.amazonaws.com" {
		t.Errorf("asked %v as %v", sent.hosts, credential)
	}

	role := sealed(t, "", sopslib.KeyGroup{kms.NewMasterKey(arn, "arn:aws:iam::123456789012:role/shop", map[string]*string{"team": &team})})
	credential = nil
	if got, err := decrypt(t.Context(), keys, "shop", role); err != nil || got != "a: b\n" {
		t.Errorf("with a role: %q, %v", got, err)
	}
	if len(credential) != 2 || !strings.Contains(credential[0], "AKIASHOP/") || !strings.Contains(credential[1], "AKIAROLE/") {
		t.Errorf("asked as %v", credential)
	}

	_, err := decrypt(t.Context(), keys, "shop", sealed(t, "", sopslib.KeyGroup{kms.NewMasterKey(arn, "", nil)}))
	if !errors.Is(err, sops.ErrNoKey) || !strings.Contains(err.Error(), "AccessDeniedException") || strings.Contains(err.Error(), "secret words") {
		t.Errorf("without access: %v", err)
	}
	sent.hosts = nil
	evil := strings.Replace(arn, "eu-central-1", "x.example.com/", 1)
	if _, err := decrypt(t.Context(), keys, "shop", sealed(t, "", sopslib.KeyGroup{kms.NewMasterKey(evil, "", nil)})); err == nil || len(sent.hosts) > 0 {
		t.Errorf("a made-up region: %v, %v", sent.hosts, err)
	}
}

func TestTheEnvironmentsCredentialsAreUsedOnlyWhereTheInstallationSaysSo(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "of-the-environment")
	const arn = "arn:aws:kms:eu-central-1:123456789012:key/12345678-1234-1234-1234-123456789012"
	asked := 0
	client, _ := serve(t, func(w http.ResponseWriter, req *http.Request) {
		var body struct{ CiphertextBlob string }
		_ = json.NewDecoder(req.Body).Decode(&body)
		asked++
		fmt.Fprintf(w, `{"Plaintext":%q}`, body.CiphertextBlob)
	})
	content := sealed(t, "", sopslib.KeyGroup{kms.NewMasterKey(arn, "", nil)})
	identity, _ := sopstest.Identity(t)
	without := keyring.New([]keyring.Keys{parse(t, nil, map[string]string{"a.agekey": identity})}, keyring.Options{Client: client})
	if _, err := decrypt(t.Context(), without, "shop", content); !errors.Is(err, sops.ErrNoKey) || asked > 0 {
		t.Errorf("nobody allowed it: %v, asked %d times", err, asked)
	}
	with := keyring.New([]keyring.Keys{parse(t, nil, map[string]string{"sops.ambient": "aws"})}, keyring.Options{Client: client})
	if got, err := decrypt(t.Context(), with, "shop", content); err != nil || got != "a: b\n" || asked != 1 {
		t.Errorf("allowed: %q, %v, asked %d times", got, err, asked)
	}
	_, problems := keyring.Parse("x", []string{"shop"}, map[string][]byte{"sops.ambient": []byte("aws")})
	if len(problems) != 1 {
		t.Errorf("a project may switch it on: %v", problems)
	}
}

func TestProblemsOfSecretsHaveNoneOfTheirContent(t *testing.T) {
	_, public := sopstest.Identity(t)
	for field, value := range map[string]string{
		"a.agekey":           "AGE-SECRET-KEY-1HUNTER2",
		"b.agekey":           "AGE-PLUGIN-HUNTER2-1ABC",
		"c.agekey":           "# hunter2",
		"d.agekey":           public,
		"a.ssh":              "-----BEGIN OPENSSH PRIVATE KEY-----\nhunter2\n-----END OPENSSH PRIVATE KEY-----\n",
		"a.asc":              "hunter2",
		"sops.aws-kms":       "aws_access_key_id: hunter2",
		"sops.gcp-kms":       `{"type":"external_account","hunter2":""}`,
		"sops.azure-kv":      "tenantId: hunter2",
		"sops.vault-token":   "hunter2",
		"sops.vault-address": "https://hunter2.example.com",
		"sops.ambient":       "hunter2",
		"hunter":             "hunter2",
	} {
		keys, problems := keyring.Parse("Secret x", nil, map[string][]byte{field: []byte(value)})
		if len(problems) != 1 || problems[0].Field != field || problems[0].Message == "" {
			t.Errorf("%s: problems %v", field, problems)
		}
		shown := fmt.Sprint(problems, keys)
		if strings.Contains(strings.ToLower(shown), "hunter2") || strings.Contains(shown, public) {
			t.Errorf("%s: content in %s", field, shown)
		}
	}
}

func TestKeysDoNotShow(t *testing.T) {
	identity, recipient := sopstest.Identity(t)
	keys := parse(t, nil, map[string]string{
		"a.agekey": identity, "sops.vault-token": "hvs.hidden", "sops.vault-address": "https://vault.example.com",
		"sops.aws-kms":  "aws_access_key_id: AKIAHIDDEN\naws_secret_access_key: aws-hidden\n",
		"sops.azure-kv": "tenantId: t\nclientId: c\nclientSecret: azure-hidden\n",
	})
	ring := keyring.New([]keyring.Keys{keys}, keyring.Options{})
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	logger.Info("keys", "set", keys, "ring", ring, "pointer", &keys)
	text, err := json.Marshal(map[string]any{"set": keys, "ring": ring})
	if err != nil {
		t.Fatal(err)
	}
	type holder struct {
		Set  keyring.Keys
		Ring *keyring.Keyring
	}
	shown := log.String() + string(text)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		shown += fmt.Sprintf(verb, keys) + fmt.Sprintf(verb, &keys) + fmt.Sprintf(verb, ring) + fmt.Sprintf(verb, holder{keys, ring})
	}
	for _, hidden := range []string{identity, identity[20:], "hvs.hidden", "aws-hidden", "azure-hidden", "AKIAHIDDEN"} {
		if strings.Contains(shown, hidden) {
			t.Errorf("%s shows in:\n%s", hidden, shown)
		}
	}
	if !strings.Contains(shown, recipient) {
		t.Error("the public identity does not show")
	}
}
