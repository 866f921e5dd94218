package peer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/util/wait"
	informers "k8s.io/client-go/informers/core/v1"
	"k8s.io/client-go/kubernetes"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/cache"
)

// SecretName is the Secret that holds the authority. Deleting it makes a new one, which every process takes up at once.
const SecretName = "fairlead-peer-tls" //nolint:gosec // a name, not a credential

// Options are what Open needs. Client and Namespace are required.
type Options struct {
	// Client reaches the cluster of the control plane.
	Client kubernetes.Interface
	// Namespace of the control plane.
	Namespace string
	// Logger for what is made and waited for; nil discards it.
	Logger *slog.Logger
	// Now is the clock, default time.Now.
	Now func() time.Time
}

// Open reads the authority of the installation, or makes it. A process that may not create Secrets waits until another
// has done so.
func Open(ctx context.Context, o Options) (*Identity, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	i := &Identity{o: o}
	waiting := false
	err := wait.PollUntilContextCancel(ctx, time.Second, true, func(ctx context.Context) (bool, error) {
		err := i.load(ctx)
		if apierrors.IsForbidden(err) && !apierrors.IsForbidden(i.readable(ctx)) {
			if !waiting {
				o.Logger.Info("waiting for another component to make the certificates of the installation",
					"namespace", o.Namespace, "secret", SecretName)
			}
			waiting = true
			return false, nil
		}
		return true, err
	})
	if err != nil {
		return nil, err
	}
	return i, nil
}

func (i *Identity) secrets() typedcorev1.SecretInterface {
	return i.o.Client.CoreV1().Secrets(i.o.Namespace)
}

// readable tells whether the Secret may be read, whether it is there or not.
func (i *Identity) readable(ctx context.Context) error {
	_, err := i.secrets().Get(ctx, SecretName, metav1.GetOptions{})
	return err
}

// load reads the Secret, creates it when it is missing, brings it up to date, and holds what it says.
func (i *Identity) load(ctx context.Context) error {
	for {
		secret, err := i.readOrCreate(ctx)
		if err != nil {
			return fmt.Errorf("certificates of the installation: Secret %s in namespace %s: %w", SecretName, i.o.Namespace, err)
		}
		better, err := maintain(secret.Data, i.o.Now())
		if err != nil {
			return fmt.Errorf("the Secret %s in namespace %s cannot be used: %w; delete it, and a new one is made",
				SecretName, i.o.Namespace, err)
		}
		if better != nil {
			changed := secret.DeepCopy()
			changed.Data = better
			updated, err := i.secrets().Update(ctx, changed, metav1.UpdateOptions{})
			switch {
			case apierrors.IsConflict(err), apierrors.IsNotFound(err):
				continue // somebody else was quicker
			case apierrors.IsForbidden(err):
				// Others may; what is there is good as long as it lasts.
			case err != nil:
				return fmt.Errorf("renewing the certificates of the installation in the Secret %s: %w", SecretName, err)
			default:
				i.o.Logger.Info("renewed the authority of the components' certificates", "namespace", i.o.Namespace, "secret", SecretName)
				secret = updated
			}
		}
		held, err := parseMaterial(secret.Data)
		if err != nil {
			return fmt.Errorf("the Secret %s in namespace %s cannot be used: %w", SecretName, i.o.Namespace, err)
		}
		i.hold(held)
		return nil
	}
}

func (i *Identity) readOrCreate(ctx context.Context) (*corev1.Secret, error) {
	secret, err := i.secrets().Get(ctx, SecretName, metav1.GetOptions{})
	if !apierrors.IsNotFound(err) {
		return secret, err
	}
	data, err := newMaterial(i.o.Now())
	if err != nil {
		return nil, err
	}
	secret, err = i.secrets().Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Name:   SecretName,
			Labels: map[string]string{"app.kubernetes.io/name": SecretName, "app.kubernetes.io/part-of": "fairlead"},
		},
		Type: corev1.SecretTypeOpaque, Data: data,
	}, metav1.CreateOptions{})
	switch {
	case apierrors.IsAlreadyExists(err):
		return i.secrets().Get(ctx, SecretName, metav1.GetOptions{})
	case err == nil:
		i.o.Logger.Info("made certificates for the components of the installation", "namespace", i.o.Namespace, "secret", SecretName)
	}
	return secret, err
}

// lookEvery is how often the age of the authority is looked at.
const lookEvery = time.Hour

// Run follows the Secret until ctx ends. The error is nil when ctx ended.
func (i *Identity) Run(ctx context.Context) error {
	informer := informers.NewFilteredSecretInformer(i.o.Client, i.o.Namespace, 0, nil, func(o *metav1.ListOptions) {
		o.FieldSelector = fields.OneTermEqualSelector("metadata.name", SecretName).String()
	})
	changes := make(chan struct{}, 1)
	changed := func() {
		select {
		case changes <- struct{}{}:
		default:
		}
	}
	if _, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { changed() },
		UpdateFunc: func(any, any) { changed() },
		DeleteFunc: func(any) { changed() },
	}); err != nil {
		return fmt.Errorf("following the Secret %s: %w", SecretName, err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		informer.RunWithContext(ctx)
	}()
	defer func() { <-done }()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-look.C:
		case <-changes:
		}
		if err := i.load(ctx); err != nil && !errors.Is(err, context.Canceled) {
			i.o.Logger.Warn("the certificates of the installation cannot be renewed; those at hand stay in use", "error", err)
		}
	}
}
