package settings

import (
	"fmt"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

// Webhooks is how calls of /api/webhook are checked.
type Webhooks struct {
	// What the senders prove to know; where one is empty, everybody is believed.
	GitHub, GitLab, BitbucketUUID, BitbucketServer, Gogs string
	AzureDevOpsUsername, AzureDevOpsPassword             string
	// Closed are the keys of argocd-secret that refer to something that there is not: the calls that they are for are
	// refused, since nobody can be told from anybody.
	Closed map[string]bool
	// MaxPayload is the size of the largest body in bytes.
	MaxPayload int64
}

// The keys of argocd-secret that webhooks are checked with.
const (
	WebhookGitHub              = "webhook.github.secret"
	WebhookGitLab              = "webhook.gitlab.secret"
	WebhookBitbucket           = "webhook.bitbucket.uuid"
	WebhookBitbucketServer     = "webhook.bitbucketserver.secret"
	WebhookGogs                = "webhook.gogs.secret"
	WebhookAzureDevOpsUsername = "webhook.azuredevops.username"
	WebhookAzureDevOpsPassword = "webhook.azuredevops.password" //nolint:gosec // a name, not a credential
)

// defaultMaxPayload is the largest body of a webhook, where nothing is set.
const defaultMaxPayload = 50 << 20

func webhooks(p *parser, in Input, last Webhooks) Webhooks {
	w := Webhooks{MaxPayload: parsed(p, "webhook.maxPayloadSizeMB", megabytes, defaultMaxPayload, last.MaxPayload)}
	for key, into := range map[string]*string{
		WebhookGitHub: &w.GitHub, WebhookGitLab: &w.GitLab, WebhookBitbucket: &w.BitbucketUUID,
		WebhookBitbucketServer: &w.BitbucketServer, WebhookGogs: &w.Gogs,
		WebhookAzureDevOpsUsername: &w.AzureDevOpsUsername, WebhookAzureDevOpsPassword: &w.AzureDevOpsPassword,
	} {
		value, err := in.referenced(strings.TrimSpace(string(in.Secret[key])))
		if err != nil {
			p.warn("Secret "+SecretName, key, err.Error()+"; webhooks that it is for are refused")
			if w.Closed == nil {
				w.Closed = map[string]bool{}
			}
			w.Closed[key] = true
			continue
		}
		*into = value
	}
	return w
}

// referenced gives the value that a text stands for: $key is another key of argocd-secret, $name:key the key of another
// Secret that carries the label app.kubernetes.io/part-of: argocd. Any other text stands for itself.
func (in Input) referenced(text string) (string, error) {
	name, key, ok := reference(text)
	if !ok {
		if value, ok := in.Secret[strings.TrimPrefix(text, "$")]; ok && strings.HasPrefix(text, "$") {
			return strings.TrimSpace(string(value)), nil
		}
		return text, nil
	}
	for _, secret := range in.Referable {
		if value, ok := secret.Data[key]; ok && secret.Name == name {
			return strings.TrimSpace(string(value)), nil
		}
	}
	return "", fmt.Errorf("it refers to the key %q of the Secret %q; there is none, or the Secret lacks the label %s: %s", key, name, labelPartOf, partOfArgoCD)
}

// reference reads $name:key.
func reference(text string) (name, key string, ok bool) {
	name, key, ok = strings.Cut(strings.TrimPrefix(text, "$"), ":")
	return name, key, ok && strings.HasPrefix(text, "$") && len(validation.IsDNS1123Subdomain(name)) == 0
}

// refersTo says whether a value of argocd-secret refers to another Secret.
func (in Input) refersTo(secret string) bool {
	for _, value := range in.Secret {
		if name, _, ok := reference(strings.TrimSpace(string(value))); ok && name == secret {
			return true
		}
	}
	return false
}

func megabytes(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n <= 0 || n > 1<<20 {
		return 0, fmt.Errorf("%q is not a number of megabytes such as 50", s)
	}
	return n << 20, nil
}
