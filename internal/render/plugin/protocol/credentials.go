package protocol

// CredentialsRequest asks AskPassService for credentials.
type CredentialsRequest struct {
	// Nonce stands for the credentials while they may be had.
	Nonce string
}

// AppendWire implements Message.
func (m *CredentialsRequest) AppendWire(b []byte) []byte { return appendText(b, 1, m.Nonce) }

// ParseWire implements Message.
func (m *CredentialsRequest) ParseWire(b []byte) error {
	*m = CredentialsRequest{}
	return eachField(b, func(f field) error {
		if f.isText(1) {
			m.Nonce = string(f.bytes)
		}
		return nil
	})
}

// CredentialsResponse answers CredentialsRequest.
type CredentialsResponse struct {
	Username, Password string
}

// AppendWire implements Message.
func (m *CredentialsResponse) AppendWire(b []byte) []byte {
	b = appendText(b, 1, m.Username)
	return appendText(b, 2, m.Password)
}

// ParseWire implements Message.
func (m *CredentialsResponse) ParseWire(b []byte) error {
	*m = CredentialsResponse{}
	return eachField(b, func(f field) error {
		switch {
		case f.isText(1):
			m.Username = string(f.bytes)
		case f.isText(2):
			m.Password = string(f.bytes)
		}
		return nil
	})
}
