//go:build linux

package main

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/fairlead-cd/fairlead/test/helmserver"
)

// syncEngine measures first syncs, commits and hand-made changes of Helm applications, each a chart of the monorepo with a
// dependency from a Helm repository. Commits are told by webhooks. What one commit costs should not depend on the number of
// Applications.
func syncEngine(ctx context.Context, o options) error {
	for text := range strings.SplitSeq(o.sizes, ",") {
		size, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || size < 2 {
			return fmt.Errorf("-sizes: %q is not a number of Applications from 2 up", text)
		}
		fmt.Printf("\n%d Helm applications\n", size)
		o.applications = size
		if err := runScenarios(ctx, o, (*bench).syncScenarios); err != nil {
			return fmt.Errorf("with %d applications: %w", size, err)
		}
	}
	return nil
}

func (b *bench) syncScenarios() []scenario {
	return []scenario{
		{"first sync", b.firstSync},
		{"until all are healthy", b.untilHealthy},
		{"a commit that changes one application, by webhook", b.commitOne},
		{"a hand-made change put back", b.selfHeal},
		{"a commit that changes all, by webhook", b.commitAll},
	}
}

// serveChart serves the chart that all Applications depend on. It gives the objects of the floor.
func (b *bench) serveChart() error {
	b.charts = helmserver.New(helmserver.Options{})
	_, err := b.charts.Add(helmserver.Chart{Name: "service", Version: "1.0.0", Files: map[string]string{
		"Chart.yaml":             "apiVersion: v2\nname: service\nversion: 1.0.0\n",
		"templates/objects.yaml": manifest("{{ .Values.revision }}"),
	}})
	return err
}

// tell says that the monorepo was pushed to: by a webhook, or by asking one Application for a refresh.
func (b *bench) tell(ctx context.Context, i int) error {
	if b.charts == nil {
		return b.refresh(ctx, i)
	}
	payload := fmt.Sprintf(`{"ref":"refs/heads/main","repository":{"html_url":%q,"default_branch":"main"}}`, strings.TrimSuffix(b.repo.URL(), ".git"))
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+b.api+"/api/webhook", strings.NewReader(payload))
	if err != nil {
		return err
	}
	request.Header.Set("X-GitHub-Event", "push")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("sending a webhook: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the webhook is answered by %s", response.Status)
	}
	return nil
}
