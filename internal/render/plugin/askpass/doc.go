// Package askpass lets git, where it runs in a config management plugin, ask the repo server for the credentials of a
// repository, instead of being given them.
//
// A Server lends credentials for as long as one request to a plugin takes. What the plugin gets are environment variables
// with which git runs a program when it needs a user name or a password; that program, Answer, asks the Server over a
// socket that both containers mount. Names and protocol are those of Argo CD's argocd-git-ask-pass.
package askpass
