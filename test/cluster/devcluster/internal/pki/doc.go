// Package pki makes and keeps the certificates of one development cluster: a
// cluster authority, a front-proxy authority, the serving and client
// certificates signed by them, the key that signs ServiceAccount tokens, and
// kubeconfig files.
//
// Everything is written once below one folder and read again on the next
// start, so a kubeconfig handed out earlier stays valid.
package pki
