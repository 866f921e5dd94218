package settings

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/retry"
)

// Ensure creates what an installation needs and is not there: the ConfigMaps, and in argocd-secret the signing key, the
// certificate of the server and the password of admin, whose plain text goes to argocd-initial-admin-secret. A value
// that is there is never changed. Several instances may do this at once; all end with the same values.
func (s *Store) Ensure(ctx context.Context) error {
	for _, name := range configMapNames() {
		if err := s.ensureConfigMap(ctx, name); err != nil {
			return err
		}
	}
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() error { return s.ensureSecret(ctx) })
	if err != nil {
		return fmt.Errorf("complete Secret %s in namespace %s: %w", SecretName, s.options.Namespace, err)
	}
	return nil
}

func (s *Store) ensureConfigMap(ctx context.Context, name string) error {
	client := s.options.Client.CoreV1().ConfigMaps(s.options.Namespace)
	_, err := client.Get(ctx, name, metav1.GetOptions{})
	if err == nil {
		return nil
	}
	if !apierrors.IsNotFound(err) {
		return fmt.Errorf("read ConfigMap %s in namespace %s: %w", name, s.options.Namespace, err)
	}
	cm := &corev1.ConfigMap{ObjectMeta: s.meta(name)}
	if name == ConfigMapName {
		// What installations of Argo CD are delivered with. An installation that removed the key wants to see all.
		cm.Data = map[string]string{"resource.exclusions": defaultExclusions}
	}
	_, err = client.Create(ctx, cm, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("create ConfigMap %s in namespace %s: %w", name, s.options.Namespace, err)
	}
	if err == nil {
		s.options.Logger.Info("created a ConfigMap that was missing", "namespace", s.options.Namespace, "name", name)
	}
	return nil
}

// ensureSecret completes argocd-secret in one update, so that either everything that belongs together is written or, when
// somebody else was quicker, nothing.
func (s *Store) ensureSecret(ctx context.Context) error {
	secret, err := s.existingSecret(ctx)
	if err != nil {
		return err
	}
	if secret.Data == nil {
		secret.Data = map[string][]byte{}
	}
	var added []string
	add := func(key string, value []byte) {
		secret.Data[key] = value
		added = append(added, key)
	}
	if len(secret.Data["server.secretkey"]) == 0 {
		key, err := s.options.Entropy.signingKey()
		if err != nil {
			return fmt.Errorf("make a signing key: %w", err)
		}
		add("server.secretkey", key)
	}
	if err := s.addCertificate(ctx, secret, add); err != nil {
		return err
	}
	if err := s.addAdmin(ctx, secret, add); err != nil {
		return err
	}
	if len(added) == 0 {
		return nil
	}
	if _, err := s.options.Client.CoreV1().Secrets(s.options.Namespace).Update(ctx, secret, metav1.UpdateOptions{}); err != nil {
		return err
	}
	s.options.Logger.Info("completed the Secret of the installation", "namespace", s.options.Namespace, "name", SecretName, "keys", added)
	return nil
}

// existingSecret reads argocd-secret, or creates it empty.
func (s *Store) existingSecret(ctx context.Context) (*corev1.Secret, error) {
	client := s.options.Client.CoreV1().Secrets(s.options.Namespace)
	secret, err := client.Get(ctx, SecretName, metav1.GetOptions{})
	if !apierrors.IsNotFound(err) {
		return secret, err
	}
	secret, err = client.Create(ctx, &corev1.Secret{ObjectMeta: s.meta(SecretName), Type: corev1.SecretTypeOpaque}, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return client.Get(ctx, SecretName, metav1.GetOptions{})
	}
	return secret, err
}

func (s *Store) addCertificate(ctx context.Context, secret *corev1.Secret, add func(string, []byte)) error {
	if s.options.Insecure || len(secret.Data["tls.crt"]) > 0 || len(secret.Data["tls.key"]) > 0 {
		return nil
	}
	_, err := s.options.Client.CoreV1().Secrets(s.options.Namespace).Get(ctx, ServerTLSSecretName, metav1.GetOptions{})
	if err == nil {
		return nil
	}
	if !apierrors.IsNotFound(err) {
		return fmt.Errorf("look for the certificate in Secret %s: %w", ServerTLSSecretName, err)
	}
	crt, key, err := s.options.Entropy.certificate(s.options.Namespace)
	if err != nil {
		return fmt.Errorf("make a self-signed certificate: %w", err)
	}
	add("tls.crt", crt)
	add("tls.key", key)
	return nil
}

func (s *Store) addAdmin(ctx context.Context, secret *corev1.Secret, add func(string, []byte)) error {
	cm, err := s.options.Client.CoreV1().ConfigMaps(s.options.Namespace).Get(ctx, ConfigMapName, metav1.GetOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("read ConfigMap %s: %w", ConfigMapName, err)
	}
	if cm != nil && cm.Data["admin.enabled"] == "false" {
		return nil
	}
	if len(secret.Data["admin.password"]) == 0 {
		password, err := s.initialPassword(ctx, secret.ResourceVersion)
		if err != nil {
			return err
		}
		hash, err := s.options.Entropy.hash(password)
		if err != nil {
			return fmt.Errorf("hash the password of admin: %w", err)
		}
		add("admin.password", hash)
		add("admin.passwordMtime", s.mtime())
		return nil
	}
	if len(secret.Data["admin.passwordMtime"]) == 0 {
		add("admin.passwordMtime", s.mtime())
	}
	return nil
}

func (s *Store) mtime() []byte {
	return []byte(s.options.Entropy.Now().UTC().Format(time.RFC3339))
}

// initialPassword gives the password that argocd-initial-admin-secret holds for this version of argocd-secret, and
// writes a new one when there is none. The version makes instances that start at the same moment agree, lets one that
// was killed half-way go on, and does not bring an old password back when an administrator has reset it.
func (s *Store) initialPassword(ctx context.Context, version string) (string, error) {
	client := s.options.Client.CoreV1().Secrets(s.options.Namespace)
	existing, err := client.Get(ctx, InitialPasswordSecretName, metav1.GetOptions{})
	if err == nil && existing.Annotations[annotationMadeFor] == version && len(existing.Data[initialPasswordKey]) > 0 {
		return string(existing.Data[initialPasswordKey]), nil
	}
	if err != nil && !apierrors.IsNotFound(err) {
		return "", fmt.Errorf("read Secret %s: %w", InitialPasswordSecretName, err)
	}
	password, makeErr := s.options.Entropy.password()
	if makeErr != nil {
		return "", fmt.Errorf("make a password: %w", makeErr)
	}
	if err != nil {
		fresh := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: InitialPasswordSecretName, Namespace: s.options.Namespace}, Type: corev1.SecretTypeOpaque}
		fresh.Annotations = map[string]string{annotationMadeFor: version}
		fresh.Data = map[string][]byte{initialPasswordKey: []byte(password)}
		_, err = client.Create(ctx, fresh, metav1.CreateOptions{})
		if apierrors.IsAlreadyExists(err) {
			return s.initialPassword(ctx, version)
		}
	} else {
		if existing.Annotations == nil {
			existing.Annotations = map[string]string{}
		}
		if existing.Data == nil {
			existing.Data = map[string][]byte{}
		}
		existing.Annotations[annotationMadeFor] = version
		existing.Data[initialPasswordKey] = []byte(password)
		_, err = client.Update(ctx, existing, metav1.UpdateOptions{})
	}
	if err != nil {
		return "", fmt.Errorf("write Secret %s: %w", InitialPasswordSecretName, err)
	}
	s.options.Logger.Info("made a password for admin", "namespace", s.options.Namespace, "secret", InitialPasswordSecretName)
	return password, nil
}

func (s *Store) meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Name:      name,
		Namespace: s.options.Namespace,
		Labels:    map[string]string{labelName: name, labelPartOf: partOfArgoCD},
	}
}

// ReadCommandParams reads argocd-cmd-params-cm once, for the defaults of flags, before a store runs. A ConfigMap that
// does not exist gives an empty map.
func ReadCommandParams(ctx context.Context, client kubernetes.Interface, namespace string) (map[string]string, error) {
	cm, err := client.CoreV1().ConfigMaps(namespace).Get(ctx, ParamsConfigMapName, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return map[string]string{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read ConfigMap %s in namespace %s: %w", ParamsConfigMapName, namespace, err)
	}
	if cm.Data == nil {
		return map[string]string{}, nil
	}
	return cm.Data, nil
}
