package settings

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// Entropy makes what cannot be foreseen: keys, passwords, times.
type Entropy struct {
	// Random is a source of random bytes fit for keys.
	Random io.Reader
	// Now gives the time.
	Now func() time.Time
	// BcryptCost is the cost of password hashes; 0 for the usual one.
	BcryptCost int
}

// orReal gives a copy in which everything that is not set is the real thing.
func (e *Entropy) orReal() *Entropy {
	var out Entropy
	if e != nil {
		out = *e
	}
	if out.Random == nil {
		out.Random = rand.Reader
	}
	if out.Now == nil {
		out.Now = time.Now
	}
	return &out
}

// signingKey gives 32 random bytes as text, so that the Secret can be edited by hand.
func (e *Entropy) signingKey() ([]byte, error) {
	raw := make([]byte, 32)
	if _, err := io.ReadFull(e.Random, raw); err != nil {
		return nil, err
	}
	return []byte(base64.StdEncoding.EncodeToString(raw)), nil
}

// password gives 16 characters out of 64, which is 96 bits.
func (e *Entropy) password() (string, error) {
	const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_"
	raw := make([]byte, 16)
	if _, err := io.ReadFull(e.Random, raw); err != nil {
		return "", err
	}
	for i, b := range raw {
		raw[i] = letters[int(b)%len(letters)]
	}
	return string(raw), nil
}

func (e *Entropy) hash(password string) ([]byte, error) {
	cost := e.BcryptCost
	if cost == 0 {
		cost = bcrypt.DefaultCost
	}
	return bcrypt.GenerateFromPassword([]byte(password), cost)
}

// certificate makes a self-signed certificate for the names under which the server is reached inside of a cluster and on
// this host. It lasts ten years, since nothing replaces it before somebody brings a certificate of their own.
func (e *Entropy) certificate(namespace string) (crt, key []byte, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), e.Random)
	if err != nil {
		return nil, nil, err
	}
	serial, err := rand.Int(e.Random, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, nil, err
	}
	service := "argocd-server"
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{Organization: []string{"Fairlead"}},
		NotBefore:             e.Now().Add(-time.Hour), // clocks differ
		NotAfter:              e.Now().AddDate(10, 0, 0),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		DNSNames: []string{
			"localhost", service, service + "." + namespace, service + "." + namespace + ".svc", service + "." + namespace + ".svc.cluster.local",
		},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	der, err := x509.CreateCertificate(e.Random, template, template, private.Public(), private)
	if err != nil {
		return nil, nil, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, nil, err
	}
	crt = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	key = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
	return crt, key, nil
}
