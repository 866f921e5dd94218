package v1alpha1_test

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// Whoever adds a field must decide here whether the API may show it.
func TestSanitizedRepositoryShowsOnlyWhatIsPublic(t *testing.T) {
	repository := &v1alpha1.Repository{}
	fillStrings(reflect.ValueOf(repository).Elem())
	want := []string{
		"azureActiveDirectoryEndpoint", "azureServicePrincipalClientId", "azureServicePrincipalTenantId",
		"connectionState", "githubAppEnterpriseBaseUrl", "name", "noProxy", "project", "proxy", "repo",
		"type", "username",
	}
	if diff := cmp.Diff(want, shown(t, repository.Sanitized())); diff != "" {
		t.Errorf("fields with text (-want +got):\n%s", diff)
	}
	if repository.Password == "" {
		t.Error("the original lost its password")
	}
}

func TestSanitizedClusterShowsOnlyWhatIsPublic(t *testing.T) {
	cluster := &v1alpha1.Cluster{}
	fillStrings(reflect.ValueOf(cluster).Elem())
	cluster.Config.ExecProviderConfig = &v1alpha1.ExecProviderConfig{Args: []string{"--key=secret"}}
	config := cluster.Sanitized().Config
	if diff := cmp.Diff([]string{"proxyUrl", "tlsClientConfig"}, shown(t, config)); diff != "" {
		t.Errorf("fields with text (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"insecure", "serverName"}, shown(t, config.TLSClientConfig)); diff != "" {
		t.Errorf("fields of TLS with text (-want +got):\n%s", diff)
	}
}

// fillStrings sets every string and byte slice of a struct, and of structs in it.
func fillStrings(v reflect.Value) {
	for i := range v.NumField() {
		switch f := v.Field(i); f.Kind() {
		case reflect.String:
			f.SetString("x")
		case reflect.Slice:
			if f.Type().Elem().Kind() == reflect.Uint8 {
				f.SetBytes([]byte("x"))
			}
		case reflect.Struct:
			if f.CanSet() {
				fillStrings(f)
			}
		}
	}
}

// shown returns the names of fields that the JSON of a value has.
func shown(t *testing.T, value any) []string {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(data, &fields); err != nil {
		t.Fatal(err)
	}
	return slices.Sorted(maps.Keys(fields))
}
