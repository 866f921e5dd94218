package settings

// defaultExclusions are the kinds that a new installation leaves alone: objects that a controller writes by the
// thousand and that nobody keeps in Git.
const defaultExclusions = `# Where services send their traffic
- apiGroups: ["", discovery.k8s.io]
  kinds: [Endpoints, EndpointSlice]
# Heartbeats and elections
- apiGroups: [coordination.k8s.io]
  kinds: [Lease]
# Questions to the API server, which are no objects
- apiGroups: [authentication.k8s.io, authorization.k8s.io]
  kinds:
  - SelfSubjectReview
  - TokenReview
  - LocalSubjectAccessReview
  - SelfSubjectAccessReview
  - SelfSubjectRulesReview
  - SubjectAccessReview
# Requests for certificates
- apiGroups: [certificates.k8s.io]
  kinds: [CertificateSigningRequest]
- apiGroups: [cert-manager.io]
  kinds: [CertificateRequest]
# What Cilium writes about pods
- apiGroups: [cilium.io]
  kinds: [CiliumIdentity, CiliumEndpoint, CiliumEndpointSlice]
# Reports of policy engines
- apiGroups: [kyverno.io, reports.kyverno.io, wgpolicyk8s.io]
  kinds:
  - PolicyReport
  - ClusterPolicyReport
  - EphemeralReport
  - ClusterEphemeralReport
  - AdmissionReport
  - ClusterAdmissionReport
  - BackgroundScanReport
  - ClusterBackgroundScanReport
  - UpdateRequest
`
