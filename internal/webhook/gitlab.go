package webhook

import "github.com/fairlead-cd/fairlead/internal/settings"

// gitLab sends pushes, and those of tags apart. A hook of the whole server sends both, and more.
var gitLab = service{
	header:  "X-Gitlab-Event",
	keys:    []string{settings.WebhookGitLab},
	checked: func(s settings.Webhooks) bool { return s.GitLab != "" },
	genuine: func(c call, s settings.Webhooks) bool { return same(c.header.Get("X-Gitlab-Token"), s.GitLab) },
	event: func(name string, body []byte) (Event, error) {
		switch name {
		case "Push Hook", "Tag Push Hook", "System Hook":
		default:
			return Event{}, ErrUnsupported
		}
		var push struct {
			Kind    string `json:"object_kind"`
			Event   string `json:"event_name"`
			Ref     string `json:"ref"`
			Project struct {
				WebURL        string `json:"web_url"`
				DefaultBranch string `json:"default_branch"`
			} `json:"project"`
		}
		if err := read(body, &push); err != nil {
			return Event{}, err
		}
		if name == "System Hook" && push.Event != "push" && push.Event != "tag_push" && push.Kind != "push" && push.Kind != "tag_push" {
			return Event{}, nil
		}
		return pushed(push.Ref, push.Project.DefaultBranch, push.Project.WebURL)
	},
}
