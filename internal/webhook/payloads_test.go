package webhook_test

// The bodies below have the fields that services document, cut down to what tells a push, with names of no one.
const (
	gitHubPush = `{"ref":"refs/heads/main","before":"1111111111111111111111111111111111111111","after":"2222222222222222222222222222222222222222",
		"repository":{"id":1,"full_name":"group/name","html_url":"https://github.com/group/name","clone_url":"https://github.com/group/name.git","default_branch":"main"},
		"commits":[{"id":"2222222222222222222222222222222222222222","added":["a"],"removed":[],"modified":["b"]}],"pusher":{"name":"somebody"}}`
	gitHubTag     = `{"ref":"refs/tags/v1.2.3","base_ref":"refs/heads/main","repository":{"html_url":"https://github.com/group/name","default_branch":"main"}}`
	gitHubPackage = `{"action":"published","package":{"name":"charts/app","package_type":"CONTAINER","owner":{"login":"group"},
		"package_version":{"container_metadata":{"tag":{"name":"1.2.3","digest":"sha256:00"}}}}}`
	gitLabPush = `{"object_kind":"push","event_name":"push","ref":"refs/heads/feature/x","project":{"web_url":"https://gitlab.example.com/group/sub/name","default_branch":"main"},"commits":[]}`
	gitLabTag  = `{"object_kind":"tag_push","event_name":"tag_push","ref":"refs/tags/v1","project":{"web_url":"https://gitlab.example.com/group/sub/name","default_branch":"main"}}`
	bitbucket  = `{"push":{"changes":[{"new":{"type":"branch","name":"main","target":{"hash":"22"}},"old":{"name":"main"}},{"new":null,"old":{"type":"tag","name":"gone"}}]},
		"repository":{"full_name":"group/name","links":{"html":{"href":"https://bitbucket.org/group/name"},"self":{"href":"https://api.bitbucket.org/2.0/repositories/group/name"}}}}`
	bitbucketServer = `{"eventKey":"repo:refs_changed","repository":{"slug":"name","links":{"clone":[{"href":"ssh://git@bitbucket.example.com:7999/group/name.git","name":"ssh"},
		{"href":"https://bitbucket.example.com/scm/group/name.git","name":"http"}],"self":[{"href":"https://bitbucket.example.com/projects/group/repos/name/browse"}]}},
		"changes":[{"ref":{"id":"refs/heads/main","displayId":"main","type":"BRANCH"},"type":"UPDATE"},{"ref":{"id":"refs/tags/v1","type":"TAG"},"type":"ADD"}]}`
	gogsPush    = `{"ref":"refs/heads/main","repository":{"html_url":"http://gogs.example.com:3000/group/name","default_branch":"main"}}`
	azureDevOps = `{"eventType":"git.push","resource":{"refUpdates":[{"name":"refs/heads/main","oldObjectId":"11","newObjectId":"22"}],
		"repository":{"remoteUrl":"https://dev.azure.com/group/project/_git/name","defaultBranch":"refs/heads/main"}}}`
)
