package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// RevisionMetadata describes a Git commit.
type RevisionMetadata struct {
	// Author is who wrote it, as Name <address>.
	Author string `json:"author,omitempty" protobuf:"bytes,1,opt,name=author"`
	// Date is when it was written.
	Date *metav1.Time `json:"date" protobuf:"bytes,2,opt,name=date"`
	// Tags are the tags that point at it now.
	Tags []string `json:"tags,omitempty" protobuf:"bytes,3,opt,name=tags"`
	// Message is the commit message.
	Message string `json:"message,omitempty" protobuf:"bytes,4,opt,name=message"`
	// SignatureInfo tells in words who signed it. SourceIntegrityResult tells more.
	SignatureInfo string `json:"signatureInfo,omitempty" protobuf:"bytes,5,opt,name=signatureInfo"`
	// References are commits that this one says it derives from, in trailers of its message.
	References []RevisionReference `json:"references,omitempty" protobuf:"bytes,6,opt,name=references"`
	// SourceIntegrityResult is what came out of verifying the commit.
	SourceIntegrityResult *SourceIntegrityCheckResult `json:"sourceIntegrityResult,omitempty" protobuf:"bytes,7,opt,name=sourceIntegrityResult"`
}

// RevisionReference points at what a commit derives from.
type RevisionReference struct {
	// Commit is the other commit.
	Commit *CommitMetadata `json:"commit,omitempty" protobuf:"bytes,1,opt,name=commit"`
}

// CommitMetadata describes a commit that another one refers to. It is taken from trailers of the
// commit message that start with Argocd-reference-commit-, so all of it is only what the writer of
// that message claims.
type CommitMetadata struct {
	// Author is who wrote it, as Name <address>.
	Author string `json:"author,omitempty" protobuf:"bytes,1,opt,name=author"`
	// Date is when it was written, in RFC 3339, or empty.
	Date string `json:"date,omitempty" protobuf:"bytes,2,opt,name=date"`
	// Subject is the first line of its message.
	Subject string `json:"subject,omitempty" protobuf:"bytes,3,opt,name=subject"`
	// Body is the rest of its message.
	Body string `json:"body,omitempty" protobuf:"bytes,4,opt,name=body"`
	// SHA is its ID.
	SHA string `json:"sha,omitempty" protobuf:"bytes,5,opt,name=sha"`
	// RepoURL is the repository that it is in.
	RepoURL string `json:"repoUrl,omitempty" protobuf:"bytes,6,opt,name=repoUrl"`
}

// OCIMetadata describes an OCI artifact, from the annotations of its manifest.
type OCIMetadata struct {
	// CreatedAt is when it was made.
	CreatedAt string `json:"createdAt,omitempty" protobuf:"bytes,1,opt,name=createdAt"`
	// Authors are who made it.
	Authors string `json:"authors,omitempty" protobuf:"bytes,2,opt,name=authors"`
	// ImageURL is where to read about it.
	ImageURL string `json:"imageUrl,omitempty" protobuf:"bytes,3,opt,name=imageUrl"`
	// DocsURL is where its documentation is.
	DocsURL string `json:"docsUrl,omitempty" protobuf:"bytes,4,opt,name=docsUrl"`
	// SourceURL is where its sources are.
	SourceURL string `json:"sourceUrl,omitempty" protobuf:"bytes,5,opt,name=sourceUrl"`
	// Version is the version of the packed software.
	Version string `json:"version,omitempty" protobuf:"bytes,6,opt,name=version"`
	// Description describes it to people.
	Description string `json:"description,omitempty" protobuf:"bytes,7,opt,name=description"`
}

// ChartDetails describes a Helm chart, from its Chart.yaml.
type ChartDetails struct {
	// Description describes it to people.
	Description string `json:"description,omitempty" protobuf:"bytes,1,opt,name=description"`
	// Home is its home page.
	Home string `json:"home,omitempty" protobuf:"bytes,2,opt,name=home"`
	// Maintainers are who maintains it, each as Name <address>.
	Maintainers []string `json:"maintainers,omitempty" protobuf:"bytes,3,opt,name=maintainers"`
}

// ComponentParameter is a parameter of a component of a source. It belongs to a tool that is no
// longer supported and stays for its message.
type ComponentParameter struct {
	// Component is the name of the component.
	Component string `json:"component,omitempty" protobuf:"bytes,1,opt,name=component"`
	// Name is the name of the parameter.
	Name string `json:"name" protobuf:"bytes,2,opt,name=name"`
	// Value is its value.
	Value string `json:"value" protobuf:"bytes,3,opt,name=value"`
}
