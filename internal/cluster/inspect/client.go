package inspect

import (
	"fmt"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// Client asks one cluster. It is safe for concurrent use.
type Client struct {
	config *rest.Config
	kube   kubernetes.Interface
}

// New returns a client of the cluster that the configuration leads to.
func New(config *rest.Config) (*Client, error) {
	kube, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("preparing to look into a cluster: %w", err)
	}
	return &Client{config: config, kube: kube}, nil
}
