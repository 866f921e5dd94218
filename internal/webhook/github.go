package webhook

import (
	"strings"

	"github.com/fairlead-cd/fairlead/internal/settings"
)

// gitHub sends pushes of branches and tags, and what is published in its registry.
var gitHub = service{
	header:  "X-GitHub-Event",
	keys:    []string{settings.WebhookGitHub},
	checked: func(s settings.Webhooks) bool { return s.GitHub != "" },
	genuine: func(c call, s settings.Webhooks) bool { return signed(c, "X-Hub-Signature-256", s.GitHub) },
	event: func(name string, body []byte) (Event, error) {
		switch name {
		case "push":
			return gitHubPush(body)
		case "package", "registry_package":
			return gitHubPackage(name, body)
		case "ping":
			return Event{}, nil
		}
		return Event{}, ErrUnsupported
	},
}

func gitHubPush(body []byte) (Event, error) {
	var push struct {
		Ref        string `json:"ref"`
		Repository struct {
			HTMLURL       string `json:"html_url"`
			DefaultBranch string `json:"default_branch"`
		} `json:"repository"`
	}
	if err := read(body, &push); err != nil {
		return Event{}, err
	}
	return pushed(push.Ref, push.Repository.DefaultBranch, push.Repository.HTMLURL)
}

// gitHubPackage reads the event of an image, chart or other artifact in ghcr.io. What is of another kind, or has no tag,
// is of no interest.
func gitHubPackage(name string, body []byte) (Event, error) {
	type description struct {
		Name  string `json:"name"`
		Type  string `json:"package_type"`
		Owner struct {
			Login string `json:"login"`
		} `json:"owner"`
		Version struct {
			Container struct {
				Tag struct {
					Name string `json:"name"`
				} `json:"tag"`
			} `json:"container_metadata"`
		} `json:"package_version"`
	}
	var published struct {
		Action          string      `json:"action"`
		Package         description `json:"package"`
		RegistryPackage description `json:"registry_package"`
	}
	if err := read(body, &published); err != nil {
		return Event{}, err
	}
	p := published.Package
	if name == "registry_package" {
		p = published.RegistryPackage
	}
	tag := p.Version.Container.Tag.Name
	if published.Action != "published" && published.Action != "updated" || !strings.EqualFold(p.Type, "container") || tag == "" {
		return Event{}, nil
	}
	if p.Owner.Login == "" || p.Name == "" {
		return Event{}, ErrMalformed
	}
	return Event{URLs: []string{"oci://ghcr.io/" + p.Owner.Login + "/" + p.Name}, Changes: []Change{{Revision: tag}}}.complete()
}
