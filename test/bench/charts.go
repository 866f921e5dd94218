//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing/fstest"
	"time"

	"github.com/fairlead-cd/fairlead/test/gitserver"
	"github.com/fairlead-cd/fairlead/test/helmserver"
)

// chartMonorepo is a repository with a chart for each namespace, and the Helm
// repository that has the shared chart they depend on.
type chartMonorepo struct {
	git        *gitserver.Server
	repo       *gitserver.Repo
	charts     *helmserver.Server
	shared     helmserver.Chart
	namespaces int
	version    int // of the shared chart
	commits    int
}

// sharedChart is the chart of the example that most services are made of.
const sharedChart = "examples/monorepo/charts/shared/app"

func newChartMonorepo(ctx context.Context, dir string, namespaces int) (*chartMonorepo, error) {
	m := &chartMonorepo{namespaces: namespaces, charts: helmserver.New(helmserver.Options{})}
	var err error
	if m.shared, err = helmserver.FromFolder(os.DirFS(sharedChart)); err != nil {
		return nil, fmt.Errorf("reading %s: %w; run this from the root of the repository", sharedChart, err)
	}
	if m.git, err = gitserver.New(gitserver.Options{Dir: filepath.Join(dir, "git")}); err != nil {
		return nil, err
	}
	if err := m.publish(); err != nil {
		return nil, err
	}
	files := fstest.MapFS{"README.md": {Data: []byte("A generated monorepo.\n")}}
	for i := range namespaces {
		for name, content := range m.namespace(i) {
			files[name] = &fstest.MapFile{Data: []byte(content)}
		}
	}
	m.repo, err = m.git.CreateRepository(ctx, "monorepo.git", files)
	return m, err
}

func (m *chartMonorepo) close() {
	m.git.Close()
	m.charts.Close()
}

// publish adds the next version of the shared chart to the Helm repository.
func (m *chartMonorepo) publish() error {
	m.version++
	m.shared.Version = m.sharedVersion()
	m.shared.Files["Chart.yaml"] = fmt.Sprintf("apiVersion: v2\nname: %s\nversion: %s\n", m.shared.Name, m.shared.Version)
	if _, err := m.charts.Add(m.shared); err != nil {
		return fmt.Errorf("publishing the shared chart: %w", err)
	}
	return nil
}

func (m *chartMonorepo) sharedVersion() string { return fmt.Sprintf("2.%d.0", m.version) }

func namespaceFolder(i int) string { return fmt.Sprintf("namespaces/ns-%04d", i) }

// namespace is the files of one namespace.
func (m *chartMonorepo) namespace(i int) map[string]string {
	return map[string]string{
		namespaceFolder(i) + "/Chart.yaml": fmt.Sprintf(`apiVersion: v2
name: ns-%04d
version: 0.1.0
dependencies:
  - name: %s
    alias: web
    version: %s
    repository: %s
`, i, m.shared.Name, m.sharedVersion(), m.charts.URL()),
		namespaceFolder(i) + "/common-values.yaml": fmt.Sprintf(`web:
  image: {repository: registry.example.com/web, tag: 1.%d.0}
  replicas: 2
  service: {port: 80}
  ingress: {enabled: true, hosts: [web-%d]}
  config: {LOG_LEVEL: info, COMMIT: "%d"}
`, i, i, m.commits),
	}
}

func (m *chartMonorepo) changeOne() gitserver.Change {
	m.commits++
	name := namespaceFolder(m.namespaces/2) + "/common-values.yaml"
	return gitserver.Change{Message: "Change one namespace", Files: map[string]string{name: m.namespace(m.namespaces / 2)[name]}}
}

func (m *chartMonorepo) changeReadme() gitserver.Change {
	return gitserver.Change{Message: "Say more", Files: map[string]string{"README.md": "A generated monorepo, described.\n"}}
}

// changeChart publishes a version of the shared chart and moves all to it.
func (m *chartMonorepo) changeChart() (gitserver.Change, error) {
	if err := m.publish(); err != nil {
		return gitserver.Change{}, err
	}
	change := gitserver.Change{Message: "Take the new shared chart", Files: map[string]string{}}
	for i := range m.namespaces {
		name := namespaceFolder(i) + "/Chart.yaml"
		change.Files[name] = m.namespace(i)[name]
	}
	return change, nil
}

// forked is how many namespaces are rendered by helm itself.
const forked = 50

// compareWithHelm renders some of the namespaces by forking `helm template`
// for each, with the dependency already in place, and prints how many times
// the processor time of the component this is.
func (b *renderBench) compareWithHelm(ctx context.Context, dir string) error {
	m := b.monorepo
	helm := filepath.Join(dir, "helm")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", helm, "helm.sh/helm/v4/cmd/helm").CombinedOutput(); err != nil {
		return fmt.Errorf("building helm: %w: %s", err, out)
	}
	archive, err := m.shared.Pack()
	if err != nil {
		return err
	}
	count := min(forked, m.namespaces)
	var cpu time.Duration
	for i := range count {
		work := filepath.Join(dir, "forked")
		for name, content := range m.namespace(i) {
			if err := writeFile(filepath.Join(work, name), []byte(content)); err != nil {
				return err
			}
		}
		folder := filepath.Join(work, namespaceFolder(i))
		if err := writeFile(filepath.Join(folder, "charts", m.shared.Name+"-"+m.sharedVersion()+".tgz"), archive); err != nil {
			return err
		}
		cmd := exec.CommandContext(ctx, helm, "template", "web", folder, "--namespace", "web", "--kube-version", "1.36.3",
			"--values", filepath.Join(folder, "common-values.yaml"))
		var stderr strings.Builder
		cmd.Stderr = &stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("helm template: %w: %s", err, stderr.String())
		}
		cpu += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	each, ours := cpu/time.Duration(count), b.coldCPU/time.Duration(m.namespaces)
	fmt.Printf("%-52s %8s    %7.2f CPU-s  for each; %.2f ms here, %.0f times less\n", "helm template, forked", "",
		each.Seconds(), float64(ours.Microseconds())/1000, float64(each)/float64(max(ours, 1)))
	return nil
}

func writeFile(name string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, content, 0o600)
}
