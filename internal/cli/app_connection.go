package cli

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fairlead-cd/fairlead/api/client"
	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// appConnection is where Applications are read: with a kubeconfig, or from the
// API of Fairlead when a server is given.
type appConnection struct {
	kubeconfig, namespace string
	server, token         string
	insecure, plaintext   bool
	authority             string
}

// defaultNamespace is where Applications are when nothing says otherwise.
const defaultNamespace = "argocd"

// list returns the Applications; of all namespaces that are honoured from the
// API, and of one from the cluster.
func (c *appConnection) list(ctx context.Context, selector string) ([]v1alpha1.Application, error) {
	list := &v1alpha1.ApplicationList{}
	if c.server != "" {
		err := c.get(ctx, "/api/v1/applications", url.Values{"selector": {selector}, "appNamespace": {c.namespace}}, list)
		return list.Items, err
	}
	apps, err := c.kubernetes()
	if err != nil {
		return nil, err
	}
	namespace := c.namespace
	if namespace == "" {
		namespace = defaultNamespace
	}
	if list, err = apps.Applications(namespace).List(ctx, metav1.ListOptions{LabelSelector: selector}); err != nil {
		return nil, fmt.Errorf("listing the Applications: %w", err)
	}
	return list.Items, nil
}

// application returns one Application; refresh asks the API to compare it before.
func (c *appConnection) application(ctx context.Context, name, refresh string) (*v1alpha1.Application, error) {
	namespace, bare := c.splitName(name)
	if c.server != "" {
		app := &v1alpha1.Application{}
		query := url.Values{"appNamespace": {namespace}}
		if refresh != "" {
			query.Set("refresh", refresh)
		}
		return app, c.get(ctx, "/api/v1/applications/"+url.PathEscape(bare), query, app)
	}
	if refresh != "" {
		return nil, fmt.Errorf("--refresh: %w", errNoServer)
	}
	apps, err := c.kubernetes()
	if err != nil {
		return nil, err
	}
	if namespace == "" {
		namespace = defaultNamespace
	}
	app, err := apps.Applications(namespace).Get(ctx, bare, metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("reading the Application %s in the namespace %s: %w", bare, namespace, err)
	}
	return app, nil
}

func (c *appConnection) kubernetes() (*client.Client, error) {
	config, err := loadRESTConfig(c.kubeconfig)
	if err != nil {
		return nil, err
	}
	return client.New(config)
}

var errNoServer = errors.New("this needs the API of Fairlead; give its address with --server or ARGOCD_SERVER")

// below is the path of a call about an Application, and the namespace to ask for.
func (c *appConnection) below(name, path string) (string, url.Values) {
	namespace, bare := c.splitName(name)
	return "/api/v1/applications/" + url.PathEscape(bare) + path, url.Values{"appNamespace": {namespace}}
}

// get reads an answer of the API.
func (c *appConnection) get(ctx context.Context, path string, query url.Values, into any) error {
	return c.call(ctx, http.MethodGet, path, query, nil, func(body io.Reader) error { return json.NewDecoder(body).Decode(into) })
}

// post sends a value to the API.
func (c *appConnection) post(ctx context.Context, path string, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return c.call(ctx, http.MethodPost, path, nil, body, func(io.Reader) error { return nil })
}

// stream reads the values of a stream until it ends.
func (c *appConnection) stream(ctx context.Context, path string, query url.Values, each func(json.RawMessage) error) error {
	return c.call(ctx, http.MethodGet, path, query, nil, func(body io.Reader) error {
		lines := bufio.NewScanner(body)
		lines.Buffer(nil, maxAnswerLine)
		for lines.Scan() {
			var message struct {
				Result json.RawMessage           `json:"result"`
				Error  *struct{ Message string } `json:"error"`
			}
			switch err := json.Unmarshal(lines.Bytes(), &message); {
			case len(bytes.TrimSpace(lines.Bytes())) == 0:
				continue
			case err != nil:
				return fmt.Errorf("reading the answer of %s: %w", c.server, err)
			case message.Error != nil:
				return errors.New(message.Error.Message)
			}
			if err := each(message.Result); err != nil {
				return err
			}
		}
		return lines.Err()
	})
}

// maxAnswerLine bounds one value of a stream.
const maxAnswerLine = 16 << 20

func (c *appConnection) call(ctx context.Context, method, path string, query url.Values, body []byte, read func(io.Reader) error) error {
	transport, err := c.transport()
	if err != nil {
		return err
	}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, method, c.address()+path+"?"+query.Encode(), bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("--server: %w", err)
	}
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return fmt.Errorf("asking the API: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusOK {
		return read(response.Body)
	}
	var failure struct{ Message string }
	data, _ := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if json.Unmarshal(data, &failure) != nil || failure.Message == "" {
		failure.Message = response.Status
	}
	return errors.New(failure.Message)
}

func (c *appConnection) address() string {
	if strings.Contains(c.server, "://") {
		return strings.TrimSuffix(c.server, "/")
	}
	if c.plaintext {
		return "http://" + c.server
	}
	return "https://" + c.server
}

func (c *appConnection) transport() (*http.Transport, error) {
	if c.server == "" {
		return nil, errNoServer
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: c.insecure} //nolint:gosec // the flag --insecure asks for it
	if c.authority != "" {
		pem, err := os.ReadFile(c.authority)
		if err != nil {
			return nil, fmt.Errorf("--server-crt: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("--server-crt: there is no certificate in %s", c.authority)
		}
	}
	return &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: config, ForceAttemptHTTP2: true}, nil
}
