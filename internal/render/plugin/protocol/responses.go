package protocol

import "google.golang.org/protobuf/encoding/protowire"

// Empty is google.protobuf.Empty.
type Empty struct{}

// AppendWire implements Message.
func (*Empty) AppendWire(b []byte) []byte { return b }

// ParseWire implements Message.
func (*Empty) ParseWire(b []byte) error {
	return eachField(b, func(field) error { return nil })
}

// ManifestResponse answers GenerateManifest.
type ManifestResponse struct {
	// Manifests are objects as YAML or JSON.
	Manifests []string
	// SourceType is not used.
	SourceType string
}

// AppendWire implements Message.
func (m *ManifestResponse) AppendWire(b []byte) []byte {
	for _, manifest := range m.Manifests {
		b = appendElement(b, 1, manifest)
	}
	return appendText(b, 2, m.SourceType)
}

// ParseWire implements Message.
func (m *ManifestResponse) ParseWire(b []byte) error {
	*m = ManifestResponse{}
	return eachField(b, func(f field) error {
		switch {
		case f.isText(1):
			m.Manifests = append(m.Manifests, string(f.bytes))
		case f.isText(2):
			m.SourceType = string(f.bytes)
		}
		return nil
	})
}

// RepositoryResponse answers MatchRepository.
type RepositoryResponse struct {
	// IsSupported says that the plugin takes the source.
	IsSupported bool
	// IsDiscoveryEnabled says the same as ConfigurationResponse.IsDiscoveryConfigured.
	IsDiscoveryEnabled bool
}

// AppendWire implements Message.
func (m *RepositoryResponse) AppendWire(b []byte) []byte {
	b = appendBool(b, 1, m.IsSupported)
	return appendBool(b, 2, m.IsDiscoveryEnabled)
}

// ParseWire implements Message.
func (m *RepositoryResponse) ParseWire(b []byte) error {
	*m = RepositoryResponse{}
	return parseBools(b, &m.IsSupported, &m.IsDiscoveryEnabled)
}

// ConfigurationResponse answers CheckPluginConfiguration.
type ConfigurationResponse struct {
	// IsDiscoveryConfigured says that MatchRepository can find out whether the plugin takes a source.
	IsDiscoveryConfigured bool
	// ProvideGitCreds asks for access to the credentials of the source's repository.
	ProvideGitCreds bool
}

// AppendWire implements Message.
func (m *ConfigurationResponse) AppendWire(b []byte) []byte {
	b = appendBool(b, 1, m.IsDiscoveryConfigured)
	return appendBool(b, 2, m.ProvideGitCreds)
}

// ParseWire implements Message.
func (m *ConfigurationResponse) ParseWire(b []byte) error {
	*m = ConfigurationResponse{}
	return parseBools(b, &m.IsDiscoveryConfigured, &m.ProvideGitCreds)
}

// parseBools reads a message whose fields are all booleans, in the order of their numbers from 1.
func parseBools(b []byte, fields ...*bool) error {
	return eachField(b, func(f field) error {
		for i, to := range fields {
			if f.isNumber(protowire.Number(i + 1)) {
				*to = f.varint != 0
			}
		}
		return nil
	})
}
