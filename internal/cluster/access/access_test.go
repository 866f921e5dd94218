package access

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/client-go/rest"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

func TestEachWayToAuthenticateIsSentWithRequests(t *testing.T) {
	program := filepath.Join(t.TempDir(), "credentials")
	script := "#!/bin/sh\ncat <<END\n{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\"status\":{\"token\":\"$GREETING-$1\"}}\nEND\n"
	if err := os.WriteFile(program, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct{ config, want string }{
		"a bearer token":        {`{"bearerToken":"token-a"}`, "Bearer token-a"},
		"a name and a password": {`{"username":"name-a","password":"word-a"}`, "Basic " + base64.StdEncoding.EncodeToString([]byte("name-a:word-a"))},
		"nothing":               {``, ""},
		"a program, with its arguments and environment": {
			`{"execProviderConfig":{"command":"` + program + `","args":["arg"],"env":{"GREETING":"hello"},"apiVersion":"client.authentication.k8s.io/v1","installHint":"install it","config":{"a":1},"provideClusterInfo":true}}`,
			"Bearer hello-arg",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got string
			server := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header.Get("Authorization") }))
			defer server.Close()
			config, err := Parse([]byte(tc.config))
			if err != nil {
				t.Fatal(err)
			}
			config.CAData = pemOf(server)
			request(t, server.URL, config)
			if got != tc.want {
				t.Errorf("the header is %q, want %q", got, tc.want)
			}
		})
	}
}

func pemOf(s *httptest.Server) []byte {
	return []byte("-----BEGIN CERTIFICATE-----\n" + base64.StdEncoding.EncodeToString(s.Certificate().Raw) + "\n-----END CERTIFICATE-----\n")
}

func request(t *testing.T, server string, config v1alpha1.ClusterConfig) {
	t.Helper()
	made, err := RESTConfig(server, config)
	if err != nil {
		t.Fatal(err)
	}
	client, err := rest.HTTPClientFor(made)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Get(server + "/version")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
}

func TestRequestsGoThroughTheProxy(t *testing.T) {
	asked := false
	proxy := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked = r.Host == "cluster.example.com" }))
	defer proxy.Close()
	request(t, "http://cluster.example.com", v1alpha1.ClusterConfig{ProxyUrl: proxy.URL})
	if !asked {
		t.Error("the proxy was not asked for the cluster")
	}
}

func TestWhatCannotBeUsedIsSaidWithoutCredentials(t *testing.T) {
	for name, tc := range map[string]struct{ config, want string }{
		"no JSON":                         {`bearerToken: secret-a`, "no JSON object"},
		"a token that is a number":        {`{"bearerToken":12345}`, "bearerToken has to be a string"},
		"a key that is not in base64":     {`{"tlsClientConfig":{"keyData":"secret-a!"}}`, "not in base64"},
		"a certificate that is none":      {`{"tlsClientConfig":{"certData":"c2VjcmV0LWE=","keyData":"c2VjcmV0LWE="}}`, "cannot be used"},
		"an authority without checking":   {`{"tlsClientConfig":{"insecure":true,"caData":"c2VjcmV0LWE="}}`, "insecure"},
		"a proxy of another protocol":     {`{"proxyUrl":"ftp://proxy.example.com"}`, "http, https and socks5"},
		"a proxy that is no address":      {`{"proxyUrl":"proxy"}`, "no URL"},
		"a program without a name":        {`{"execProviderConfig":{"args":["a"]}}`, "no command"},
		"the helper without a provider":   {`{"execProviderConfig":{"command":"argocd-k8s-auth"}}`, "aws, gcp or azure"},
		"the helper for AWS, no cluster":  {`{"execProviderConfig":{"command":"argocd-k8s-auth","args":["aws"]}}`, "--cluster-name"},
		"the helper with a wrong flag":    {`{"execProviderConfig":{"command":"argocd-k8s-auth","args":["aws","--cluster","a"]}}`, "arguments of argocd-k8s-auth"},
		"a password and a bearer token":   {`{"username":"a","password":"secret-a","bearerToken":"secret-b"}`, "not both"},
		"a list in the place of a config": {`[]`, "has to be a"},
	} {
		t.Run(name, func(t *testing.T) {
			config, err := Parse([]byte(tc.config))
			if err == nil {
				_, err = RESTConfig("https://cluster.example.com", config)
			}
			if err == nil {
				_, err = rest.HTTPClientFor(must(RESTConfig("https://cluster.example.com", config)))
			}
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("the error is %v, want one with %q", err, tc.want)
			}
			if err != nil && (strings.Contains(err.Error(), "secret-") || strings.Contains(err.Error(), "12345")) {
				t.Errorf("the error holds a credential: %v", err)
			}
		})
	}
}

func must(c *rest.Config, _ error) *rest.Config { return c }

func TestATokenForEKSIsASignedRequestForThisCluster(t *testing.T) {
	dir := t.TempDir()
	shared := filepath.Join(dir, "config")
	if err := os.WriteFile(shared, []byte("[profile other]\naws_access_key_id = AKIDOTHER\naws_secret_access_key = other\nregion = eu-west-1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDMAIN")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "main")
	t.Setenv("AWS_REGION", "")
	t.Setenv("AWS_CONFIG_FILE", shared)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(dir, "none"))
	for name, tc := range map[string]struct {
		source    tokenSource
		key, host string
	}{
		"the identity of this process": {awsTokens(v1alpha1.AWSAuthConfig{ClusterName: "shop"}), "AKIDMAIN", "sts.us-east-1.amazonaws.com"},
		"a profile":                    {awsTokens(v1alpha1.AWSAuthConfig{ClusterName: "shop", Profile: "other"}), "AKIDOTHER", "sts.eu-west-1.amazonaws.com"},
		"the helper's arguments":       {helper(t, "aws", "--cluster-name", "shop"), "AKIDMAIN", "sts.us-east-1.amazonaws.com"},
	} {
		t.Run(name, func(t *testing.T) {
			if strings.Contains(tc.key, "OTHER") {
				t.Setenv("AWS_ACCESS_KEY_ID", "")
				t.Setenv("AWS_SECRET_ACCESS_KEY", "")
			}
			token, err := tc.source(context.Background()) //nolint:usetesting // the test's own is no different
			if err != nil {
				t.Fatal(err)
			}
			encoded, ok := strings.CutPrefix(token.AccessToken, "k8s-aws-v1.")
			raw, err := base64.RawURLEncoding.DecodeString(encoded)
			if !ok || err != nil {
				t.Fatalf("the token is %q: %v", token.AccessToken, err)
			}
			u, err := url.Parse(string(raw))
			if err != nil {
				t.Fatal(err)
			}
			q := u.Query()
			if u.Host != tc.host || q.Get("Action") != "GetCallerIdentity" || q.Get("X-Amz-Expires") != "60" ||
				!strings.Contains(q.Get("X-Amz-SignedHeaders"), "x-k8s-aws-id") || !strings.HasPrefix(q.Get("X-Amz-Credential"), tc.key+"/") || q.Get("X-Amz-Signature") == "" {
				t.Errorf("the request is %s", u)
			}
			if token.Expiry.IsZero() {
				t.Error("the token is for ever")
			}
		})
	}
}

func helper(t *testing.T, args ...string) tokenSource {
	t.Helper()
	source, err := helperTokens(v1alpha1.ExecProviderConfig{Command: "argocd-k8s-auth", Args: args})
	if err != nil {
		t.Fatal(err)
	}
	return source
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"bearerToken":"a","tlsClientConfig":{"insecure":true}}`))
	f.Add([]byte(`{"execProviderConfig":{"command":"argocd-k8s-auth","args":["aws","--cluster-name","a"]}}`))
	f.Fuzz(func(_ *testing.T, data []byte) {
		config, err := Parse(data)
		if err == nil {
			_, _ = RESTConfig("https://cluster.example.com", config)
		}
	})
}
