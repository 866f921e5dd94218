// Package client reads, watches and writes the custom resources of package
// v1alpha1 in a Kubernetes API server, with typed objects.
package client

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/gentype"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// Applications reads and writes the Applications of one namespace, or of all
// when that is "".
type Applications = *gentype.ClientWithList[*v1alpha1.Application, *v1alpha1.ApplicationList]

// AppProjects reads and writes the AppProjects of one namespace.
type AppProjects = *gentype.ClientWithList[*v1alpha1.AppProject, *v1alpha1.AppProjectList]

// Client is a typed client for the custom resources. It is safe for concurrent
// use.
type Client struct {
	rest  rest.Interface
	codec runtime.ParameterCodec
}

// New returns a Client that reaches the API server as config says.
func New(config *rest.Config) (*Client, error) {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return nil, fmt.Errorf("registering the types: %w", err)
	}
	metav1.AddToGroupVersion(scheme, v1alpha1.SchemeGroupVersion)
	config = rest.CopyConfig(config)
	config.APIPath = "/apis"
	config.GroupVersion = &v1alpha1.SchemeGroupVersion
	config.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	config.ContentType = runtime.ContentTypeJSON
	config.AcceptContentTypes = runtime.ContentTypeJSON
	restClient, err := rest.RESTClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("building a client for %s: %w", v1alpha1.SchemeGroupVersion, err)
	}
	return &Client{rest: restClient, codec: runtime.NewParameterCodec(scheme)}, nil
}

// Applications returns the client for the Applications of a namespace.
func (c *Client) Applications(namespace string) Applications {
	return gentype.NewClientWithList[*v1alpha1.Application, *v1alpha1.ApplicationList](
		"applications", c.rest, c.codec, namespace,
		func() *v1alpha1.Application { return &v1alpha1.Application{} },
		func() *v1alpha1.ApplicationList { return &v1alpha1.ApplicationList{} },
	)
}

// AppProjects returns the client for the AppProjects of a namespace.
func (c *Client) AppProjects(namespace string) AppProjects {
	return gentype.NewClientWithList[*v1alpha1.AppProject, *v1alpha1.AppProjectList](
		"appprojects", c.rest, c.codec, namespace,
		func() *v1alpha1.AppProject { return &v1alpha1.AppProject{} },
		func() *v1alpha1.AppProjectList { return &v1alpha1.AppProjectList{} },
	)
}

// ApplicationInformer keeps the Applications of a namespace ("" for all) in
// memory and tells their changes.
func (c *Client) ApplicationInformer(namespace string) cache.SharedIndexInformer {
	return informer(c.Applications(namespace), &v1alpha1.Application{})
}

// AppProjectInformer keeps the AppProjects of a namespace in memory and tells
// their changes.
func (c *Client) AppProjectInformer(namespace string) cache.SharedIndexInformer {
	return informer(c.AppProjects(namespace), &v1alpha1.AppProject{})
}

type listWatcher[L runtime.Object] interface {
	List(ctx context.Context, opts metav1.ListOptions) (L, error)
	Watch(ctx context.Context, opts metav1.ListOptions) (watch.Interface, error)
}

func informer[L runtime.Object](client listWatcher[L], example runtime.Object) cache.SharedIndexInformer {
	source := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, opts metav1.ListOptions) (runtime.Object, error) {
			return client.List(ctx, opts)
		},
		WatchFuncWithContext: func(ctx context.Context, opts metav1.ListOptions) (watch.Interface, error) {
			return client.Watch(ctx, opts)
		},
	}
	const neverResync = 0
	return cache.NewSharedIndexInformer(source, example, neverResync,
		cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
}
