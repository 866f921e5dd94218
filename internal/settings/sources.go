package settings

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	informers "k8s.io/client-go/informers/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

// sources watches each object that holds settings by its name, so that nothing else in the namespace is ever read, and
// the labelled Secrets by their label.
type sources struct {
	namespace  string
	configMaps map[string]cache.SharedIndexInformer
	secrets    map[string]cache.SharedIndexInformer
	labelled   cache.SharedIndexInformer
	sopsKeys   cache.SharedIndexInformer
	referable  cache.SharedIndexInformer
	informers  []cache.SharedIndexInformer
}

func newSources(client kubernetes.Interface, namespace string, changed func()) *sources {
	s := &sources{namespace: namespace, configMaps: map[string]cache.SharedIndexInformer{}, secrets: map[string]cache.SharedIndexInformer{}}
	byName := func(name string) func(*metav1.ListOptions) {
		return func(o *metav1.ListOptions) {
			o.FieldSelector = fields.OneTermEqualSelector("metadata.name", name).String()
		}
	}
	for _, name := range configMapNames() {
		i := informers.NewFilteredConfigMapInformer(client, namespace, 0, nil, byName(name))
		s.configMaps[name] = i
		s.informers = append(s.informers, i)
	}
	for _, name := range []string{SecretName, ServerTLSSecretName} {
		i := informers.NewFilteredSecretInformer(client, namespace, 0, nil, byName(name))
		s.secrets[name] = i
		s.informers = append(s.informers, i)
	}
	s.labelled = informers.NewFilteredSecretInformer(client, namespace, 0, nil, func(o *metav1.ListOptions) {
		o.LabelSelector = labelSecretType + " in (" + typeRepository + "," + typeRepoCreds + "," + typeCluster + ")"
	})
	s.sopsKeys = informers.NewFilteredSecretInformer(client, namespace, 0, nil, func(o *metav1.ListOptions) {
		o.LabelSelector = labelOwnSecretType + "=" + typeSOPSKeys
	})
	s.referable = informers.NewFilteredSecretInformer(client, namespace, 0, nil, func(o *metav1.ListOptions) {
		o.LabelSelector = labelPartOf + "=" + partOfArgoCD
	})
	s.informers = append(s.informers, s.labelled, s.sopsKeys, s.referable)
	handler := cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { changed() },
		UpdateFunc: func(any, any) { changed() },
		DeleteFunc: func(any) { changed() },
	}
	for _, i := range s.informers {
		// Adding a handler can only fail once an informer has ended.
		_, _ = i.AddEventHandler(handler)
	}
	return s
}

func configMapNames() []string {
	return []string{
		ConfigMapName, RBACConfigMapName, ParamsConfigMapName, TLSCertsConfigMapName, KnownHostsConfigMapName, GPGKeysConfigMapName,
	}
}

// wait tells whether all informers have seen their objects once before ctx ended.
func (s *sources) wait(ctx context.Context) bool {
	synced := make([]cache.InformerSynced, 0, len(s.informers))
	for _, i := range s.informers {
		synced = append(synced, i.HasSynced)
	}
	return cache.WaitForCacheSync(ctx.Done(), synced...)
}

// read takes the present state out of the informers.
func (s *sources) read() Input {
	in := Input{ConfigMaps: map[string]map[string]string{}}
	for name, informer := range s.configMaps {
		if obj, ok, err := informer.GetStore().GetByKey(s.namespace + "/" + name); ok && err == nil {
			if cm, ok := obj.(*corev1.ConfigMap); ok {
				in.ConfigMaps[name] = cm.Data
			}
		}
	}
	in.Secret = s.secret(SecretName)
	in.ServerTLS = s.secret(ServerTLSSecretName)
	for _, obj := range s.labelled.GetStore().List() {
		if secret, ok := obj.(*corev1.Secret); ok {
			in.Labelled = append(in.Labelled, labelledSecret(secret))
		}
	}
	sortByName(in.Labelled)
	for _, obj := range s.sopsKeys.GetStore().List() {
		if secret, ok := obj.(*corev1.Secret); ok && secret.Labels[labelOwnSecretType] == typeSOPSKeys {
			in.SOPSKeys = append(in.SOPSKeys, labelledSecret(secret))
		}
	}
	sortByName(in.SOPSKeys)
	for _, obj := range s.referable.GetStore().List() {
		if secret, ok := obj.(*corev1.Secret); ok && secret.Labels[labelPartOf] == partOfArgoCD && in.refersTo(secret.Name) {
			in.Referable = append(in.Referable, labelledSecret(secret))
		}
	}
	sortByName(in.Referable)
	return in
}

func (s *sources) secret(name string) map[string][]byte {
	obj, ok, err := s.secrets[name].GetStore().GetByKey(s.namespace + "/" + name)
	if !ok || err != nil {
		return nil
	}
	secret, ok := obj.(*corev1.Secret)
	if !ok {
		return nil
	}
	return secret.Data
}
