package controlplane

import (
	"net"

	"github.com/fairlead-cd/fairlead/test/cluster/devcluster/internal/pki"
)

const (
	serviceRange = "10.96.0.0/12"
	// advertiseAddress is where the Endpoints of the Service kubernetes point.
	// Nothing answers there: a loopback address is not allowed, and nothing
	// runs inside of this cluster that could ask.
	advertiseAddress = "172.18.0.1"
)

// serviceIP is the first address of serviceRange.
var serviceIP = net.IPv4(10, 96, 0, 1)

func apiServerFlags(etcd string, certs pki.Dir) []string {
	return []string{
		"--etcd-servers=" + etcd,
		"--bind-address=127.0.0.1",
		"--advertise-address=" + advertiseAddress,
		"--external-hostname=localhost",
		"--service-cluster-ip-range=" + serviceRange,
		"--allow-privileged=true",
		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction",
		"--tls-cert-file=" + certs.Cert(pki.APIServer),
		"--tls-private-key-file=" + certs.Key(pki.APIServer),
		"--client-ca-file=" + certs.Cert(pki.CA),
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=" + certs.ServiceAccountPublicKey(),
		"--service-account-signing-key-file=" + certs.ServiceAccountKey(),
		"--requestheader-client-ca-file=" + certs.Cert(pki.FrontProxyCA),
		"--requestheader-allowed-names=" + pki.FrontProxyClient,
		"--requestheader-username-headers=X-Remote-User",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file=" + certs.Cert(pki.FrontProxyClient),
		"--proxy-client-key-file=" + certs.Key(pki.FrontProxyClient),
		// Every kubelet is reached on loopback; its other addresses are for show.
		"--kubelet-preferred-address-types=ExternalDNS",
		"--kubelet-certificate-authority=" + certs.Cert(pki.CA),
		"--kubelet-client-certificate=" + certs.Cert(pki.KubeletClient),
		"--kubelet-client-key=" + certs.Key(pki.KubeletClient),
		// Counting objects and measuring the store only feeds metrics.
		"--etcd-count-metric-poll-period=0",
		"--etcd-db-metric-poll-interval=0",
	}
}

func schedulerFlags(kubeconfig string) []string {
	return []string{
		"--kubeconfig=" + kubeconfig,
		"--leader-elect=false",
		"--secure-port=0",
		"--kube-api-qps=1000",
		"--kube-api-burst=2000",
	}
}

func controllerManagerFlags(kubeconfig string, certs pki.Dir) []string {
	return []string{
		"--kubeconfig=" + kubeconfig,
		"--leader-elect=false",
		"--secure-port=0",
		"--kube-api-qps=1000",
		"--kube-api-burst=2000",
		"--service-account-private-key-file=" + certs.ServiceAccountKey(),
		"--root-ca-file=" + certs.Cert(pki.CA),
		"--cluster-signing-cert-file=" + certs.Cert(pki.CA),
		"--cluster-signing-key-file=" + certs.Key(pki.CA),
		// Attaching volumes means nothing to simulated nodes, and its loop
		// wakes ten times a second.
		"--controllers=*,-persistentvolume-attach-detach-controller",
		// Simulated nodes renew their leases once a minute.
		"--node-monitor-period=30s",
		"--node-monitor-grace-period=5m",
	}
}
