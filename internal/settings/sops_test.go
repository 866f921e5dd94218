package settings_test

import (
	"strings"
	"testing"

	"filippo.io/age"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/fairlead-cd/fairlead/internal/settings"
)

func ageIdentity(t *testing.T) (secret, public string) {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	must(t, err)
	return id.String(), "age " + id.Recipient().String()
}

func TestSOPSKeysServeTheProjectsThatTheirSecretNames(t *testing.T) {
	common, commonName := ageIdentity(t)
	shop, shopName := ageIdentity(t)
	both, bothName := ageIdentity(t)
	s := settings.Parse(settings.Input{SOPSKeys: []settings.LabelledSecret{
		{Name: "common", Data: map[string][]byte{"identity.agekey": []byte(common)}},
		{Name: "shop", Annotations: map[string]string{"fairlead.dev/project": "shop"}, Data: map[string][]byte{"identity.agekey": []byte(shop)}},
		{Name: "both", Data: map[string][]byte{"fairlead.dev/project": []byte("shop, bank"), "identity.agekey": []byte(both)}},
		{Name: "none", Annotations: map[string]string{"fairlead.dev/project": " "}, Data: map[string][]byte{"identity.agekey": []byte(both)}},
	}}, nil, nil)
	for project, want := range map[string][]string{
		"shop": {bothName, shopName, commonName}, "bank": {bothName, commonName}, "other": {commonName}, "": {commonName},
	} {
		if got := s.SOPSKeys.Identities(project); strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("project %q has %q, want %q", project, got, want)
		}
	}
	if len(s.Warnings) != 1 || s.Warnings[0].Object != "Secret none" {
		t.Errorf("warnings: %v", s.Warnings)
	}
}

func TestMalformedSOPSKeysAreWarnedOfWithoutTheirContent(t *testing.T) {
	s := settings.Parse(settings.Input{SOPSKeys: []settings.LabelledSecret{{
		Name: "keys", Data: map[string][]byte{"identity.agekey": []byte("AGE-SECRET-KEY-1HUNTER2"), "password": []byte("hunter2")},
	}}}, nil, nil)
	if len(s.Warnings) != 2 {
		t.Fatalf("warnings: %v", s.Warnings)
	}
	for _, w := range s.Warnings {
		if w.Object != "Secret keys" || w.Key == "" || strings.Contains(strings.ToLower(w.Message), "hunter2") {
			t.Errorf("warning: %v", w)
		}
	}
}

func TestSOPSKeysAreWatched(t *testing.T) {
	client := fake.NewClientset()
	store := start(t, settings.Options{Client: client, Namespace: ns})
	if id := store.Get().SOPSKeys.ID("shop"); id != "" {
		t.Fatalf("keys before there are any: %s", id)
	}
	readings := make(chan *settings.Settings, 100)
	defer store.Subscribe(func(s *settings.Settings) { readings <- s })()
	secret, public := ageIdentity(t)
	_, err := client.CoreV1().Secrets(ns).Create(t.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "keys", Namespace: ns, Labels: map[string]string{"fairlead.dev/secret-type": "sops-keys"}},
		Data:       map[string][]byte{"identity.agekey": []byte(secret)},
	}, metav1.CreateOptions{})
	must(t, err)
	s := await(t, readings, func(s *settings.Settings) bool { return s.SOPSKeys.ID("shop") != "" })
	if got := s.SOPSKeys.Identities("shop"); len(got) != 1 || got[0] != public {
		t.Errorf("got %q", got)
	}
}
