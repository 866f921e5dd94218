// Package settings turns the ConfigMaps and Secrets of the control-plane namespace into typed values.
//
// [Store.Run] watches exactly the objects that Argo CD's documentation names (argocd-cm, argocd-secret, argocd-rbac-cm,
// argocd-cmd-params-cm, argocd-tls-certs-cm, argocd-ssh-known-hosts-cm, argocd-gpg-keys-cm, argocd-server-tls and the
// Secrets labelled argocd.argoproj.io/secret-type), and the Secrets labelled fairlead.dev/secret-type: sops-keys. After each change it parses everything once into a new [Settings],
// which nobody changes afterwards, and tells the subscribers. Reading settings is a pointer load.
//
// A value that cannot be used gives a [Warning] with its key, and the last good value stays in force; where there was
// none, the default of Argo CD 3.6 holds. Parsing is pure: see [Parse].
//
// [Store.Ensure] creates at start what must exist: the ConfigMaps, the signing key, the TLS certificate and the first
// admin password. It never changes a value that is there, and two instances may do it at once.
//
// Trust in repository servers can also come from folders (the variables ARGOCD_TLS_DATA_PATH and its like). These are
// read at the moment of use, since they may vanish and come back while the program runs; see [Store.Repository],
// [Store.KnownHosts] and [Store.GPGKeys].
package settings
