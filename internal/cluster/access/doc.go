// Package access turns what a cluster's Secret says about authentication into a configuration of client-go.
//
//	config, err := access.Parse(secret.Data["config"])
//	rest, err := access.RESTConfig(server, config)
//
// Every way that Argo CD documents is there: a bearer token, a name and a password, client certificates, a program that
// prints credentials (execProviderConfig), and IAM of AWS (awsAuthConfig). What Argo CD's helper argocd-k8s-auth does for
// AWS, Google Cloud and Azure happens in this process: a Secret that names that helper works without it.
//
// Nothing here talks to a network before the first request to the cluster is made, and no error holds a credential.
package access
