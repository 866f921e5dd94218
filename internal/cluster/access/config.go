package access

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"path"
	"slices"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// Parse reads the key config of a cluster's Secret; none is the zero value.
func Parse(data []byte) (v1alpha1.ClusterConfig, error) {
	var config v1alpha1.ClusterConfig
	if len(data) == 0 {
		return config, nil
	}
	err := json.Unmarshal(data, &config)
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return v1alpha1.ClusterConfig{}, fmt.Errorf("config is not what is expected: %s has to be a %s", wrong.Field, wrong.Type.Kind())
	}
	if err != nil { // its text may quote the credential
		return v1alpha1.ClusterConfig{}, errors.New("config is no JSON object, or a certificate or key in it is not in base64")
	}
	return config, nil
}

// HasCredentials tells whether the configuration says who to be. The cluster of the control plane is reached as the
// control plane's own identity when it does not.
func HasCredentials(c v1alpha1.ClusterConfig) bool {
	return c.Username != "" || c.Password != "" || c.BearerToken != "" || len(c.CertData) > 0 || c.AWSAuthConfig != nil || c.ExecProviderConfig != nil
}

// RESTConfig returns how the API server at an address is reached. The error tells what cannot be used.
func RESTConfig(server string, c v1alpha1.ClusterConfig) (*rest.Config, error) {
	out := &rest.Config{
		Host: server,
		TLSClientConfig: rest.TLSClientConfig{
			Insecure: c.Insecure, ServerName: c.ServerName, CertData: c.CertData, KeyData: c.KeyData, CAData: c.CAData,
		},
		DisableCompression: c.DisableCompression,
	}
	proxy, err := proxyOf(c.ProxyUrl)
	if err != nil {
		return nil, err
	}
	out.Proxy = proxy
	switch {
	case c.AWSAuthConfig != nil:
		authenticate(out, awsTokens(*c.AWSAuthConfig))
	case c.ExecProviderConfig != nil:
		if err := program(out, *c.ExecProviderConfig); err != nil {
			return nil, err
		}
	default:
		out.Username, out.Password, out.BearerToken = c.Username, c.Password, c.BearerToken
	}
	// Certificates and keys that do not fit together show here, and not at the first request.
	if _, err := rest.TLSConfigFor(out); err != nil {
		return nil, fmt.Errorf("tlsClientConfig or the credentials cannot be used: %w", err)
	}
	return out, nil
}

// proxyOf reads proxyUrl. Without one, the environment's proxy holds, as it does everywhere.
func proxyOf(text string) (func(*http.Request) (*url.URL, error), error) {
	if text == "" {
		return http.ProxyFromEnvironment, nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return nil, errors.New("proxyUrl is no URL such as http://proxy.example.com:3128")
	}
	if !slices.Contains([]string{"http", "https", "socks5"}, u.Scheme) {
		return nil, fmt.Errorf("proxyUrl begins with %s://; http, https and socks5 are supported", u.Scheme)
	}
	return http.ProxyURL(u), nil
}

// argoHelper is the program that Argo CD's images carry; what it does is done here.
const argoHelper = "argocd-k8s-auth"

// program gets credentials from a program, or in its place.
func program(out *rest.Config, c v1alpha1.ExecProviderConfig) error {
	if path.Base(c.Command) == argoHelper {
		tokens, err := helperTokens(c)
		if err != nil {
			return err
		}
		authenticate(out, tokens)
		return nil
	}
	if c.Command == "" {
		return errors.New("execProviderConfig names no command")
	}
	env := make([]clientcmdapi.ExecEnvVar, 0, len(c.Env))
	for _, name := range slices.Sorted(maps.Keys(c.Env)) {
		env = append(env, clientcmdapi.ExecEnvVar{Name: name, Value: c.Env[name]})
	}
	out.ExecProvider = &clientcmdapi.ExecConfig{
		Command: c.Command, Args: c.Args, Env: env, APIVersion: c.APIVersion, InstallHint: c.InstallHint,
		ProvideClusterInfo: c.ProvideClusterInfo, InteractiveMode: clientcmdapi.NeverExecInteractiveMode,
	}
	if c.Config != nil && len(c.Config.Raw) > 0 {
		out.ExecProvider.Config = &runtime.Unknown{Raw: c.Config.Raw, ContentType: runtime.ContentTypeJSON}
	}
	return nil
}
