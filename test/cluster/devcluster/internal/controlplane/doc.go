// Package controlplane runs etcd, kube-apiserver, kube-scheduler and
// kube-controller-manager of one cluster inside this process.
//
// They are the released components, started through their own option
// packages with the flags a real installation would give them. Start brings
// them up in order and Stop takes them down in the opposite one, so that etcd
// closes after the last write.
//
// The components share global state: feature gates, metric registries, the
// klog logger and os.Args. One process therefore runs one cluster, once.
package controlplane
