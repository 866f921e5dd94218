package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// RepoCreds are credentials for all repositories whose URL starts with URL. The longest match wins.
// Their fields mean the same as those of Repository.
type RepoCreds struct {
	// URL is the start of the URLs.
	URL string `json:"url" protobuf:"bytes,1,opt,name=url"`
	// Username is the name to authenticate with.
	Username string `json:"username,omitempty" protobuf:"bytes,2,opt,name=username"`
	// Password is the password or access token to authenticate with.
	Password string `json:"password,omitempty" protobuf:"bytes,3,opt,name=password"`
	// SSHPrivateKey is the private key, in PEM, for Git over SSH.
	SSHPrivateKey string `json:"sshPrivateKey,omitempty" protobuf:"bytes,4,opt,name=sshPrivateKey"`
	// TLSClientCertData is a client certificate, in PEM.
	TLSClientCertData string `json:"tlsClientCertData,omitempty" protobuf:"bytes,5,opt,name=tlsClientCertData"`
	// TLSClientCertKey is the private key of the client certificate, in PEM.
	TLSClientCertKey string `json:"tlsClientCertKey,omitempty" protobuf:"bytes,6,opt,name=tlsClientCertKey"`
	// GithubAppPrivateKey is the private key, in PEM, of a GitHub App.
	GithubAppPrivateKey string `json:"githubAppPrivateKey,omitempty" protobuf:"bytes,7,opt,name=githubAppPrivateKey"`
	// GithubAppId is the ID of the GitHub App.
	GithubAppId int64 `json:"githubAppID,omitempty" protobuf:"bytes,8,opt,name=githubAppID"`
	// GithubAppInstallationId is the ID of the installation of the GitHub App.
	GithubAppInstallationId int64 `json:"githubAppInstallationID,omitempty" protobuf:"bytes,9,opt,name=githubAppInstallationID"`
	// GitHubAppEnterpriseBaseURL is the API address of a GitHub Enterprise. Default:
	// https://api.github.com.
	GitHubAppEnterpriseBaseURL string `json:"githubAppEnterpriseBaseUrl,omitempty" protobuf:"bytes,10,opt,name=githubAppEnterpriseBaseUrl"`
	// EnableOCI says that the Helm repositories are OCI registries.
	EnableOCI bool `json:"enableOCI,omitempty" protobuf:"bytes,11,opt,name=enableOCI"`
	// Type is git, helm or oci. Empty means git.
	Type string `json:"type,omitempty" protobuf:"bytes,12,opt,name=type"`
	// GCPServiceAccountKey is the key, in JSON, of a Google service account.
	GCPServiceAccountKey string `json:"gcpServiceAccountKey,omitempty" protobuf:"bytes,13,opt,name=gcpServiceAccountKey"`
	// Proxy is the proxy to reach the repositories through.
	Proxy string `json:"proxy,omitempty" protobuf:"bytes,19,opt,name=proxy"`
	// ForceHttpBasicAuth sends the credentials with the first request.
	ForceHttpBasicAuth bool `json:"forceHttpBasicAuth,omitempty" protobuf:"bytes,20,opt,name=forceHttpBasicAuth"`
	// NoProxy lists, separated by commas, hosts that are reached without the proxy.
	NoProxy string `json:"noProxy,omitempty" protobuf:"bytes,23,opt,name=noProxy"`
	// UseAzureWorkloadIdentity takes credentials from the workload identity of the pod.
	UseAzureWorkloadIdentity bool `json:"useAzureWorkloadIdentity,omitempty" protobuf:"bytes,24,opt,name=useAzureWorkloadIdentity"`
	// BearerToken is a token to authenticate with.
	BearerToken string `json:"bearerToken,omitempty" protobuf:"bytes,25,opt,name=bearerToken"`
	// InsecureOCIForceHttp speaks plain HTTP with OCI registries.
	InsecureOCIForceHttp bool `json:"insecureOCIForceHttp,omitempty" protobuf:"bytes,26,opt,name=insecureOCIForceHttp"`
	// AzureServicePrincipalClientId is the client ID of an Azure service principal.
	AzureServicePrincipalClientId string `json:"azureServicePrincipalClientId,omitempty" protobuf:"bytes,29,opt,name=azureServicePrincipalClientId"`
	// AzureServicePrincipalClientSecret is the client secret of the Azure service principal.
	AzureServicePrincipalClientSecret string `json:"azureServicePrincipalClientSecret,omitempty" protobuf:"bytes,30,opt,name=azureServicePrincipalClientSecret"`
	// AzureServicePrincipalTenantId is the tenant of the Azure service principal.
	AzureServicePrincipalTenantId string `json:"azureServicePrincipalTenantId,omitempty" protobuf:"bytes,31,opt,name=azureServicePrincipalTenantId"`
	// AzureActiveDirectoryEndpoint is where the Azure service principal gets its tokens.
	AzureActiveDirectoryEndpoint string `json:"azureActiveDirectoryEndpoint,omitempty" protobuf:"bytes,32,opt,name=azureActiveDirectoryEndpoint"`
}

// RepoCredsList is the answer to a request for credentials.
type RepoCredsList struct {
	// ListMeta is always empty.
	metav1.ListMeta `json:"metadata,omitempty" protobuf:"bytes,1,opt,name=metadata"`
	// Items are the credentials.
	Items []RepoCreds `json:"items" protobuf:"bytes,2,rep,name=items"`
}
