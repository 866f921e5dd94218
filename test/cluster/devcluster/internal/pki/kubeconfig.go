package pki

import (
	"fmt"
	"os"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// contextName names cluster and context in the kubeconfig files.
const contextName = "devcluster"

// WriteKubeconfig writes to path a kubeconfig with which user, one of the
// names of client certificates, reaches the API server at url. Certificates
// are embedded, so the file can be copied anywhere.
func (d Dir) WriteKubeconfig(path, user, url string) error {
	ca, err := os.ReadFile(d.Cert(CA))
	if err != nil {
		return fmt.Errorf("reading the cluster authority: %w", err)
	}
	certificate, err := os.ReadFile(d.Cert(user))
	if err != nil {
		return fmt.Errorf("reading the certificate of %s: %w", user, err)
	}
	key, err := os.ReadFile(d.Key(user))
	if err != nil {
		return fmt.Errorf("reading the key of %s: %w", user, err)
	}
	config := clientcmdapi.NewConfig()
	config.Clusters[contextName] = &clientcmdapi.Cluster{Server: url, CertificateAuthorityData: ca}
	config.AuthInfos[user] = &clientcmdapi.AuthInfo{ClientCertificateData: certificate, ClientKeyData: key}
	config.Contexts[contextName] = &clientcmdapi.Context{Cluster: contextName, AuthInfo: user}
	config.CurrentContext = contextName
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		return fmt.Errorf("writing the kubeconfig %s: %w", path, err)
	}
	return nil
}
