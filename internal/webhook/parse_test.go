package webhook_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/settings"
	"github.com/fairlead-cd/fairlead/internal/webhook"
)

func headers(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i+1 < len(pairs); i += 2 {
		h.Set(pairs[i], pairs[i+1])
	}
	return h
}

func sign(secret, body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	return hex.EncodeToString(mac.Sum(nil))
}

func one(url, revision string, head bool) webhook.Event {
	return webhook.Event{URLs: []string{url}, Changes: []webhook.Change{{Revision: revision, Head: head}}}
}

func TestWhatServicesTell(t *testing.T) {
	form := "payload=" + url.QueryEscape(gitHubPush)
	for sentence, c := range map[string]struct {
		header http.Header
		body   string
		want   webhook.Event
		err    error
	}{
		"GitHub, a push":               {headers("X-GitHub-Event", "push"), gitHubPush, one("https://github.com/group/name", "main", true), nil},
		"GitHub, a form":               {headers("X-GitHub-Event", "push", "Content-Type", "application/x-www-form-urlencoded"), form, one("https://github.com/group/name", "main", true), nil},
		"GitHub, a tag":                {headers("X-GitHub-Event", "push"), gitHubTag, one("https://github.com/group/name", "v1.2.3", false), nil},
		"GitHub, a ping":               {headers("X-GitHub-Event", "ping"), `{"zen":"x"}`, webhook.Event{}, nil},
		"GitHub, an artifact":          {headers("X-GitHub-Event", "package"), gitHubPackage, one("oci://ghcr.io/group/charts/app", "1.2.3", false), nil},
		"GitHub, another package":      {headers("X-GitHub-Event", "package"), `{"action":"published","package":{"package_type":"npm","name":"a"}}`, webhook.Event{}, nil},
		"GitHub, an issue":             {headers("X-GitHub-Event", "issues"), `{}`, webhook.Event{}, webhook.ErrUnsupported},
		"GitLab, a push":               {headers("X-Gitlab-Event", "Push Hook"), gitLabPush, one("https://gitlab.example.com/group/sub/name", "feature/x", false), nil},
		"GitLab, a tag":                {headers("X-Gitlab-Event", "Tag Push Hook"), gitLabTag, one("https://gitlab.example.com/group/sub/name", "v1", false), nil},
		"GitLab, of the whole server":  {headers("X-Gitlab-Event", "System Hook"), gitLabPush, one("https://gitlab.example.com/group/sub/name", "feature/x", false), nil},
		"GitLab, a new user of it":     {headers("X-Gitlab-Event", "System Hook"), `{"event_name":"user_create"}`, webhook.Event{}, nil},
		"GitLab, a job":                {headers("X-Gitlab-Event", "Job Hook"), `{}`, webhook.Event{}, webhook.ErrUnsupported},
		"Bitbucket, several at once":   {headers("X-Hook-UUID", "{1}", "X-Event-Key", "repo:push"), bitbucket, webhook.Event{URLs: []string{"https://bitbucket.org/group/name"}, Changes: []webhook.Change{{"main", true}, {"gone", true}}}, nil},
		"Bitbucket, a pull request":    {headers("X-Hook-UUID", "{1}", "X-Event-Key", "pullrequest:created"), `{}`, webhook.Event{}, webhook.ErrUnsupported},
		"Bitbucket Server":             {headers("X-Event-Key", "repo:refs_changed"), bitbucketServer, webhook.Event{URLs: []string{"ssh://git@bitbucket.example.com:7999/group/name.git", "https://bitbucket.example.com/scm/group/name.git"}, Changes: []webhook.Change{{"main", true}, {"v1", true}}}, nil},
		"Bitbucket Server, a test":     {headers("X-Event-Key", "diagnostics:ping"), `{"test":true}`, webhook.Event{}, nil},
		"Bitbucket Server, a comment":  {headers("X-Event-Key", "pr:comment:added"), `{}`, webhook.Event{}, webhook.ErrUnsupported},
		"Gogs":                         {headers("X-Gogs-Event", "push"), gogsPush, one("http://gogs.example.com:3000/group/name", "main", true), nil},
		"Gitea, which says GitHub too": {headers("X-Gitea-Event", "push", "X-Gogs-Event", "push", "X-GitHub-Event", "push"), gogsPush, one("http://gogs.example.com:3000/group/name", "main", true), nil},
		"Gogs, an issue":               {headers("X-Gogs-Event", "issues"), `{}`, webhook.Event{}, webhook.ErrUnsupported},
		"Azure DevOps":                 {headers("X-Vss-Activityid", "1"), azureDevOps, one("https://dev.azure.com/group/project/_git/name", "main", true), nil},
		"Azure DevOps, a build":        {headers("X-Vss-Activityid", "1"), `{"eventType":"build.complete"}`, webhook.Event{}, webhook.ErrUnsupported},
		"nobody known":                 {headers("X-Other-Event", "push"), gitHubPush, webhook.Event{}, webhook.ErrUnknown},
		"no JSON":                      {headers("X-GitHub-Event", "push"), `{`, webhook.Event{}, webhook.ErrMalformed},
		"JSON of another kind":         {headers("X-GitHub-Event", "push"), `{"ref":1}`, webhook.Event{}, webhook.ErrMalformed},
		"nothing":                      {headers("X-GitHub-Event", "push"), ``, webhook.Event{}, webhook.ErrMalformed},
		"no repository":                {headers("X-GitHub-Event", "push"), `{"ref":"refs/heads/main"}`, webhook.Event{}, webhook.ErrMalformed},
		"no reference":                 {headers("X-Vss-Activityid", "1"), `{"eventType":"git.push","resource":{"refUpdates":[]}}`, webhook.Event{}, webhook.ErrMalformed},
	} {
		t.Run(sentence, func(t *testing.T) {
			got, err := webhook.Parse(c.header, []byte(c.body), settings.Webhooks{})
			if diff := cmp.Diff(c.want, got); diff != "" || !errors.Is(err, c.err) {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
}

func TestOnlyWhoKnowsTheSecretIsHeard(t *testing.T) {
	secrets := settings.Webhooks{
		GitHub: "g", GitLab: "l", BitbucketUUID: "{u}", BitbucketServer: "s", Gogs: "o", AzureDevOpsUsername: "name", AzureDevOpsPassword: "pass",
	}
	basic := func(user, password string) string {
		r := &http.Request{Header: http.Header{}}
		r.SetBasicAuth(user, password)
		return r.Header.Get("Authorization")
	}
	for sentence, c := range map[string]struct {
		header http.Header
		body   string
		known  bool
	}{
		"GitHub":                              {headers("X-GitHub-Event", "push", "X-Hub-Signature-256", "sha256="+sign("g", gitHubPush)), gitHubPush, true},
		"GitHub, an artifact":                 {headers("X-GitHub-Event", "package", "X-Hub-Signature-256", "sha256="+sign("g", gitHubPackage)), gitHubPackage, true},
		"GitHub with another secret":          {headers("X-GitHub-Event", "push", "X-Hub-Signature-256", "sha256="+sign("h", gitHubPush)), gitHubPush, false},
		"GitHub with another body":            {headers("X-GitHub-Event", "push", "X-Hub-Signature-256", "sha256="+sign("g", gitHubPush)), gitHubTag, false},
		"GitHub with the old signature":       {headers("X-GitHub-Event", "push", "X-Hub-Signature", "sha1=00"), gitHubPush, false},
		"GitHub with half of a signature":     {headers("X-GitHub-Event", "push", "X-Hub-Signature-256", "sha256="+sign("g", gitHubPush)[:32]), gitHubPush, false},
		"GitHub without one":                  {headers("X-GitHub-Event", "push"), gitHubPush, false},
		"GitLab":                              {headers("X-Gitlab-Event", "Push Hook", "X-Gitlab-Token", "l"), gitLabPush, true},
		"GitLab with another token":           {headers("X-Gitlab-Event", "Push Hook", "X-Gitlab-Token", "ll"), gitLabPush, false},
		"GitLab without one":                  {headers("X-Gitlab-Event", "Push Hook"), gitLabPush, false},
		"Bitbucket":                           {headers("X-Hook-UUID", "{u}"), bitbucket, true},
		"Bitbucket, another":                  {headers("X-Hook-UUID", "{v}"), bitbucket, false},
		"Bitbucket Server":                    {headers("X-Event-Key", "repo:refs_changed", "X-Hub-Signature", "sha256="+sign("s", bitbucketServer)), bitbucketServer, true},
		"Bitbucket Server, short":             {headers("X-Event-Key", "repo:refs_changed", "X-Hub-Signature", "sha"), bitbucketServer, false},
		"Bitbucket Server, a test":            {headers("X-Event-Key", "diagnostics:ping"), `{}`, true},
		"Gogs":                                {headers("X-Gogs-Event", "push", "X-Gogs-Signature", sign("o", gogsPush)), gogsPush, true},
		"Gogs without a signature":            {headers("X-Gogs-Event", "push"), gogsPush, false},
		"Gogs by the secret of GitHub":        {headers("X-Gogs-Event", "push", "X-GitHub-Event", "push", "X-Hub-Signature-256", "sha256="+sign("g", gogsPush)), gogsPush, false},
		"Azure DevOps":                        {headers("X-Vss-Activityid", "1", "Authorization", basic("name", "pass")), azureDevOps, true},
		"Azure DevOps with another name":      {headers("X-Vss-Activityid", "1", "Authorization", basic("n", "pass")), azureDevOps, false},
		"Azure DevOps without":                {headers("X-Vss-Activityid", "1"), azureDevOps, false},
		"Azure DevOps with another password":  {headers("X-Vss-Activityid", "1", "Authorization", basic("name", "passs")), azureDevOps, false},
		"a wrong one is told before bad JSON": {headers("X-GitHub-Event", "push", "X-Hub-Signature-256", "x"), "{", false},
	} {
		t.Run(sentence, func(t *testing.T) {
			_, err := webhook.Parse(c.header, []byte(c.body), secrets)
			if c.known && err != nil || !c.known && !errors.Is(err, webhook.ErrRefused) {
				t.Errorf("%v", err)
			}
		})
	}
	t.Run("nobody, when the secret cannot be found", func(t *testing.T) {
		closed := settings.Webhooks{Closed: map[string]bool{settings.WebhookGitHub: true}}
		if _, err := webhook.Parse(headers("X-GitHub-Event", "push"), []byte(gitHubPush), closed); !errors.Is(err, webhook.ErrRefused) {
			t.Errorf("%v", err)
		}
	})
}

func TestWhichSourcesAChangeConcerns(t *testing.T) {
	for sentence, c := range map[string]struct {
		change webhook.Change
		source v1alpha1.ApplicationSource
		want   bool
	}{
		"the branch":                           {webhook.Change{"main", true}, v1alpha1.ApplicationSource{TargetRevision: "main"}, true},
		"the branch by its full name":          {webhook.Change{"main", false}, v1alpha1.ApplicationSource{TargetRevision: "refs/heads/main"}, true},
		"another branch":                       {webhook.Change{"other", false}, v1alpha1.ApplicationSource{TargetRevision: "main"}, false},
		"a branch with a slash":                {webhook.Change{"a/b", false}, v1alpha1.ApplicationSource{TargetRevision: "a/b"}, true},
		"the end of a branch is not it":        {webhook.Change{"b", false}, v1alpha1.ApplicationSource{TargetRevision: "a/b"}, false},
		"HEAD when the default branch moves":   {webhook.Change{"main", true}, v1alpha1.ApplicationSource{TargetRevision: "HEAD"}, true},
		"none is HEAD":                         {webhook.Change{"main", true}, v1alpha1.ApplicationSource{}, true},
		"HEAD when another moves":              {webhook.Change{"other", false}, v1alpha1.ApplicationSource{TargetRevision: "HEAD"}, false},
		"a tag":                                {webhook.Change{"v1", false}, v1alpha1.ApplicationSource{TargetRevision: "refs/tags/v1"}, true},
		"a range that has the tag":             {webhook.Change{"v1.4.0", false}, v1alpha1.ApplicationSource{TargetRevision: "v1.*"}, true},
		"a range that has not":                 {webhook.Change{"v2.0.0", false}, v1alpha1.ApplicationSource{TargetRevision: "v1.*"}, false},
		"a range, and a branch":                {webhook.Change{"main", true}, v1alpha1.ApplicationSource{TargetRevision: "v1.*"}, false},
		"a range of tags with a prefix":        {webhook.Change{"app-1.4.0", false}, v1alpha1.ApplicationSource{TargetRevision: "1.*", TagPrefix: "app-"}, true},
		"a tag without the prefix":             {webhook.Change{"1.4.0", false}, v1alpha1.ApplicationSource{TargetRevision: "1.*", TagPrefix: "app-"}, false},
		"another version":                      {webhook.Change{"1.4.0", false}, v1alpha1.ApplicationSource{TargetRevision: "1.3.0"}, false},
		"a commit":                             {webhook.Change{"main", true}, v1alpha1.ApplicationSource{TargetRevision: "1111111111111111111111111111111111111111"}, false},
		"any version of a chart of a registry": {webhook.Change{"1.4.0", false}, v1alpha1.ApplicationSource{RepoURL: "ghcr.io/a", Chart: "b"}, true},
	} {
		t.Run(sentence, func(t *testing.T) {
			if got := c.change.Concerns(c.source); got != c.want {
				t.Errorf("%v", got)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	events := []http.Header{
		headers("X-GitHub-Event", "push"), headers("X-GitHub-Event", "package"), headers("X-GitHub-Event", "registry_package"),
		headers("X-GitHub-Event", "push", "Content-Type", "application/x-www-form-urlencoded"),
		headers("X-Gitlab-Event", "System Hook"), headers("X-Hook-UUID", "1"), headers("X-Event-Key", "repo:refs_changed"),
		headers("X-Gogs-Event", "push"), headers("X-Vss-Activityid", "1"),
	}
	for _, body := range []string{gitHubPush, gitHubTag, gitHubPackage, gitLabPush, bitbucket, bitbucketServer, gogsPush, azureDevOps, "", "{}", "payload=%7B%7D"} {
		for i := range events {
			f.Add(i, body)
		}
	}
	f.Fuzz(func(t *testing.T, i int, body string) {
		header := events[uint(i)%uint(len(events))]
		event, err := webhook.Parse(header, []byte(body), settings.Webhooks{})
		if err != nil && len(event.URLs)+len(event.Changes) > 0 {
			t.Errorf("an event beside the error %v: %+v", err, event)
		}
		if err == nil && len(event.URLs) > 0 && (len(event.Keys()) == 0 || len(event.Changes) == 0) {
			t.Errorf("an event of nothing: %+v", event)
		}
		for _, change := range event.Changes {
			change.Concerns(v1alpha1.ApplicationSource{TargetRevision: change.Revision})
		}
		guarded := settings.Webhooks{GitHub: "g", GitLab: "l", BitbucketUUID: "u", BitbucketServer: "s", Gogs: "o", AzureDevOpsPassword: "p"}
		if _, err := webhook.Parse(header, []byte(body), guarded); !errors.Is(err, webhook.ErrRefused) {
			t.Errorf("a stranger is heard: %v", err)
		}
	})
}
