package e2e

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// app runs `fairlead app` with the kubeconfig or, given a program, against its API.
func (a *application) app(t testing.TB, from *program, args ...string) (output string, status int) {
	t.Helper()
	line := append([]string{"app"}, args...)
	line = append(line, "--kubeconfig", a.kubeconfig, "--app-namespace", a.home)
	if from != nil {
		line = append(line, "--server", from.api(t), "--plaintext")
	}
	p, err := run(t.TempDir(), nil, line)
	if err != nil {
		t.Fatal(err)
	}
	<-p.exited
	if exit, ok := errors.AsType[*exec.ExitError](p.err); ok {
		status = exit.ExitCode()
	}
	return p.log.String(), status
}

func TestApplicationsAreShownOnTheCommandLine(t *testing.T) {
	t.Parallel()
	i := shared(t)
	p := common.program
	a := i.deploy(t, map[string]string{"web.yaml": talking("web", 1, "echo hello from web; sleep 100000"), "broken.yaml": deploymentYAML("broken", 1, brokenImage)}, automated)
	a.await(t, synced, func(app *v1alpha1.Application) error {
		if !strings.Contains(app.Status.Health.Message, "image") {
			return fmt.Errorf("the health is %+v", app.Status.Health)
		}
		return nil
	})
	for sentence, c := range map[string]struct {
		from *program
		args []string
		want []string
	}{
		"in a list, from the cluster": {nil, []string{"list"}, []string{a.home + "/" + a.name, "Synced", "Auto", "Deployment broken"}},
		"in a list, from the API":     {p, []string{"list", "-o", "wide"}, []string{a.home + "/" + a.name, "Synced", a.repo.URL(), "Deployment broken"}},
		"by its name":                 {p, []string{"list", "-o", "name"}, []string{a.home + "/" + a.name}},
		"alone, from the cluster":     {nil, []string{"get", a.name}, []string{"Health Status:", "Deployment broken", "image", "web"}},
		"alone, with what came of it": {p, []string{"get", a.name, "--refresh", "-o", "tree"}, []string{"Deployment/web", "└─ReplicaSet/web-", "  └─Pod/web-", "Healthy"}},
		"as YAML":                     {nil, []string{"get", a.name, "-o", "yaml"}, []string{"repoURL: " + a.repo.URL()}},
		"by its logs":                 {p, []string{"logs", a.name, "--kind", "Deployment", "--name", "web", "--prefix"}, []string{"[web-", "] hello from web"}},
		"by its Events":               {p, []string{"events", a.name, "--kind", "Deployment", "--resource-name", "web"}, []string{"ScalingReplicaSet"}},
		"by its actions":              {p, []string{"actions", "list", a.name, "--kind", "Deployment", "--resource-name", "web"}, []string{"restart", "scale", "replicas"}},
	} {
		t.Run(sentence, func(t *testing.T) {
			eventually(t, "the output", func() error {
				output, status := a.app(t, c.from, c.args...)
				if status != 0 || !containsAll(output, c.want) {
					return fmt.Errorf("exit status %d:\n%s", status, output)
				}
				return nil
			})
		})
	}
	t.Run("and acted on", func(t *testing.T) {
		if output, status := a.app(t, p, "actions", "run", a.name, "scale", "--kind", "Deployment", "--resource-name", "web", "--param", "replicas=2"); status != 0 {
			t.Fatalf("exit status %d:\n%s", status, output)
		}
		a.awaitReplicas(t, "web", 2)
	})
	for sentence, c := range map[string]struct {
		from *program
		args []string
		want string
	}{
		"logs without a server":            {nil, []string{"logs", a.name}, "--server"},
		"an Application that there is not": {p, []string{"get", "absent"}, `"absent" not found`},
		"an object that there is not":      {p, []string{"actions", "run", a.name, "restart", "--kind", "StatefulSet"}, "no object"},
		"an action on too many":            {p, []string{"actions", "run", a.name, "restart", "--kind", "Deployment"}, "2 objects fit"},
		"a container that does not exist":  {p, []string{"logs", a.name, "--name", "web", "-c", "absent"}, "absent"},
		"a format that there is not":       {nil, []string{"list", "-o", "xml"}, "choose one of"},
	} {
		t.Run("not "+sentence, func(t *testing.T) {
			if output, status := a.app(t, c.from, c.args...); status != 1 || !strings.Contains(output, c.want) {
				t.Errorf("exit status %d:\n%s", status, output)
			}
		})
	}
}

func TestApplicationsAreOperatedOnTheCommandLine(t *testing.T) {
	t.Parallel()
	i := shared(t)
	for name, from := range map[string]*program{"with a kubeconfig": nil, "by the API": common.program} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := i.deploy(t, map[string]string{"one.yaml": configMapYAML("one", "v", "1"), "two.yaml": configMapYAML("two")})
			command := func(status int, want string, args ...string) {
				t.Helper()
				if output, got := a.app(t, from, args...); got != status || !strings.Contains(output, want) {
					t.Fatalf("%q: exit status %d, want %d with %q:\n%s", args, got, status, want, output)
				}
			}
			a.await(t, outOfSync)
			command(0, "Succeeded: ", "sync", a.name)
			a.awaitData(t, "one", "v", "1")
			a.await(t, synced)
			a.push(t, map[string]string{"one.yaml": configMapYAML("one", "v", "2")})
			a.refresh(t, v1alpha1.RefreshTypeNormal)
			command(0, "Succeeded: ", "sync", a.name)
			a.awaitData(t, "one", "v", "2")
			a.await(t, synced)
			command(0, "Succeeded: ", "rollback", a.name)
			a.awaitData(t, "one", "v", "1")
			if output, status := a.app(t, from, "terminate-op", a.name); status != 1 || !strings.Contains(strings.ToLower(output), "no operation is") {
				t.Errorf("terminate-op: exit status %d:\n%s", status, output)
			}

			a.patch(t, `{"spec": {"syncPolicy": {"automated": {"prune": true}}}}`)
			a.awaitData(t, "one", "v", "2")
			a.await(t, synced)
			command(0, "pinned to 0", "rollback", a.name, "0", "--reason", "it broke")
			a.awaitData(t, "one", "v", "1")
			a.await(t, synced, hasCondition(v1alpha1.ApplicationConditionPinned, "it broke"))
			command(0, "", "unpin", a.name)
			a.awaitData(t, "one", "v", "2")
			command(1, "is not pinned", "unpin", a.name)

			command(1, "no changes wait", "approve", a.name)
			a.annotate(t, v1alpha1.AnnotationMaxPrune, "0")
			a.push(t, map[string]string{"-two.yaml": ""})
			a.refresh(t, v1alpha1.RefreshTypeNormal)
			a.await(t, hasCondition(v1alpha1.ApplicationConditionSyncHeld, "waits for approval"))
			command(0, "approved: waits for approval of", "approve", a.name)
			a.awaitGone(t, "two")
			app := a.await(t, synced, noConditions)
			if by := infoOf(app)["approved by"]; from == nil && (by == "" || by == "annotation") {
				t.Errorf("approved by %q", by)
			}
		})
	}
}
