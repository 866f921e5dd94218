package settings_test

import (
	"strings"
	"testing"

	"github.com/fairlead-cd/fairlead/internal/settings"
)

func TestSecretsOfWebhooksMayBeReferences(t *testing.T) {
	other := settings.LabelledSecret{Name: "hooks", Data: map[string][]byte{"github": []byte("from elsewhere\n")}}
	for sentence, c := range map[string]struct {
		value, want, warning string
	}{
		"a plain text is itself":                        {"plain", "plain", ""},
		"the end of a line does not count":              {"plain\n", "plain", ""},
		"none is none":                                  {"", "", ""},
		"$key is another key":                           {"$shared", "of this secret", ""},
		"$name:key is in another Secret":                {"$hooks:github", "from elsewhere", ""},
		"a dollar may begin a plain text":               {"$ecret", "$ecret", ""},
		"a colon may be in it":                          {"$EC:RET", "$EC:RET", ""},
		"a Secret that there is not closes the door":    {"$nothing:github", "", `"nothing"`},
		"so does a key that there is not in the Secret": {"$hooks:gitlab", "", `"gitlab"`},
	} {
		t.Run(sentence, func(t *testing.T) {
			s := settings.Parse(settings.Input{
				Secret:    map[string][]byte{settings.WebhookGitHub: []byte(c.value), "shared": []byte("of this secret")},
				Referable: []settings.LabelledSecret{other},
			}, nil, nil)
			if s.Webhooks.GitHub != c.want || s.Webhooks.Closed[settings.WebhookGitHub] != (c.warning != "") {
				t.Errorf("%q, closed %v", s.Webhooks.GitHub, s.Webhooks.Closed)
			}
			if (len(s.Warnings) > 0) != (c.warning != "") || len(s.Warnings) > 0 && !strings.Contains(s.Warnings[0].Message, c.warning) {
				t.Errorf("warnings %v", s.Warnings)
			}
		})
	}
}

func TestTheSizeOfWebhooks(t *testing.T) {
	for value, want := range map[string]int64{"": 50 << 20, "1": 1 << 20, "0": 50 << 20, "-1": 50 << 20, "many": 50 << 20} {
		if got := settings.Parse(withConfig(map[string]string{"webhook.maxPayloadSizeMB": value}), nil, nil).Webhooks.MaxPayload; got != want {
			t.Errorf("%q gives %d, want %d", value, got, want)
		}
	}
}

func TestAllAddressesOfARepositoryHaveOneKey(t *testing.T) {
	for want, addresses := range map[string][]string{
		"github.com/group/name": {
			"https://github.com/group/name", "https://github.com/Group/Name.git", "https://github.com/group/name/", "git@github.com:group/name.git",
			"ssh://git@github.com/group/name", "ssh://git@ssh.github.com:443/group/name.git", "https://user:token@github.com/group/name", "http://github.com:8080/group/name",
		},
		"bitbucket.org/a/b":             {"git@altssh.bitbucket.org:a/b.git", "https://bitbucket.org/a/b"},
		"ghcr.io/owner/charts/app":      {"oci://ghcr.io/owner/charts/app", "ghcr.io/owner/charts/app", "https://ghcr.io/owner/charts/app"},
		"[::1]/a":                       {"https://[::1]/a", "https://[::1]:8443/a.git"},
		"dev.azure.com/org/p/_git/repo": {"https://org@dev.azure.com/org/p/_git/repo"},
		"/srv/git/monorepo":             {"file:///srv/git/monorepo.git"},
		"":                              {"", "https://github.com", "nothing", "https://github.com/"},
	} {
		for _, address := range addresses {
			if got := settings.RepositoryKey(address); got != want {
				t.Errorf("%q gives %q, want %q", address, got, want)
			}
		}
	}
}
