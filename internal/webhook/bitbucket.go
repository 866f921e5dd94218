package webhook

import "github.com/fairlead-cd/fairlead/internal/settings"

// bitbucket is Bitbucket Cloud. It does not say which branch is the default one, so any may be.
var bitbucket = service{
	header:  "X-Hook-Uuid",
	keys:    []string{settings.WebhookBitbucket},
	checked: func(s settings.Webhooks) bool { return s.BitbucketUUID != "" },
	genuine: func(c call, s settings.Webhooks) bool { return same(c.header.Get("X-Hook-Uuid"), s.BitbucketUUID) },
	event: func(_ string, body []byte) (Event, error) {
		type reference struct {
			Name string `json:"name"`
		}
		var push struct {
			Push *struct {
				Changes []struct {
					New *reference `json:"new"`
					Old *reference `json:"old"`
				} `json:"changes"`
			} `json:"push"`
			Repository struct {
				Links struct {
					HTML struct {
						Href string `json:"href"`
					} `json:"html"`
				} `json:"links"`
			} `json:"repository"`
		}
		if err := read(body, &push); err != nil {
			return Event{}, err
		}
		if push.Push == nil {
			return Event{}, ErrUnsupported
		}
		event := Event{URLs: []string{push.Repository.Links.HTML.Href}}
		for _, change := range push.Push.Changes {
			at := change.New
			if at == nil {
				at = change.Old // it was deleted
			}
			if at != nil {
				event.Changes = append(event.Changes, Change{Revision: at.Name, Head: true})
			}
		}
		return event.complete()
	},
}

// bitbucketServer is Bitbucket Server and Data Center, which does not name the default branch either.
var bitbucketServer = service{
	header:  "X-Event-Key",
	keys:    []string{settings.WebhookBitbucketServer},
	checked: func(s settings.Webhooks) bool { return s.BitbucketServer != "" },
	genuine: func(c call, s settings.Webhooks) bool {
		// A test of the connection carries no signature, and tells nothing.
		return c.header.Get("X-Event-Key") == "diagnostics:ping" || signed(c, "X-Hub-Signature", s.BitbucketServer)
	},
	event: func(name string, body []byte) (Event, error) {
		switch name {
		case "repo:refs_changed":
		case "diagnostics:ping":
			return Event{}, nil
		default:
			return Event{}, ErrUnsupported
		}
		var push struct {
			Changes []struct {
				Ref struct {
					ID string `json:"id"`
				} `json:"ref"`
			} `json:"changes"`
			Repository struct {
				Links struct {
					Clone []struct {
						Name string `json:"name"`
						Href string `json:"href"`
					} `json:"clone"`
				} `json:"links"`
			} `json:"repository"`
		}
		if err := read(body, &push); err != nil {
			return Event{}, err
		}
		var event Event
		for _, link := range push.Repository.Links.Clone {
			if link.Name == "http" || link.Name == "ssh" {
				event.URLs = append(event.URLs, link.Href)
			}
		}
		for _, change := range push.Changes {
			event.Changes = append(event.Changes, Change{Revision: shortName(change.Ref.ID), Head: true})
		}
		return event.complete()
	},
}
