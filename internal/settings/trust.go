package settings

import (
	"bytes"
	"encoding/pem"
	"maps"
	"os"
	"path/filepath"
	"strings"
)

// Repository gives everything that is needed to reach a repository for a project: what [Settings.Repository] gives,
// the certificate authorities to trust for its host and the known SSH host keys. Folders are read now.
func (s *Store) Repository(url, project string) Repository {
	r := s.Get().Repository(url, project)
	r.CAData = s.CertificateAuthorities(hostOf(url))
	r.KnownHosts = s.KnownHosts()
	return r
}

// CertificateAuthorities gives the PEM certificates to trust for a host, nil when none are given. A file of the TLS
// folder with the host's name goes before the entry of argocd-tls-certs-cm.
func (s *Store) CertificateAuthorities(host string) []byte {
	if host == "" || host == "." || host == ".." || strings.ContainsAny(host, `/\`) {
		return nil
	}
	if data := readFile(s.options.TLSDataPath, host); holdsCertificate(data) {
		return data
	}
	if data := []byte(s.Get().tlsCerts[host]); holdsCertificate(data) {
		return data
	}
	return nil
}

// KnownHosts gives the SSH host keys to trust in the format of OpenSSH. The file ssh_known_hosts of the SSH folder goes
// before argocd-ssh-known-hosts-cm.
func (s *Store) KnownHosts() string {
	if data := readFile(s.options.SSHDataPath, "ssh_known_hosts"); len(data) > 0 {
		return string(data)
	}
	return s.Get().knownHosts
}

// GPGKeys gives the armoured public keys by key id: those of argocd-gpg-keys-cm, overlaid with the files of the GPG
// folder.
func (s *Store) GPGKeys() map[string]string {
	keys := maps.Clone(s.Get().gpgKeys)
	if keys == nil {
		keys = map[string]string{}
	}
	if s.options.GPGDataPath == "" {
		return keys
	}
	entries, err := os.ReadDir(s.options.GPGDataPath)
	if err != nil {
		return keys
	}
	for _, e := range entries {
		// A mounted ConfigMap has the folders ..data and ..2026_… beside the files.
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		if data := readFile(s.options.GPGDataPath, e.Name()); len(data) > 0 {
			keys[e.Name()] = string(data)
		}
	}
	return keys
}

// readFile gives nil for whatever cannot be read: the folders may be absent at any time.
func readFile(folder, name string) []byte {
	if folder == "" {
		return nil
	}
	data, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		return nil
	}
	return data
}

func holdsCertificate(data []byte) bool {
	for len(bytes.TrimSpace(data)) > 0 {
		block, rest := pem.Decode(data)
		if block == nil {
			return false
		}
		if block.Type == "CERTIFICATE" {
			return true
		}
		data = rest
	}
	return false
}
