package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// RepositoryCertificate is a TLS certificate or SSH host key by which a server is known.
type RepositoryCertificate struct {
	// ServerName is the host name of the server, with :port unless it is the usual one.
	ServerName string `json:"serverName" protobuf:"bytes,1,opt,name=serverName"`
	// CertType is https or ssh.
	CertType string `json:"certType" protobuf:"bytes,2,opt,name=certType"`
	// CertSubType is the type of key, such as ssh-ed25519.
	CertSubType string `json:"certSubType" protobuf:"bytes,3,opt,name=certSubType"`
	// CertData is the certificate in PEM, or the host key.
	CertData []byte `json:"certData" protobuf:"bytes,4,opt,name=certData"`
	// CertInfo is the common name of the certificate, or the fingerprint of the host key.
	CertInfo string `json:"certInfo" protobuf:"bytes,5,opt,name=certInfo"`
}

// RepositoryCertificateList is the answer to a request for certificates.
type RepositoryCertificateList struct {
	// ListMeta is always empty.
	metav1.ListMeta `json:"metadata,omitempty" protobuf:"bytes,1,opt,name=metadata"`
	// Items are the certificates.
	Items []RepositoryCertificate `json:"items" protobuf:"bytes,2,rep,name=items"`
}

// GnuPGPublicKey is a public key that signatures of commits are verified with.
type GnuPGPublicKey struct {
	// KeyID is the ID of the key, in hexadecimal.
	KeyID string `json:"keyID" protobuf:"bytes,1,opt,name=keyID"`
	// Fingerprint is its fingerprint.
	Fingerprint string `json:"fingerprint,omitempty" protobuf:"bytes,2,opt,name=fingerprint"`
	// Owner is whose key it is, as Name <address>.
	Owner string `json:"owner,omitempty" protobuf:"bytes,3,opt,name=owner"`
	// Trust is how far the key is trusted, in the words of GnuPG.
	Trust string `json:"trust,omitempty" protobuf:"bytes,4,opt,name=trust"`
	// SubType is the algorithm and length of the key, such as rsa4096.
	SubType string `json:"subType,omitempty" protobuf:"bytes,5,opt,name=subType"`
	// KeyData is the key itself, in its armored form.
	KeyData string `json:"keyData,omitempty" protobuf:"bytes,6,opt,name=keyData"`
}

// GnuPGPublicKeyList is the answer to a request for keys.
type GnuPGPublicKeyList struct {
	// ListMeta is always empty.
	metav1.ListMeta `json:"metadata,omitempty" protobuf:"bytes,1,opt,name=metadata"`
	// Items are the keys.
	Items []GnuPGPublicKey `json:"items" protobuf:"bytes,2,rep,name=items"`
}
