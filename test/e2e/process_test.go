package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

func TestTheLogHasTheFormatOfTheNearestOrigin(t *testing.T) {
	t.Parallel()
	text := map[string]string{"controller.log.format": "text"}
	for name, test := range map[string]struct {
		args, env []string
		params    map[string]string
		isJSON    bool
	}{
		"text by default":                      {},
		"JSON by the flag":                     {args: []string{"--log-format=json"}, env: []string{"FAIRLEAD_LOG_FORMAT=text"}, params: text, isJSON: true},
		"JSON by the variable":                 {env: []string{"FAIRLEAD_LOG_FORMAT=json", "ARGOCD_LOG_FORMAT=text"}, params: text, isJSON: true},
		"JSON by the variable of Argo CD's":    {env: []string{"ARGOCD_LOG_FORMAT=json"}, params: text, isJSON: true},
		"JSON by the key of the ConfigMap":     {params: map[string]string{"controller.log.format": "json"}, isJSON: true},
		"text by the flag, before a variable":  {args: []string{"--log-format=text"}, env: []string{"FAIRLEAD_LOG_FORMAT=json"}},
		"text by the variable, before the key": {env: []string{"ARGOCD_LOG_FORMAT=text"}, params: map[string]string{"controller.log.format": "json"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := install(t)
			if test.params != nil {
				i.setIn(t, "argocd-cmd-params-cm", test.params)
			}
			p := i.start(t, test.env, test.args...)
			if err := p.stop(); err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(p.log.String()) {
				if isJSON := json.Valid([]byte(line)); isJSON != test.isJSON {
					t.Errorf("JSON: %t, want %t: %s", isJSON, test.isJSON, line)
				}
			}
		})
	}
}

func TestMetricsAndProbesAreServedAtSeveralAddresses(t *testing.T) {
	t.Parallel()
	i := install(t)
	p := i.start(t, nil, "--metrics-listen", "127.0.0.1:0,127.0.0.1:0", "--persist-resource-health")
	a := i.deploy(t, map[string]string{"web.yaml": deploymentYAML("web", 1, image)}, automated)
	app := a.await(t, synced, healthy)

	addresses := p.addresses()
	if len(addresses) != 3 {
		t.Fatalf("it serves at %q", addresses)
	}
	want := []string{
		"argocd_app_info{", fmt.Sprintf("name=%q", a.name), fmt.Sprintf("namespace=%q", a.namespace), fmt.Sprintf("dest_namespace=%q", a.into),
		`project="default"`, `sync_status="Synced"`, `health_status="Healthy"`, `autosync_enabled="true"`, fmt.Sprintf("repo=%q", a.repo.URL()),
	}
	for _, address := range addresses {
		for _, path := range []string{"/healthz", "/readyz"} {
			if _, err := get(t.Context(), "http://"+address+path); err != nil {
				t.Error(err)
			}
		}
		eventually(t, "the metrics", func() error {
			metrics, err := get(t.Context(), "http://"+address+"/metrics")
			if err != nil {
				return err
			}
			for line := range strings.Lines(metrics) {
				if strings.Contains(line, a.name) && containsAll(line, want) {
					return nil
				}
			}
			return fmt.Errorf("no line holds all of %q", want)
		})
	}
	t.Run("and the health of single objects is in the status on request", func(t *testing.T) {
		web := resourceOfStatus(app, "Deployment", "web")
		if web.Health == nil || web.Health.Status != v1alpha1.HealthStatusHealthy || app.Status.ResourceHealthSource != "" {
			t.Errorf("the status says of the Deployment: %+v, source %q", web, app.Status.ResourceHealthSource)
		}
	})
}

func TestTheAPISetsAnOperation(t *testing.T) {
	t.Parallel()
	i := install(t)
	p := i.begin(t, nil, "--disable-auth=false")
	if err := p.awaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	a := i.deploy(t, map[string]string{"one.yaml": configMapYAML("one", "v", "1")})
	a.await(t, outOfSync)
	url := "http://" + p.api(t)
	if _, status := post(t, url+"/api/v1/applications/"+a.name+"/sync", "", `{}`); status != http.StatusUnauthorized {
		t.Errorf("without a session: %d", status)
	}
	initial, err := i.kube.CoreV1().Secrets(i.namespace).Get(t.Context(), "argocd-initial-admin-secret", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	answer, status := post(t, url+"/api/v1/session", "", string(mustJSON(t, map[string]string{
		"username": "admin", "password": string(initial.Data["password"]),
	})))
	var session struct{ Token string }
	if err := json.Unmarshal(answer, &session); err != nil || status != http.StatusOK || session.Token == "" {
		t.Fatalf("log in: %d, %v: %s", status, err, answer)
	}
	if answer, status = post(t, url+"/api/v1/applications/"+a.name+"/sync", session.Token, `{"prune": true}`); status != http.StatusOK {
		t.Fatalf("sync: %d: %s", status, answer)
	}
	app := a.await(t, synced, noConditions, operationIs(v1alpha1.OperationSucceeded))
	a.mustBeLive(t, "one")
	if op := app.Status.OperationState.Operation; op.InitiatedBy.Username != "admin" || !op.Sync.Prune {
		t.Errorf("the operation was %+v", op)
	}
	if len(app.Status.History) != 1 || app.Status.History[0].InitiatedBy.Username != "admin" {
		t.Errorf("history = %+v", app.Status.History)
	}
}

// api returns the address of the API.
func (p *program) api(t testing.TB) string {
	t.Helper()
	match := servesAPI.FindStringSubmatch(p.log.String())
	if match == nil {
		t.Fatal("the API is not served")
	}
	return match[1]
}

func post(t testing.TB, url, token, body string) (answer []byte, status int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var text bytes.Buffer
	if _, err := text.ReadFrom(response.Body); err != nil {
		t.Fatal(err)
	}
	return text.Bytes(), response.StatusCode
}
