package peer

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"maps"
	"time"
)

// Keys of the Secret.
const (
	signerCert = "tls.crt"
	signerKey  = "tls.key"
	nextCert   = "next.crt"
	nextKey    = "next.key"
	trustedKey = "ca.crt"
)

const (
	// renewBefore is how long before its end an authority gets a successor.
	renewBefore = 365 * 24 * time.Hour
	// settle is how long a successor is trusted before it signs.
	settle = 24 * time.Hour
)

// material is what the Secret holds.
type material struct {
	signer  *authority
	next    *authority // nil unless a successor waits
	trusted []*x509.Certificate
}

func parseMaterial(data map[string][]byte) (*material, error) {
	m := &material{}
	var err error
	if m.signer, err = parseAuthority(data[signerCert], data[signerKey]); err != nil {
		return nil, fmt.Errorf("%s and %s: %w", signerCert, signerKey, err)
	}
	if len(data[nextCert]) > 0 {
		if m.next, err = parseAuthority(data[nextCert], data[nextKey]); err != nil {
			return nil, fmt.Errorf("%s and %s: %w", nextCert, nextKey, err)
		}
	}
	if m.trusted, err = parseCertificates(data[trustedKey]); err != nil {
		return nil, fmt.Errorf("%s: %w", trustedKey, err)
	}
	return m, nil
}

func (m *material) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	for _, cert := range m.trusted {
		pool.AddCert(cert)
	}
	return pool
}

// newMaterial is the first content of the Secret.
func newMaterial(now time.Time) (map[string][]byte, error) {
	first, err := newAuthority(now)
	if err != nil {
		return nil, fmt.Errorf("making an authority: %w", err)
	}
	cert, key, err := first.encode()
	if err != nil {
		return nil, fmt.Errorf("encoding an authority: %w", err)
	}
	return map[string][]byte{signerCert: cert, signerKey: key, trustedKey: cert}, nil
}

// maintain gives the content that the Secret should have now, and nil when that is what it has.
func maintain(data map[string][]byte, now time.Time) (map[string][]byte, error) {
	m, err := parseMaterial(data)
	if err != nil {
		return nil, err
	}
	out := maps.Clone(data)
	changed := false
	if m.next == nil && m.signer.cert.NotAfter.Sub(now) < renewBefore {
		next, err := newAuthority(now)
		if err != nil {
			return nil, fmt.Errorf("making an authority: %w", err)
		}
		if out[nextCert], out[nextKey], err = next.encode(); err != nil {
			return nil, fmt.Errorf("encoding an authority: %w", err)
		}
		m.next, m.trusted, changed = next, append(m.trusted, next.cert), true
	}
	ended := !now.Before(m.signer.cert.NotAfter)
	if m.next != nil && (ended || now.Sub(m.next.cert.NotBefore) > leeway+settle) {
		out[signerCert], out[signerKey] = out[nextCert], out[nextKey]
		delete(out, nextCert)
		delete(out, nextKey)
		changed = true
	}
	var trusted bytes.Buffer
	for _, cert := range m.trusted {
		if now.Before(cert.NotAfter) {
			trusted.Write(encodeCertificate(cert))
			continue
		}
		changed = true
	}
	if !changed {
		return nil, nil
	}
	out[trustedKey] = trusted.Bytes()
	return out, nil
}
