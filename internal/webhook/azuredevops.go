package webhook

import "github.com/fairlead-cd/fairlead/internal/settings"

// azureDevOps proves who it is by a name and a password.
var azureDevOps = service{
	header:  "X-Vss-Activityid",
	keys:    []string{settings.WebhookAzureDevOpsUsername, settings.WebhookAzureDevOpsPassword},
	checked: func(s settings.Webhooks) bool { return s.AzureDevOpsUsername != "" || s.AzureDevOpsPassword != "" },
	genuine: func(c call, s settings.Webhooks) bool {
		username, password := basicAuth(c.header)
		known := same(username, s.AzureDevOpsUsername)
		return same(password, s.AzureDevOpsPassword) && known
	},
	event: func(_ string, body []byte) (Event, error) {
		var push struct {
			Type     string `json:"eventType"`
			Resource struct {
				RefUpdates []struct {
					Name string `json:"name"`
				} `json:"refUpdates"`
				Repository struct {
					RemoteURL     string `json:"remoteUrl"`
					DefaultBranch string `json:"defaultBranch"`
				} `json:"repository"`
			} `json:"resource"`
		}
		if err := read(body, &push); err != nil {
			return Event{}, err
		}
		if push.Type != "git.push" {
			return Event{}, ErrUnsupported
		}
		event := Event{URLs: []string{push.Resource.Repository.RemoteURL}}
		for _, update := range push.Resource.RefUpdates {
			event.Changes = append(event.Changes, Change{
				Revision: shortName(update.Name), Head: update.Name == push.Resource.Repository.DefaultBranch,
			})
		}
		return event.complete()
	},
}
