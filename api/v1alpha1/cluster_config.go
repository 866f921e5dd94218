package v1alpha1

import (
	"k8s.io/apimachinery/pkg/runtime"
)

// ClusterConfig is what is needed to reach a cluster and to authenticate there.
type ClusterConfig struct {
	// Username is a name for basic authentication.
	Username string `json:"username,omitempty" protobuf:"bytes,1,opt,name=username"`
	// Password is the password for basic authentication.
	Password string `json:"password,omitempty" protobuf:"bytes,2,opt,name=password"`
	// BearerToken is a token to authenticate with.
	BearerToken string `json:"bearerToken,omitempty" protobuf:"bytes,3,opt,name=bearerToken"`
	// TLSClientConfig says how TLS is spoken.
	TLSClientConfig `json:"tlsClientConfig" protobuf:"bytes,4,opt,name=tlsClientConfig"`
	// AWSAuthConfig gets tokens from AWS IAM, for EKS.
	AWSAuthConfig *AWSAuthConfig `json:"awsAuthConfig,omitempty" protobuf:"bytes,5,opt,name=awsAuthConfig"`
	// ExecProviderConfig gets credentials from a program.
	ExecProviderConfig *ExecProviderConfig `json:"execProviderConfig,omitempty" protobuf:"bytes,6,opt,name=execProviderConfig"`
	// DisableCompression asks the API server for uncompressed answers.
	DisableCompression bool `json:"disableCompression,omitempty" protobuf:"bytes,7,opt,name=disableCompression"`
	// ProxyUrl is the proxy to reach the cluster through, an http, https or socks5 URL.
	ProxyUrl string `json:"proxyUrl,omitempty" protobuf:"bytes,8,opt,name=proxyUrl"`
}

// TLSClientConfig says how TLS is spoken with a cluster.
type TLSClientConfig struct {
	// Insecure accepts any certificate. Only for trying things out.
	Insecure bool `json:"insecure" protobuf:"bytes,1,opt,name=insecure"`
	// ServerName is the name that the certificate must be for. Default: the host name in the
	// address.
	ServerName string `json:"serverName,omitempty" protobuf:"bytes,2,opt,name=serverName"`
	// CertData is a client certificate, in PEM.
	CertData []byte `json:"certData,omitempty" protobuf:"bytes,3,opt,name=certData"`
	// KeyData is the private key of the client certificate, in PEM.
	KeyData []byte `json:"keyData,omitempty" protobuf:"bytes,4,opt,name=keyData"`
	// CAData are the certificate authorities that are trusted, in PEM. Empty means those of the
	// system.
	CAData []byte `json:"caData,omitempty" protobuf:"bytes,5,opt,name=caData"`
}

// AWSAuthConfig gets tokens from AWS IAM.
type AWSAuthConfig struct {
	// ClusterName is the name of the cluster in EKS.
	ClusterName string `json:"clusterName,omitempty" protobuf:"bytes,1,opt,name=clusterName"`
	// RoleARN is a role to assume. Empty means the identity of the pod.
	RoleARN string `json:"roleARN,omitempty" protobuf:"bytes,2,opt,name=roleARN"`
	// Profile is a profile of the shared AWS configuration to use.
	Profile string `json:"profile,omitempty" protobuf:"bytes,3,opt,name=profile"`
}

// ExecProviderConfig gets credentials from a program, as the exec section of a kubeconfig does.
type ExecProviderConfig struct {
	// Command is the program.
	Command string `json:"command,omitempty" protobuf:"bytes,1,opt,name=command"`
	// Args are its arguments.
	Args []string `json:"args,omitempty" protobuf:"bytes,2,rep,name=args"`
	// Env are environment variables for it, beside those it inherits.
	Env map[string]string `json:"env,omitempty" protobuf:"bytes,3,opt,name=env"`
	// APIVersion is the version of the ExecCredential to exchange with it.
	APIVersion string `json:"apiVersion,omitempty" protobuf:"bytes,4,opt,name=apiVersion"`
	// InstallHint is told to people when the program is missing.
	InstallHint string `json:"installHint,omitempty" protobuf:"bytes,5,opt,name=installHint"`
	// ProvideClusterInfo tells the program about the cluster, in the variable KUBERNETES_EXEC_INFO.
	ProvideClusterInfo bool `json:"provideClusterInfo,omitempty" protobuf:"bytes,6,opt,name=provideClusterInfo"`
	// Config is passed to the program as it is, as part of what it is told about the cluster.
	Config *runtime.RawExtension `json:"config,omitempty" protobuf:"bytes,7,opt,name=config"`
}
