package v1alpha1

// PullRequestGenerator yields one set for each open pull request of a repository. Exactly one
// service is set.
type PullRequestGenerator struct {
	// Github looks at GitHub.
	Github *PullRequestGeneratorGithub `json:"github,omitempty" protobuf:"bytes,1,opt,name=github"`
	// GitLab looks at GitLab.
	GitLab *PullRequestGeneratorGitLab `json:"gitlab,omitempty" protobuf:"bytes,2,opt,name=gitlab"`
	// Gitea looks at Gitea or Forgejo.
	Gitea *PullRequestGeneratorGitea `json:"gitea,omitempty" protobuf:"bytes,3,opt,name=gitea"`
	// BitbucketServer looks at Bitbucket Data Center.
	BitbucketServer *PullRequestGeneratorBitbucketServer `json:"bitbucketServer,omitempty" protobuf:"bytes,4,opt,name=bitbucketServer"`
	// Filters pick pull requests. One that matches is enough.
	Filters []PullRequestGeneratorFilter `json:"filters,omitempty" protobuf:"bytes,5,rep,name=filters"`
	// RequeueAfterSeconds is how often to look, in seconds. Default 1800.
	RequeueAfterSeconds *int64 `json:"requeueAfterSeconds,omitempty" protobuf:"varint,6,opt,name=requeueAfterSeconds"`
	// Template is merged over the template of the ApplicationSet.
	Template ApplicationSetTemplate `json:"template,omitempty" protobuf:"bytes,7,opt,name=template"`
	// Bitbucket looks at Bitbucket Cloud.
	Bitbucket *PullRequestGeneratorBitbucket `json:"bitbucket,omitempty" protobuf:"bytes,8,opt,name=bitbucket"`
	// AzureDevOps looks at Azure DevOps.
	AzureDevOps *PullRequestGeneratorAzureDevOps `json:"azuredevops,omitempty" protobuf:"bytes,9,opt,name=azuredevops"`
	// Values are parameters to add under values. They may hold parameters themselves.
	Values map[string]string `json:"values,omitempty" protobuf:"bytes,10,name=values"`
	// ContinueOnRepoNotFoundError yields nothing, in place of an error, when the repository does
	// not exist.
	ContinueOnRepoNotFoundError bool `json:"continueOnRepoNotFoundError,omitempty" protobuf:"varint,11,opt,name=continueOnRepoNotFoundError"`
}

// PullRequestGeneratorGitea looks at the pull requests of a repository on Gitea.
type PullRequestGeneratorGitea struct {
	// Owner is the user or organization.
	Owner string `json:"owner" protobuf:"bytes,1,opt,name=owner"`
	// Repo is the name of the repository.
	Repo string `json:"repo" protobuf:"bytes,2,opt,name=repo"`
	// API is the address of the Gitea server.
	API string `json:"api" protobuf:"bytes,3,opt,name=api"`
	// TokenRef is the access token. Absent: only what is public.
	TokenRef *SecretRef `json:"tokenRef,omitempty" protobuf:"bytes,4,opt,name=tokenRef"`
	// Insecure accepts any TLS certificate.
	Insecure bool `json:"insecure,omitempty" protobuf:"varint,5,opt,name=insecure"`
	// Labels are labels that a pull request must all have.
	Labels []string `json:"labels,omitempty" protobuf:"bytes,6,rep,name=labels"`
}

// PullRequestGeneratorAzureDevOps looks at the pull requests of a repository on Azure DevOps.
type PullRequestGeneratorAzureDevOps struct {
	// Organization is the organization.
	Organization string `json:"organization" protobuf:"bytes,1,opt,name=organization"`
	// Project is the project.
	Project string `json:"project" protobuf:"bytes,2,opt,name=project"`
	// Repo is the name of the repository.
	Repo string `json:"repo" protobuf:"bytes,3,opt,name=repo"`
	// API is the address of the server. Default: https://dev.azure.com.
	API string `json:"api,omitempty" protobuf:"bytes,4,opt,name=api"`
	// TokenRef is the personal access token. Absent: only what is public.
	TokenRef *SecretRef `json:"tokenRef,omitempty" protobuf:"bytes,5,opt,name=tokenRef"`
	// Labels are labels that a pull request must all have.
	Labels []string `json:"labels,omitempty" protobuf:"bytes,6,rep,name=labels"`
}

// PullRequestGeneratorGithub looks at the pull requests of a repository on GitHub.
type PullRequestGeneratorGithub struct {
	// Owner is the user or organization.
	Owner string `json:"owner" protobuf:"bytes,1,opt,name=owner"`
	// Repo is the name of the repository.
	Repo string `json:"repo" protobuf:"bytes,2,opt,name=repo"`
	// API is the address of the API. Default: https://api.github.com/.
	API string `json:"api,omitempty" protobuf:"bytes,3,opt,name=api"`
	// TokenRef is the access token. Absent: only what is public.
	TokenRef *SecretRef `json:"tokenRef,omitempty" protobuf:"bytes,4,opt,name=tokenRef"`
	// AppSecretName is the Secret, of type repo-creds, of a GitHub App to authenticate as.
	AppSecretName string `json:"appSecretName,omitempty" protobuf:"bytes,5,opt,name=appSecretName"`
	// Labels are labels that a pull request must all have.
	Labels []string `json:"labels,omitempty" protobuf:"bytes,6,rep,name=labels"`
}

// PullRequestGeneratorGitLab looks at the merge requests of a project on GitLab.
type PullRequestGeneratorGitLab struct {
	// Project is the ID of the project.
	Project string `json:"project" protobuf:"bytes,1,opt,name=project"`
	// API is the address of the server. Default: https://gitlab.com/.
	API string `json:"api,omitempty" protobuf:"bytes,2,opt,name=api"`
	// TokenRef is the access token. Absent: only what is public.
	TokenRef *SecretRef `json:"tokenRef,omitempty" protobuf:"bytes,3,opt,name=tokenRef"`
	// Labels are labels that a merge request must all have.
	Labels []string `json:"labels,omitempty" protobuf:"bytes,4,rep,name=labels"`
	// PullRequestState limits merge requests to a state: opened, closed, merged or locked. Empty
	// means all.
	PullRequestState string `json:"pullRequestState,omitempty" protobuf:"bytes,5,rep,name=pullRequestState"`
	// Insecure accepts any TLS certificate.
	Insecure bool `json:"insecure,omitempty" protobuf:"varint,6,opt,name=insecure"`
	// CARef holds certificate authorities to trust.
	CARef *ConfigMapKeyRef `json:"caRef,omitempty" protobuf:"bytes,7,opt,name=caRef"`
}

// PullRequestGeneratorBitbucketServer looks at the pull requests of a repository on Bitbucket Data
// Center.
type PullRequestGeneratorBitbucketServer struct {
	// Project is the key of the project.
	Project string `json:"project" protobuf:"bytes,1,opt,name=project"`
	// Repo is the name of the repository.
	Repo string `json:"repo" protobuf:"bytes,2,opt,name=repo"`
	// API is the address of the REST API.
	API string `json:"api" protobuf:"bytes,3,opt,name=api"`
	// BasicAuth authenticates with name and password.
	BasicAuth *BasicAuthBitbucketServer `json:"basicAuth,omitempty" protobuf:"bytes,4,opt,name=basicAuth"`
	// BearerToken authenticates with a token.
	BearerToken *BearerTokenBitbucket `json:"bearerToken,omitempty" protobuf:"bytes,5,opt,name=bearerToken"`
	// Insecure accepts any TLS certificate.
	Insecure bool `json:"insecure,omitempty" protobuf:"varint,6,opt,name=insecure"`
	// CARef holds certificate authorities to trust.
	CARef *ConfigMapKeyRef `json:"caRef,omitempty" protobuf:"bytes,7,opt,name=caRef"`
}

// PullRequestGeneratorBitbucket looks at the pull requests of a repository on Bitbucket Cloud.
type PullRequestGeneratorBitbucket struct {
	// Owner is the workspace.
	Owner string `json:"owner" protobuf:"bytes,1,opt,name=owner"`
	// Repo is the name of the repository.
	Repo string `json:"repo" protobuf:"bytes,2,opt,name=repo"`
	// API is the address of the API. Default: https://api.bitbucket.org/2.0.
	API string `json:"api,omitempty" protobuf:"bytes,3,opt,name=api"`
	// BasicAuth authenticates with name and app password.
	BasicAuth *BasicAuthBitbucketServer `json:"basicAuth,omitempty" protobuf:"bytes,4,opt,name=basicAuth"`
	// BearerToken authenticates with an access token.
	BearerToken *BearerTokenBitbucketCloud `json:"bearerToken,omitempty" protobuf:"bytes,5,opt,name=bearerToken"`
}

// PullRequestGeneratorFilter is a condition on a pull request. All its parts must match.
type PullRequestGeneratorFilter struct {
	// BranchMatch is a regular expression for the branch that it comes from.
	BranchMatch *string `json:"branchMatch,omitempty" protobuf:"bytes,1,opt,name=branchMatch"`
	// TargetBranchMatch is a regular expression for the branch that it goes to.
	TargetBranchMatch *string `json:"targetBranchMatch,omitempty" protobuf:"bytes,2,opt,name=targetBranchMatch"`
	// TitleMatch is a regular expression for its title.
	TitleMatch *string `json:"titleMatch,omitempty" protobuf:"bytes,3,op,name=titleMatch"`
}

// BearerTokenBitbucket authenticates with Bitbucket Data Center by a token.
type BearerTokenBitbucket struct {
	// TokenRef is the token.
	TokenRef *SecretRef `json:"tokenRef" protobuf:"bytes,1,opt,name=tokenRef"`
}

// BearerTokenBitbucketCloud authenticates with Bitbucket Cloud by a token.
type BearerTokenBitbucketCloud struct {
	// TokenRef is the token.
	TokenRef *SecretRef `json:"tokenRef" protobuf:"bytes,1,opt,name=tokenRef"`
}

// BasicAuthBitbucketServer authenticates with Bitbucket by name and password.
type BasicAuthBitbucketServer struct {
	// Username is the name.
	Username string `json:"username" protobuf:"bytes,1,opt,name=username"`
	// PasswordRef is the password or access token.
	PasswordRef *SecretRef `json:"passwordRef" protobuf:"bytes,2,opt,name=passwordRef"`
}

// SecretRef names one key of a Secret that lies beside the ApplicationSet.
type SecretRef struct {
	// SecretName is the name of the Secret.
	SecretName string `json:"secretName" protobuf:"bytes,1,opt,name=secretName"`
	// Key is the key within it.
	Key string `json:"key" protobuf:"bytes,2,opt,name=key"`
}

// ConfigMapKeyRef names one key of a ConfigMap that lies beside the ApplicationSet.
type ConfigMapKeyRef struct {
	// ConfigMapName is the name of the ConfigMap.
	ConfigMapName string `json:"configMapName" protobuf:"bytes,1,opt,name=configMapName"`
	// Key is the key within it.
	Key string `json:"key" protobuf:"bytes,2,opt,name=key"`
}
