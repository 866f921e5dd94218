package cloud

import (
	"context"
	"fmt"
	"hash/fnv"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	networkinglisters "k8s.io/client-go/listers/networking/v1"
	"k8s.io/client-go/tools/cache"
)

// balancers gives addresses. Nothing answers at them, so two objects with the
// same one do no harm, and the address can follow from the object's UID.
type balancers struct {
	client    kubernetes.Interface
	services  corelisters.ServiceLister
	ingresses networkinglisters.IngressLister
}

func newBalancers(client kubernetes.Interface, factory informers.SharedInformerFactory) *balancers {
	return &balancers{
		client:    client,
		services:  factory.Core().V1().Services().Lister(),
		ingresses: factory.Networking().V1().Ingresses().Lister(),
	}
}

// addressOf returns an address of 198.18.0.0/15, which is set aside for tests
// of networks.
func addressOf(uid types.UID) string {
	hash := fnv.New32a()
	hash.Write([]byte(uid))
	n := hash.Sum32()
	return netip.AddrFrom4([4]byte{198, 18 + byte(n>>16&1), byte(n >> 8), byte(n)}).String()
}

// service gives a Service of type LoadBalancer its address, and takes it from
// one that is no longer of that type.
func (b *balancers) service(ctx context.Context, name cache.ObjectName) error {
	service, err := b.services.Services(name.Namespace).Get(name.Name)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the Service: %w", err)
	}
	balanced := service.Spec.Type == corev1.ServiceTypeLoadBalancer
	if balanced == (len(service.Status.LoadBalancer.Ingress) > 0) || service.DeletionTimestamp != nil {
		return nil
	}
	changed := service.DeepCopy()
	changed.Status.LoadBalancer = corev1.LoadBalancerStatus{}
	if balanced {
		address := service.Spec.LoadBalancerIP
		if address == "" {
			address = addressOf(service.UID)
		}
		mode := corev1.LoadBalancerIPModeVIP
		changed.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: address, IPMode: &mode}}
	}
	_, err = b.client.CoreV1().Services(name.Namespace).UpdateStatus(ctx, changed, metav1.UpdateOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("writing the address of the Service: %w", err)
	}
	return nil
}

// ingress gives an Ingress its address, as an Ingress controller would.
func (b *balancers) ingress(ctx context.Context, name cache.ObjectName) error {
	ingress, err := b.ingresses.Ingresses(name.Namespace).Get(name.Name)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the Ingress: %w", err)
	}
	if len(ingress.Status.LoadBalancer.Ingress) > 0 || ingress.DeletionTimestamp != nil {
		return nil
	}
	changed := ingress.DeepCopy()
	changed.Status.LoadBalancer.Ingress = []networkingv1.IngressLoadBalancerIngress{{IP: addressOf(ingress.UID)}}
	_, err = b.client.NetworkingV1().Ingresses(name.Namespace).UpdateStatus(ctx, changed, metav1.UpdateOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("writing the address of the Ingress: %w", err)
	}
	return nil
}
