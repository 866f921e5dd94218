package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Repository is what is needed to reach one repository. Credentials in it are left out of answers
// of the API.
type Repository struct {
	// Repo is the URL of the repository.
	Repo string `json:"repo" protobuf:"bytes,1,opt,name=repo"`
	// Username is the name to authenticate with.
	Username string `json:"username,omitempty" protobuf:"bytes,2,opt,name=username"`
	// Password is the password or access token to authenticate with.
	Password string `json:"password,omitempty" protobuf:"bytes,3,opt,name=password"`
	// SSHPrivateKey is the private key, in PEM, for Git over SSH.
	SSHPrivateKey string `json:"sshPrivateKey,omitempty" protobuf:"bytes,4,opt,name=sshPrivateKey"`
	// ConnectionState is what came out of the last attempt to reach the repository.
	ConnectionState ConnectionState `json:"connectionState,omitempty" protobuf:"bytes,5,opt,name=connectionState"`
	// InsecureIgnoreHostKey is the old name of Insecure for Git over SSH.
	InsecureIgnoreHostKey bool `json:"insecureIgnoreHostKey,omitempty" protobuf:"bytes,6,opt,name=insecureIgnoreHostKey"`
	// Insecure accepts any TLS certificate and any SSH host key.
	Insecure bool `json:"insecure,omitempty" protobuf:"bytes,7,opt,name=insecure"`
	// EnableLFS fetches files kept by Git LFS.
	EnableLFS bool `json:"enableLfs,omitempty" protobuf:"bytes,8,opt,name=enableLfs"`
	// TLSClientCertData is a client certificate, in PEM.
	TLSClientCertData string `json:"tlsClientCertData,omitempty" protobuf:"bytes,9,opt,name=tlsClientCertData"`
	// TLSClientCertKey is the private key of the client certificate, in PEM.
	TLSClientCertKey string `json:"tlsClientCertKey,omitempty" protobuf:"bytes,10,opt,name=tlsClientCertKey"`
	// Type is git, helm or oci. Empty means git.
	Type string `json:"type,omitempty" protobuf:"bytes,11,opt,name=type"`
	// Name is a name by which charts can refer to a Helm repository, as @name.
	Name string `json:"name,omitempty" protobuf:"bytes,12,opt,name=name"`
	// InheritedCreds is true when the credentials come from RepoCreds and not from the repository's
	// own Secret.
	InheritedCreds bool `json:"inheritedCreds,omitempty" protobuf:"bytes,13,opt,name=inheritedCreds"`
	// EnableOCI says that a Helm repository is an OCI registry.
	EnableOCI bool `json:"enableOCI,omitempty" protobuf:"bytes,14,opt,name=enableOCI"`
	// GithubAppPrivateKey is the private key, in PEM, of a GitHub App.
	GithubAppPrivateKey string `json:"githubAppPrivateKey,omitempty" protobuf:"bytes,15,opt,name=githubAppPrivateKey"`
	// GithubAppId is the ID of the GitHub App.
	GithubAppId int64 `json:"githubAppID,omitempty" protobuf:"bytes,16,opt,name=githubAppID"`
	// GithubAppInstallationId is the ID of the installation of the GitHub App. Zero: found by the
	// owner of the repository.
	GithubAppInstallationId int64 `json:"githubAppInstallationID,omitempty" protobuf:"bytes,17,opt,name=githubAppInstallationID"`
	// GitHubAppEnterpriseBaseURL is the API address of a GitHub Enterprise. Default:
	// https://api.github.com.
	GitHubAppEnterpriseBaseURL string `json:"githubAppEnterpriseBaseUrl,omitempty" protobuf:"bytes,18,opt,name=githubAppEnterpriseBaseUrl"`
	// Proxy is the proxy to reach the repository through, an http, https or socks5 URL.
	Proxy string `json:"proxy,omitempty" protobuf:"bytes,19,opt,name=proxy"`
	// Project is the project that the repository belongs to. Its Applications may use it without
	// more ado.
	Project string `json:"project,omitempty" protobuf:"bytes,20,opt,name=project"`
	// GCPServiceAccountKey is the key, in JSON, of a Google service account.
	GCPServiceAccountKey string `json:"gcpServiceAccountKey,omitempty" protobuf:"bytes,21,opt,name=gcpServiceAccountKey"`
	// ForceHttpBasicAuth sends the credentials with the first request, without waiting to be asked.
	ForceHttpBasicAuth bool `json:"forceHttpBasicAuth,omitempty" protobuf:"bytes,22,opt,name=forceHttpBasicAuth"`
	// NoProxy lists, separated by commas, hosts that are reached without the proxy.
	NoProxy string `json:"noProxy,omitempty" protobuf:"bytes,23,opt,name=noProxy"`
	// UseAzureWorkloadIdentity takes credentials from the workload identity of the pod.
	UseAzureWorkloadIdentity bool `json:"useAzureWorkloadIdentity,omitempty" protobuf:"bytes,24,opt,name=useAzureWorkloadIdentity"`
	// BearerToken is a token to authenticate with, as Bitbucket Data Center wants it.
	BearerToken string `json:"bearerToken,omitempty" protobuf:"bytes,25,opt,name=bearerToken"`
	// InsecureOCIForceHttp speaks plain HTTP with an OCI registry.
	InsecureOCIForceHttp bool `json:"insecureOCIForceHttp,omitempty" protobuf:"bytes,26,opt,name=insecureOCIForceHttp"`
	// Depth limits how many commits of the history are fetched. Zero fetches all.
	Depth int64 `json:"depth,omitempty" protobuf:"bytes,27,opt,name=depth"`
	// WebhookManifestCacheWarmDisabled keeps webhooks from preparing the cache for Applications
	// that a commit does not touch.
	WebhookManifestCacheWarmDisabled bool `json:"webhookManifestCacheWarmDisabled,omitempty" protobuf:"varint,28,opt,name=webhookManifestCacheWarmDisabled"`
	// AzureServicePrincipalClientId is the client ID of an Azure service principal.
	AzureServicePrincipalClientId string `json:"azureServicePrincipalClientId,omitempty" protobuf:"bytes,29,opt,name=azureServicePrincipalClientId"`
	// AzureServicePrincipalClientSecret is the client secret of the Azure service principal.
	AzureServicePrincipalClientSecret string `json:"azureServicePrincipalClientSecret,omitempty" protobuf:"bytes,30,opt,name=azureServicePrincipalClientSecret"`
	// AzureServicePrincipalTenantId is the tenant of the Azure service principal.
	AzureServicePrincipalTenantId string `json:"azureServicePrincipalTenantId,omitempty" protobuf:"bytes,31,opt,name=azureServicePrincipalTenantId"`
	// AzureActiveDirectoryEndpoint is where the Azure service principal gets its tokens. Default:
	// https://login.microsoftonline.com.
	AzureActiveDirectoryEndpoint string `json:"azureActiveDirectoryEndpoint,omitempty" protobuf:"bytes,32,opt,name=azureActiveDirectoryEndpoint"`
}

// Repositories is a list of repositories.
type Repositories []*Repository

// RepositoryList is the answer to a request for repositories.
type RepositoryList struct {
	// ListMeta is always empty.
	metav1.ListMeta `json:"metadata,omitempty" protobuf:"bytes,1,opt,name=metadata"`
	// Items are the repositories.
	Items Repositories `json:"items" protobuf:"bytes,2,rep,name=items"`
}

// Types of repositories.
const (
	// RepositoryTypeGit is a Git repository.
	RepositoryTypeGit = "git"
	// RepositoryTypeHelm is a Helm repository.
	RepositoryTypeHelm = "helm"
	// RepositoryTypeOCI is an OCI repository.
	RepositoryTypeOCI = "oci"
)

// IsInsecure reports whether any certificate and host key is accepted.
func (r *Repository) IsInsecure() bool {
	return r.Insecure || r.InsecureIgnoreHostKey
}

// Sanitized returns a copy without credentials, fit for an answer of the API.
func (r *Repository) Sanitized() *Repository {
	out := r.DeepCopy()
	for _, secret := range []*string{
		&out.Password, &out.BearerToken, &out.SSHPrivateKey, &out.TLSClientCertData, &out.TLSClientCertKey,
		&out.GithubAppPrivateKey, &out.GCPServiceAccountKey, &out.AzureServicePrincipalClientSecret,
	} {
		*secret = ""
	}
	return out
}
