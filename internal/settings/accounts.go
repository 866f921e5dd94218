package settings

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// AdminAccount is the name of the built-in account that may do everything.
const AdminAccount = "admin"

// Capability is something that a local account can be used for.
type Capability string

// What a local account can be used for.
const (
	// CapabilityLogin allows to log in with the password.
	CapabilityLogin Capability = "login"
	// CapabilityAPIKey allows to make tokens.
	CapabilityAPIKey Capability = "apiKey"
)

// Account is a local account.
type Account struct {
	Name         string
	Enabled      bool
	Capabilities []Capability
	// PasswordHash is a bcrypt hash; empty when no password is set, and then no password fits.
	PasswordHash string
	// PasswordModified is when the password was set; sessions that began before are void. Zero when unknown.
	PasswordModified time.Time
	Tokens           []Token
}

// Token is a token that was made for an account and is valid as long as it stands here.
type Token struct {
	ID        string `json:"id"`
	IssuedAt  int64  `json:"iat"`
	ExpiresAt int64  `json:"exp,omitempty"`
}

// Can tells whether the account is enabled and has the capability.
func (a Account) Can(c Capability) bool {
	return a.Enabled && slices.Contains(a.Capabilities, c)
}

// accounts reads admin and the accounts of argocd-cm (accounts.<name>, accounts.<name>.enabled) together with what
// argocd-secret holds about them.
func accounts(p *parser, secret map[string][]byte, last map[string]Account) map[string]Account {
	all := map[string]Account{AdminAccount: admin(p, last[AdminAccount].Enabled)}
	keys := make([]string, 0, len(p.data))
	for key := range p.data {
		if strings.HasPrefix(key, "accounts.") {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for _, key := range keys {
		parts := strings.Split(key, ".")
		if len(parts) > 3 || len(parts) == 3 && parts[2] != "enabled" || parts[1] == "" {
			p.warn(p.object, key, "the key is neither accounts.<name> nor accounts.<name>.enabled and is not used")
			continue
		}
		name := parts[1]
		account, ok := all[name]
		if !ok {
			account = Account{Name: name, Enabled: true}
		}
		if len(parts) == 3 {
			was, known := last[name]
			account.Enabled = parsed(p, key, strconv.ParseBool, true, known && was.Enabled)
		} else {
			account.Capabilities = slices.Concat(account.Capabilities, capabilities(p, key))
		}
		all[name] = account
	}
	for name, account := range all {
		prefix := "accounts." + name
		if name == AdminAccount {
			prefix = AdminAccount
		}
		all[name] = withSecrets(p, account, secret, prefix, last[name])
	}
	return all
}

func admin(p *parser, last bool) Account {
	return Account{
		Name:         AdminAccount,
		Enabled:      parsed(p, "admin.enabled", strconv.ParseBool, true, last),
		Capabilities: []Capability{CapabilityLogin},
	}
}

func capabilities(p *parser, key string) []Capability {
	var out []Capability
	for word := range strings.SplitSeq(p.data[key], ",") {
		switch c := Capability(strings.TrimSpace(word)); c {
		case "":
		case CapabilityLogin, CapabilityAPIKey:
			out = append(out, c)
		default:
			p.warn(p.object, key, fmt.Sprintf("the capability %q is neither login nor apiKey and is not used", c))
		}
	}
	return out
}

func withSecrets(p *parser, a Account, secret map[string][]byte, prefix string, last Account) Account {
	object := "Secret " + SecretName
	a.PasswordHash = string(secret[prefix+".password"])
	if raw := secret[prefix+".passwordMtime"]; len(raw) > 0 {
		modified, err := time.Parse(time.RFC3339, strings.TrimSpace(string(raw)))
		if err != nil {
			p.warn(object, prefix+".passwordMtime", "the value is not a time such as 2026-01-31T12:00:00Z; the last good value stays in force")
			modified = last.PasswordModified
		}
		a.PasswordModified = modified
	}
	if raw := secret[prefix+".tokens"]; len(raw) > 0 {
		if err := json.Unmarshal(raw, &a.Tokens); err != nil {
			p.warn(object, prefix+".tokens", "the value is not a JSON list of tokens; the last good value stays in force")
			a.Tokens = slices.Clone(last.Tokens)
		}
	}
	return a
}
