package v1alpha1

// SCMProviderGenerator yields one set for each repository, and branch, of an organization. Exactly
// one service is set.
type SCMProviderGenerator struct {
	// Github looks at GitHub.
	Github *SCMProviderGeneratorGithub `json:"github,omitempty" protobuf:"bytes,1,opt,name=github"`
	// Gitlab looks at GitLab.
	Gitlab *SCMProviderGeneratorGitlab `json:"gitlab,omitempty" protobuf:"bytes,2,opt,name=gitlab"`
	// Bitbucket looks at Bitbucket Cloud.
	Bitbucket *SCMProviderGeneratorBitbucket `json:"bitbucket,omitempty" protobuf:"bytes,3,opt,name=bitbucket"`
	// BitbucketServer looks at Bitbucket Data Center.
	BitbucketServer *SCMProviderGeneratorBitbucketServer `json:"bitbucketServer,omitempty" protobuf:"bytes,4,opt,name=bitbucketServer"`
	// Gitea looks at Gitea or Forgejo.
	Gitea *SCMProviderGeneratorGitea `json:"gitea,omitempty" protobuf:"bytes,5,opt,name=gitea"`
	// AzureDevOps looks at Azure DevOps.
	AzureDevOps *SCMProviderGeneratorAzureDevOps `json:"azureDevOps,omitempty" protobuf:"bytes,6,opt,name=azureDevOps"`
	// Filters pick repositories. One that matches is enough.
	Filters []SCMProviderGeneratorFilter `json:"filters,omitempty" protobuf:"bytes,7,rep,name=filters"`
	// CloneProtocol is the form of the URLs: ssh or https. The default depends on the service.
	CloneProtocol string `json:"cloneProtocol,omitempty" protobuf:"bytes,8,opt,name=cloneProtocol"`
	// RequeueAfterSeconds is how often to look, in seconds. Default 1800.
	RequeueAfterSeconds *int64 `json:"requeueAfterSeconds,omitempty" protobuf:"varint,9,opt,name=requeueAfterSeconds"`
	// Template is merged over the template of the ApplicationSet.
	Template ApplicationSetTemplate `json:"template,omitempty" protobuf:"bytes,10,opt,name=template"`
	// Values are parameters to add under values. They may hold parameters themselves.
	Values map[string]string `json:"values,omitempty" protobuf:"bytes,11,name=values"`
	// AWSCodeCommit looks at AWS CodeCommit.
	AWSCodeCommit *SCMProviderGeneratorAWSCodeCommit `json:"awsCodeCommit,omitempty" protobuf:"bytes,12,opt,name=awsCodeCommit"`
}

// SCMProviderGeneratorGitea looks at the repositories of an owner on Gitea.
type SCMProviderGeneratorGitea struct {
	// Owner is the user or organization.
	Owner string `json:"owner" protobuf:"bytes,1,opt,name=owner"`
	// API is the address of the Gitea server.
	API string `json:"api" protobuf:"bytes,2,opt,name=api"`
	// TokenRef is the access token. Absent: only what is public.
	TokenRef *SecretRef `json:"tokenRef,omitempty" protobuf:"bytes,3,opt,name=tokenRef"`
	// AllBranches yields every branch and not only the default one.
	AllBranches bool `json:"allBranches,omitempty" protobuf:"varint,4,opt,name=allBranches"`
	// Insecure accepts any TLS certificate.
	Insecure bool `json:"insecure,omitempty" protobuf:"varint,5,opt,name=insecure"`
	// ExcludeArchivedRepos leaves archived repositories out.
	ExcludeArchivedRepos bool `json:"excludeArchivedRepos,omitempty" protobuf:"varint,6,opt,name=excludeArchivedRepos"`
}

// SCMProviderGeneratorGithub looks at the repositories of an organization on GitHub.
type SCMProviderGeneratorGithub struct {
	// Organization is the organization.
	Organization string `json:"organization" protobuf:"bytes,1,opt,name=organization"`
	// API is the address of the API. Default: https://api.github.com/.
	API string `json:"api,omitempty" protobuf:"bytes,2,opt,name=api"`
	// TokenRef is the access token. Absent: only what is public.
	TokenRef *SecretRef `json:"tokenRef,omitempty" protobuf:"bytes,3,opt,name=tokenRef"`
	// AppSecretName is the Secret, of type repo-creds, of a GitHub App to authenticate as.
	AppSecretName string `json:"appSecretName,omitempty" protobuf:"bytes,4,opt,name=appSecretName"`
	// AllBranches yields every branch and not only the default one.
	AllBranches bool `json:"allBranches,omitempty" protobuf:"varint,5,opt,name=allBranches"`
	// ExcludeArchivedRepos leaves archived repositories out.
	ExcludeArchivedRepos bool `json:"excludeArchivedRepos,omitempty" protobuf:"varint,6,opt,name=excludeArchivedRepos"`
}

// SCMProviderGeneratorGitlab looks at the projects of a group on GitLab.
type SCMProviderGeneratorGitlab struct {
	// Group is the ID or the full path of the group.
	Group string `json:"group" protobuf:"bytes,1,opt,name=group"`
	// IncludeSubgroups also looks at groups below.
	IncludeSubgroups bool `json:"includeSubgroups,omitempty" protobuf:"varint,2,opt,name=includeSubgroups"`
	// API is the address of the server. Default: https://gitlab.com/.
	API string `json:"api,omitempty" protobuf:"bytes,3,opt,name=api"`
	// TokenRef is the access token. Absent: only what is public.
	TokenRef *SecretRef `json:"tokenRef,omitempty" protobuf:"bytes,4,opt,name=tokenRef"`
	// AllBranches yields every branch and not only the default one.
	AllBranches bool `json:"allBranches,omitempty" protobuf:"varint,5,opt,name=allBranches"`
	// Insecure accepts any TLS certificate.
	Insecure bool `json:"insecure,omitempty" protobuf:"varint,6,opt,name=insecure"`
	// IncludeSharedProjects also yields projects shared with the group. Default true.
	IncludeSharedProjects *bool `json:"includeSharedProjects,omitempty" protobuf:"varint,7,opt,name=includeSharedProjects"`
	// Topic limits projects to those with this topic.
	Topic string `json:"topic,omitempty" protobuf:"bytes,8,opt,name=topic"`
	// CARef holds certificate authorities to trust.
	CARef *ConfigMapKeyRef `json:"caRef,omitempty" protobuf:"bytes,9,opt,name=caRef"`
	// IncludeArchivedRepos also yields archived projects.
	IncludeArchivedRepos bool `json:"includeArchivedRepos,omitempty" protobuf:"varint,10,opt,name=includeArchivedRepos"`
}

// SCMProviderGeneratorBitbucket looks at the repositories of a workspace on Bitbucket Cloud.
type SCMProviderGeneratorBitbucket struct {
	// Owner is the workspace.
	Owner string `json:"owner" protobuf:"bytes,1,opt,name=owner"`
	// User is the user to authenticate as.
	User string `json:"user" protobuf:"bytes,2,opt,name=user"`
	// AppPasswordRef is the app password of the user.
	AppPasswordRef *SecretRef `json:"appPasswordRef" protobuf:"bytes,3,opt,name=appPasswordRef"`
	// AllBranches yields every branch and not only the main one.
	AllBranches bool `json:"allBranches,omitempty" protobuf:"varint,4,opt,name=allBranches"`
}

// SCMProviderGeneratorBitbucketServer looks at the repositories of a project on Bitbucket Data
// Center.
type SCMProviderGeneratorBitbucketServer struct {
	// Project is the key of the project.
	Project string `json:"project" protobuf:"bytes,1,opt,name=project"`
	// API is the address of the REST API.
	API string `json:"api" protobuf:"bytes,2,opt,name=api"`
	// BasicAuth authenticates with name and password.
	BasicAuth *BasicAuthBitbucketServer `json:"basicAuth,omitempty" protobuf:"bytes,3,opt,name=basicAuth"`
	// AllBranches yields every branch and not only the default one.
	AllBranches bool `json:"allBranches,omitempty" protobuf:"varint,4,opt,name=allBranches"`
	// BearerToken authenticates with a token.
	BearerToken *BearerTokenBitbucket `json:"bearerToken,omitempty" protobuf:"bytes,5,opt,name=bearerToken"`
	// Insecure accepts any TLS certificate.
	Insecure bool `json:"insecure,omitempty" protobuf:"varint,6,opt,name=insecure"`
	// CARef holds certificate authorities to trust.
	CARef *ConfigMapKeyRef `json:"caRef,omitempty" protobuf:"bytes,7,opt,name=caRef"`
}

// SCMProviderGeneratorAzureDevOps looks at the repositories of a project on Azure DevOps.
type SCMProviderGeneratorAzureDevOps struct {
	// Organization is the organization.
	Organization string `json:"organization" protobuf:"bytes,5,opt,name=organization"`
	// API is the address of the server. Default: https://dev.azure.com.
	API string `json:"api,omitempty" protobuf:"bytes,6,opt,name=api"`
	// TeamProject is the project.
	TeamProject string `json:"teamProject" protobuf:"bytes,7,opt,name=teamProject"`
	// AccessTokenRef is the personal access token.
	AccessTokenRef *SecretRef `json:"accessTokenRef" protobuf:"bytes,8,opt,name=accessTokenRef"`
	// AllBranches yields every branch and not only the default one.
	AllBranches bool `json:"allBranches,omitempty" protobuf:"varint,9,opt,name=allBranches"`
}

// SCMProviderGeneratorAWSCodeCommit looks at the repositories of an AWS account.
type SCMProviderGeneratorAWSCodeCommit struct {
	// TagFilters pick repositories by their tags. Filters of the same key are alternatives; those
	// of different keys must all match.
	TagFilters []*TagFilter `json:"tagFilters,omitempty" protobuf:"bytes,1,opt,name=tagFilters"`
	// Role is a role to assume. Empty means the identity of the pod.
	Role string `json:"role,omitempty" protobuf:"bytes,2,opt,name=role"`
	// Region is the region to look at. Empty means that of the pod.
	Region string `json:"region,omitempty" protobuf:"bytes,3,opt,name=region"`
	// AllBranches yields every branch and not only the default one.
	AllBranches bool `json:"allBranches,omitempty" protobuf:"varint,4,opt,name=allBranches"`
}

// TagFilter is a condition on a tag.
type TagFilter struct {
	// Key is the key of the tag.
	Key string `json:"key" protobuf:"bytes,1,opt,name=key"`
	// Value is the value it must have. Empty means any.
	Value string `json:"value,omitempty" protobuf:"bytes,2,opt,name=value"`
}

// SCMProviderGeneratorFilter is a condition on a repository. All its parts must match.
type SCMProviderGeneratorFilter struct {
	// RepositoryMatch is a regular expression for the name.
	RepositoryMatch *string `json:"repositoryMatch,omitempty" protobuf:"bytes,1,opt,name=repositoryMatch"`
	// PathsExist are paths that must all exist.
	PathsExist []string `json:"pathsExist,omitempty" protobuf:"bytes,2,rep,name=pathsExist"`
	// PathsDoNotExist are paths that must not exist.
	PathsDoNotExist []string `json:"pathsDoNotExist,omitempty" protobuf:"bytes,3,rep,name=pathsDoNotExist"`
	// LabelMatch is a regular expression that one label must match.
	LabelMatch *string `json:"labelMatch,omitempty" protobuf:"bytes,4,opt,name=labelMatch"`
	// BranchMatch is a regular expression for the branch.
	BranchMatch *string `json:"branchMatch,omitempty" protobuf:"bytes,5,opt,name=branchMatch"`
}
