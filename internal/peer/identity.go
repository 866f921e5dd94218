package peer

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"
)

// Identity is this process among the components of its installation. It is safe for concurrent use.
type Identity struct {
	o Options

	mu   sync.Mutex
	held *material
	pool *x509.CertPool
	leaf *tls.Certificate
}

// hold takes what the Secret holds as the present state.
func (i *Identity) hold(m *material) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.held != nil && !i.held.signer.cert.Equal(m.signer.cert) {
		i.leaf = nil
	}
	i.held, i.pool = m, m.pool()
}

// present gives the certificate to show, and the authorities to trust. A certificate is made anew when two thirds of
// its time are over.
func (i *Identity) present() (*tls.Certificate, *x509.CertPool, error) {
	now := i.o.Now()
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.leaf == nil || i.leaf.Leaf.NotAfter.Sub(now) < leafLife/3 && i.leaf.Leaf.NotAfter.Before(i.held.signer.cert.NotAfter) {
		leaf, err := i.held.signer.leaf(now)
		if err != nil {
			return nil, nil, fmt.Errorf("making a certificate for this process: %w", err)
		}
		i.leaf = leaf
	}
	return i.leaf, i.pool, nil
}

// ServerConfig is the configuration of a server that answers peers alone, over TLS 1.3. protocols are those of ALPN.
func (i *Identity) ServerConfig(protocols ...string) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		NextProtos: protocols,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			leaf, pool, err := i.present()
			if err != nil {
				return nil, err
			}
			return &tls.Config{
				MinVersion: tls.VersionTLS13, NextProtos: protocols, Time: i.o.Now,
				Certificates: []tls.Certificate{*leaf},
				ClientAuth:   tls.RequireAndVerifyClientCert, ClientCAs: pool,
				SessionTicketsDisabled: true, // a peer shows its certificate each time
			}, nil
		},
	}
}

// ClientConfig is the configuration of a client that talks to peers alone, whatever their address, over TLS 1.3.
func (i *Identity) ClientConfig(protocols ...string) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13, NextProtos: protocols, ServerName: name, Time: i.o.Now,
		// The authorities may change while the configuration is in use, so verify looks them up itself.
		InsecureSkipVerify: true, //nolint:gosec // VerifyConnection verifies
		VerifyConnection:   i.verify,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			leaf, _, err := i.present()
			return leaf, err
		},
	}
}

// verify checks that a server is a peer.
func (i *Identity) verify(state tls.ConnectionState) error {
	_, pool, err := i.present()
	if err != nil {
		return err
	}
	if len(state.PeerCertificates) == 0 {
		return errors.New("the server shows no certificate")
	}
	intermediates := x509.NewCertPool()
	for _, cert := range state.PeerCertificates[1:] {
		intermediates.AddCert(cert)
	}
	_, err = state.PeerCertificates[0].Verify(x509.VerifyOptions{
		Roots: pool, Intermediates: intermediates, DNSName: name, CurrentTime: i.o.Now(),
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	if err != nil {
		return fmt.Errorf("the server is no component of this installation: %w", err)
	}
	return nil
}
