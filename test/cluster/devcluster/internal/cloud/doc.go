// Package cloud stands in for what surrounds a cluster: it gives volumes to
// claims, and addresses to Services of type LoadBalancer and to Ingresses.
package cloud
