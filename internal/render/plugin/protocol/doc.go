// Package protocol is what a repo server and a config management plugin say to each other over a socket: the gRPC service
// plugin.ConfigManagementPluginService of Argo CD's argocd-cmp-server, with its messages and their field numbers. The
// service askpass.AskPassService, by which a plugin gets the credentials of a repository, is here too.
//
// Messages are encoded by hand, because they are few and small. Codec makes gRPC use that.
package protocol
