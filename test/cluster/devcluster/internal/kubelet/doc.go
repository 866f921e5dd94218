// Package kubelet answers, for all simulated nodes, what the API server asks
// of a kubelet: logs, exec and attach.
//
// Logs are made up from what the container does and since when. Exec is a
// small shell over an imaginary file system. Nothing runs on this machine,
// which is why kwok's server is not used: it executes commands on the host.
package kubelet
