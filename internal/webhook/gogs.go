package webhook

import "github.com/fairlead-cd/fairlead/internal/settings"

// gogs is Gogs, and Gitea and Forgejo, which send its headers beside their own.
var gogs = service{
	header:  "X-Gogs-Event",
	keys:    []string{settings.WebhookGogs},
	checked: func(s settings.Webhooks) bool { return s.Gogs != "" },
	genuine: func(c call, s settings.Webhooks) bool { return signed(c, "X-Gogs-Signature", s.Gogs) },
	event: func(name string, body []byte) (Event, error) {
		if name != "push" {
			return Event{}, ErrUnsupported
		}
		return gitHubPush(body) // the same fields
	},
}
