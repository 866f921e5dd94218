package v1alpha1

// SourceIntegrity says what must be verified about sources before they are used.
type SourceIntegrity struct {
	// Git holds the rules for Git repositories.
	Git *SourceIntegrityGit `json:"git" protobuf:"bytes,1,name=git"`
}

// SourceIntegrityGit holds the rules for Git repositories.
type SourceIntegrityGit struct {
	// Policies are the rules. The first one whose repositories match a source holds for it.
	Policies []*SourceIntegrityGitPolicy `json:"policies" protobuf:"bytes,1,name=policies"`
}

// SourceIntegrityGitPolicy is one rule for Git repositories.
type SourceIntegrityGitPolicy struct {
	// Repos are the repositories that the rule is for.
	Repos []SourceIntegrityGitPolicyRepo `json:"repos" protobuf:"bytes,1,name=repos"`
	// GPG asks for signatures made with GnuPG keys.
	GPG *SourceIntegrityGitPolicyGPG `json:"gpg" protobuf:"bytes,2,name=gpg"`
}

// SourceIntegrityGitPolicyRepo names repositories.
type SourceIntegrityGitPolicyRepo struct {
	// URL is a glob of repository URLs. One that starts with ! takes repositories out again.
	URL string `json:"url" protobuf:"bytes,1,name=url"`
}

// SourceIntegrityGitPolicyGPG asks that commits are signed, with keys that the installation knows
// and that are listed here.
type SourceIntegrityGitPolicyGPG struct {
	// Mode says which commits must be signed.
	Mode SourceIntegrityGitPolicyGPGMode `json:"mode" protobuf:"bytes,1,name=mode"`
	// Keys are the IDs of the keys that are trusted.
	Keys []string `json:"keys" protobuf:"bytes,3,name=keys"`
}

// SourceIntegrityGitPolicyGPGMode says which commits must be signed.
type SourceIntegrityGitPolicyGPGMode string

// Modes of verifying signatures.
const (
	// SourceIntegrityGitPolicyGPGModeNone verifies nothing.
	SourceIntegrityGitPolicyGPGModeNone SourceIntegrityGitPolicyGPGMode = "none"
	// SourceIntegrityGitPolicyGPGModeHead verifies the commit, or annotated tag, that is synchronized.
	SourceIntegrityGitPolicyGPGModeHead SourceIntegrityGitPolicyGPGMode = "head"
	// SourceIntegrityGitPolicyGPGModeStrict also verifies all commits that lead to it, back to the
	// first one or to a signed commit that seals those before it.
	SourceIntegrityGitPolicyGPGModeStrict SourceIntegrityGitPolicyGPGMode = "strict"
)

// SourceIntegrityMethodNameGitGPG is the name under which checks of Git signatures are reported.
const SourceIntegrityMethodNameGitGPG = "GIT/GPG"

// SourceIntegrityCheckResult is what came out of verifying sources.
type SourceIntegrityCheckResult struct {
	// Checks are the checks that were made. What is not listed was not checked.
	Checks []SourceIntegrityCheckResultItem `protobuf:"bytes,1,opt,name=checks"`
}

// SourceIntegrityCheckResultItem is the outcome of one check.
type SourceIntegrityCheckResultItem struct {
	// Name tells what was checked.
	Name string `protobuf:"bytes,1,name=name"`
	// Problems say why the check failed. Empty when it passed.
	Problems []string `protobuf:"bytes,2,name=problems"`
}

// IsValid reports whether no check found a problem.
func (r *SourceIntegrityCheckResult) IsValid() bool {
	if r == nil {
		return true
	}
	for _, check := range r.Checks {
		if len(check.Problems) > 0 {
			return false
		}
	}
	return true
}
