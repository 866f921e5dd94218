// Package server is the sidecar end of config management plugins: it does what a plugin.yaml says for a repo server that
// asks over a socket, as Argo CD's argocd-cmp-server does.
//
// Each request brings an archive of files. They are unpacked into a folder of their own, the plugin's commands run
// there, and the folder is removed. Server is where to enter; Config is the plugin.yaml.
package server
