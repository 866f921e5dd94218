package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
)

// signed says whether a header carries the HMAC of the body with the secret, in hexadecimal and with the prefix sha256=
// or without it. What it takes does not depend on how much of a wrong signature is right.
func signed(c call, header, secret string) bool {
	given, err := hex.DecodeString(strings.TrimPrefix(c.header.Get(header), "sha256="))
	if err != nil {
		return false
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(c.body)
	return hmac.Equal(given, mac.Sum(nil))
}

// same says whether two secrets are equal. What it takes depends on neither.
func same(given, secret string) bool {
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(secret))
	return hmac.Equal(a[:], b[:])
}

// basicAuth is who a caller says to be.
func basicAuth(header http.Header) (username, password string) {
	username, password, _ = (&http.Request{Header: header}).BasicAuth()
	return username, password
}
