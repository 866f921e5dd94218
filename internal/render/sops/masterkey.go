package sops

import (
	"encoding/json"
	"fmt"

	"github.com/getsops/sops/v3/keyservice"

	"github.com/fairlead-cd/fairlead/internal/render"
)

// Types of master keys, as render.EncryptedDataKey has them.
const (
	TypeAge   = "age"
	TypePGP   = "pgp"
	TypeAWS   = "kms"
	TypeGCP   = "gcp_kms"
	TypeAzure = "azure_kv"
	TypeVault = "hc_vault"
)

// MasterKey is what a SOPS file says about one of the keys that its data key is encrypted for. Which fields are set
// depends on the type. In JSON it is the message of SOPS's key service.
type MasterKey struct {
	// Recipient of age: a public key.
	Recipient string `json:"recipient,omitempty"`
	// Fingerprint of a PGP key.
	Fingerprint string `json:"fingerprint,omitempty"`
	// ARN, Role to assume and encryption Context of AWS KMS.
	ARN     string            `json:"arn,omitempty"`
	Role    string            `json:"role,omitempty"`
	Context map[string]string `json:"context,omitempty"`
	// ResourceID of GCP KMS.
	ResourceID string `json:"resource_id,omitempty"`
	// VaultURL, Name and Version of Azure Key Vault.
	VaultURL string `json:"vault_url,omitempty"`
	Name     string `json:"name,omitempty"`
	Version  string `json:"version,omitempty"`
	// VaultAddress, EnginePath and KeyName of Vault's transit engine.
	VaultAddress string `json:"vault_address,omitempty"`
	EnginePath   string `json:"engine_path,omitempty"`
	KeyName      string `json:"key_name,omitempty"`
}

// String names the key by its public identity.
func (k MasterKey) String() string {
	switch {
	case k.Recipient != "":
		return "age " + clip(k.Recipient)
	case k.Fingerprint != "":
		return "PGP " + clip(k.Fingerprint)
	case k.ARN != "":
		return "AWS KMS " + clip(k.ARN)
	case k.ResourceID != "":
		return "GCP KMS " + clip(k.ResourceID)
	case k.VaultURL != "":
		return "Azure Key Vault " + clip(fmt.Sprintf("%s/keys/%s/%s", k.VaultURL, k.Name, k.Version))
	case k.VaultAddress != "":
		return "Vault " + clip(fmt.Sprintf("%s/v1/%s/keys/%s", k.VaultAddress, k.EnginePath, k.KeyName))
	}
	return "a key without a name"
}

// maxName bounds what errors repeat of a file's metadata.
const maxName = 300

func clip(name string) string {
	if len(name) > maxName {
		return name[:maxName] + "…"
	}
	return name
}

// masterKeyOf reads the message of SOPS's key service.
func masterKeyOf(key *keyservice.Key) (kind string, out MasterKey, err error) {
	switch k := key.GetKeyType().(type) {
	case *keyservice.Key_AgeKey:
		return TypeAge, MasterKey{Recipient: k.AgeKey.GetRecipient()}, nil
	case *keyservice.Key_PgpKey:
		return TypePGP, MasterKey{Fingerprint: k.PgpKey.GetFingerprint()}, nil
	case *keyservice.Key_KmsKey:
		return TypeAWS, MasterKey{ARN: k.KmsKey.GetArn(), Role: k.KmsKey.GetRole(), Context: k.KmsKey.GetContext()}, nil
	case *keyservice.Key_GcpKmsKey:
		return TypeGCP, MasterKey{ResourceID: k.GcpKmsKey.GetResourceId()}, nil
	case *keyservice.Key_AzureKeyvaultKey:
		a := k.AzureKeyvaultKey
		return TypeAzure, MasterKey{VaultURL: a.GetVaultUrl(), Name: a.GetName(), Version: a.GetVersion()}, nil
	case *keyservice.Key_VaultKey:
		v := k.VaultKey
		return TypeVault, MasterKey{VaultAddress: v.GetVaultAddress(), EnginePath: v.GetEnginePath(), KeyName: v.GetKeyName()}, nil
	}
	return "", MasterKey{}, fmt.Errorf("keys of this kind are not supported; encrypt the file for age, PGP, AWS KMS, GCP KMS, Azure Key Vault or Vault")
}

// encode makes the question for the holder of the keys.
func encode(kind string, key MasterKey, ciphertext []byte) (render.EncryptedDataKey, error) {
	text, err := json.Marshal(key)
	if err != nil {
		return render.EncryptedDataKey{}, err
	}
	return render.EncryptedDataKey{Type: kind, Key: text, Ciphertext: ciphertext}, nil
}
