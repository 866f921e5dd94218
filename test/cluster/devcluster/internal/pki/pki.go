package pki

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
)

// Dir is the folder that holds the certificates of one cluster. Its methods
// only name files; Ensure is what writes them.
type Dir string

// The names under which Ensure writes certificates and keys.
const (
	// CA signs every serving and client certificate but the front proxy's.
	CA = "ca"
	// APIServer is the serving certificate of the API server.
	APIServer = "apiserver"
	// Kubelet is the serving certificate of the simulated kubelets.
	Kubelet = "kubelet"
	// KubeletClient is what the API server shows to the kubelets.
	KubeletClient = "apiserver-kubelet-client"
	// FrontProxyCA signs FrontProxyClient.
	FrontProxyCA = "front-proxy-ca"
	// FrontProxyClient is what the API server shows to aggregated API servers.
	FrontProxyClient = "front-proxy-client"
	// Admin is the user of the kubeconfig that is handed out.
	Admin = "admin"
	// ControllerManager is the user of kube-controller-manager.
	ControllerManager = "controller-manager"
	// Scheduler is the user of kube-scheduler.
	Scheduler = "scheduler"
	// Simulator is the user of the simulated nodes, volumes and addresses.
	Simulator = "simulator"
)

// complete is written last; a folder without it is made anew.
const complete = "complete"

// mastersGroup is bound to cluster-admin by the API server's own bootstrap
// policy. The control plane's components use it too: with one identity per
// controller the start would wait for some forty ServiceAccounts and tokens.
const mastersGroup = "system:masters"

// Cert returns the path of the certificate called name, in PEM.
func (d Dir) Cert(name string) string { return filepath.Join(string(d), name+".crt") }

// Key returns the path of the private key called name, in PEM.
func (d Dir) Key(name string) string { return filepath.Join(string(d), name+".key") }

// ServiceAccountKey returns the path of the private key that signs
// ServiceAccount tokens.
func (d Dir) ServiceAccountKey() string { return d.Key("service-account") }

// ServiceAccountPublicKey returns the path of the key that verifies
// ServiceAccount tokens.
func (d Dir) ServiceAccountPublicKey() string {
	return filepath.Join(string(d), "service-account.pub")
}

// Kubeconfig returns the path of the kubeconfig for the user called name.
func (d Dir) Kubeconfig(name string) string {
	return filepath.Join(string(d), name+".kubeconfig")
}

// Ensure writes every certificate and key that is not there yet. serviceIP is
// the address of the Service kubernetes in the namespace default, which the
// API server's certificate must name.
func (d Dir) Ensure(serviceIP net.IP) error {
	_, err := os.Stat(filepath.Join(string(d), complete))
	if err == nil {
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("looking for certificates: %w", err)
	}
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return fmt.Errorf("making the folder for certificates: %w", err)
	}
	if err := d.writeAll(serviceIP); err != nil {
		return fmt.Errorf("making certificates: %w", err)
	}
	if err := os.WriteFile(filepath.Join(string(d), complete), nil, 0o600); err != nil {
		return fmt.Errorf("marking the certificates as complete: %w", err)
	}
	return nil
}

func (d Dir) writeAll(serviceIP net.IP) error {
	ca, err := newAuthority("devcluster")
	if err != nil {
		return err
	}
	frontProxy, err := newAuthority("devcluster-front-proxy")
	if err != nil {
		return err
	}
	loopback := net.IPv4(127, 0, 0, 1)
	leaves := []struct {
		name   string
		issuer *authority
		spec   leaf
	}{
		{APIServer, ca, leaf{commonName: "kube-apiserver", names: apiServerNames, addresses: []net.IP{loopback, net.IPv6loopback, serviceIP}}},
		{Kubelet, ca, leaf{commonName: "kubelet", names: []string{"localhost"}, addresses: []net.IP{loopback}}},
		{KubeletClient, ca, leaf{commonName: "kube-apiserver-kubelet-client", group: mastersGroup}},
		{FrontProxyClient, frontProxy, leaf{commonName: FrontProxyClient}},
		{Admin, ca, leaf{commonName: "kubernetes-admin", group: mastersGroup}},
		{ControllerManager, ca, leaf{commonName: "system:kube-controller-manager", group: mastersGroup}},
		{Scheduler, ca, leaf{commonName: "system:kube-scheduler", group: mastersGroup}},
		{Simulator, ca, leaf{commonName: "devcluster:simulator", group: mastersGroup}},
	}
	for _, l := range leaves {
		pair, err := l.issuer.issue(l.spec)
		if err != nil {
			return fmt.Errorf("signing %s: %w", l.name, err)
		}
		if err := d.writePair(l.name, pair); err != nil {
			return err
		}
	}
	if err := d.writePair(CA, ca.pair); err != nil {
		return err
	}
	if err := d.writePair(FrontProxyCA, frontProxy.pair); err != nil {
		return err
	}
	return d.writeServiceAccountKey()
}

var apiServerNames = []string{
	"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local",
}

func (d Dir) writePair(name string, p pair) error {
	if err := os.WriteFile(d.Cert(name), p.certificate, 0o600); err != nil {
		return fmt.Errorf("writing the certificate of %s: %w", name, err)
	}
	if err := os.WriteFile(d.Key(name), p.key, 0o600); err != nil {
		return fmt.Errorf("writing the key of %s: %w", name, err)
	}
	return nil
}

func (d Dir) writeServiceAccountKey() error {
	private, public, err := signingKey()
	if err != nil {
		return fmt.Errorf("making the key of ServiceAccount tokens: %w", err)
	}
	if err := os.WriteFile(d.ServiceAccountKey(), private, 0o600); err != nil {
		return fmt.Errorf("writing the key of ServiceAccount tokens: %w", err)
	}
	if err := os.WriteFile(d.ServiceAccountPublicKey(), public, 0o600); err != nil {
		return fmt.Errorf("writing the public key of ServiceAccount tokens: %w", err)
	}
	return nil
}
