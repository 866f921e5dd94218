package keyring

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
	"sigs.k8s.io/yaml"

	"github.com/fairlead-cd/fairlead/internal/render/sops"
)

// azureCredentials are those of a service principal.
type azureCredentials struct {
	Tenant        string `json:"tenantId"`
	Client        string `json:"clientId"`
	Secret        string `json:"clientSecret"`
	Certificate   string `json:"clientCertificate"`
	Password      string `json:"clientCertificatePassword"`
	AuthorityHost string `json:"authorityHost"`
}

// azureDomains are those of Azure's clouds, by which a repository's word about an address is checked.
func azureDomains() []string {
	return []string{
		".vault.azure.net", ".vault.azure.cn", ".vault.usgovcloudapi.net",
		".managedhsm.azure.net", ".managedhsm.azure.cn", ".managedhsm.usgovcloudapi.net",
	}
}

func parseAzure(text []byte) (*azureCredentials, error) {
	c := &azureCredentials{}
	if err := yaml.Unmarshal(text, c); err != nil || c.Tenant == "" || c.Client == "" || c.Secret == "" && c.Certificate == "" {
		return nil, errors.New("it must be YAML with tenantId, clientId and clientSecret or clientCertificate")
	}
	if c.Certificate != "" {
		if _, _, err := azidentity.ParseCertificates([]byte(c.Certificate), []byte(c.Password)); err != nil {
			return nil, errors.New("clientCertificate is no certificate with its key in PEM, or the password is another")
		}
	}
	return c, nil
}

// openAzure has Azure Key Vault decrypt.
func (k *Keyring) openAzure(ctx context.Context, set Keys, key sops.MasterKey, ciphertext []byte) ([]byte, error) {
	if set.azure == nil && !set.ambient["azure"] {
		return nil, ErrNoKey
	}
	if !isAzure(key.VaultURL) {
		return nil, errors.New("the URL of the Azure Key Vault is none")
	}
	blob, err := base64.RawURLEncoding.DecodeString(string(ciphertext))
	if err != nil {
		return nil, errors.New("the data key, as encrypted with Azure Key Vault, is damaged")
	}
	options := policy.ClientOptions{Transport: k.client, Retry: policy.RetryOptions{MaxRetries: 1}}
	credential, err := set.azure.credential(options)
	if err != nil {
		return nil, errors.New("the credentials for Azure cannot be used")
	}
	client, err := azkeys.NewClient(key.VaultURL, credential, &azkeys.ClientOptions{ClientOptions: options})
	if err != nil {
		return nil, errors.New("the URL of the Azure Key Vault is none")
	}
	algorithm := azkeys.EncryptionAlgorithmRSAOAEP256
	out, err := client.Decrypt(ctx, key.Name, key.Version, azkeys.KeyOperationParameters{Algorithm: &algorithm, Value: blob}, nil)
	if failure, ok := errors.AsType[*azcore.ResponseError](err); ok {
		return nil, fmt.Errorf("Azure Key Vault refuses to decrypt with it: %d %s", failure.StatusCode, failure.ErrorCode) //nolint:staticcheck // a name
	}
	if err != nil {
		return nil, errors.New("logging in to Azure failed, or its Key Vault cannot be reached")
	}
	return out.Result, nil
}

func isAzure(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.User != nil || u.Port() != "" {
		return false
	}
	for _, domain := range azureDomains() {
		if name, ok := strings.CutSuffix(u.Hostname(), domain); ok && name != "" && !strings.Contains(name, ".") {
			return true
		}
	}
	return false
}

// credential logs in as the service principal, or without one as what the environment says.
func (c *azureCredentials) credential(o policy.ClientOptions) (azcore.TokenCredential, error) {
	if c == nil {
		return azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{ClientOptions: o})
	}
	if c.AuthorityHost != "" {
		o.Cloud.ActiveDirectoryAuthorityHost = c.AuthorityHost
	}
	if c.Certificate == "" {
		return azidentity.NewClientSecretCredential(c.Tenant, c.Client, c.Secret, &azidentity.ClientSecretCredentialOptions{ClientOptions: o})
	}
	certificates, key, err := azidentity.ParseCertificates([]byte(c.Certificate), []byte(c.Password))
	if err != nil {
		return nil, err
	}
	return azidentity.NewClientCertificateCredential(c.Tenant, c.Client, certificates, key,
		&azidentity.ClientCertificateCredentialOptions{ClientOptions: o})
}
