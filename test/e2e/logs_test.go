package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// entry is one line of a log.
type entry struct {
	Content, TimeStampStr, PodName string
	TimeStamp                      time.Time
	Last                           bool
}

// lines reads a stream of the API, one JSON value in each line or, for browsers, in each event, and calls each until it
// returns false. It returns the error that the stream ends with.
func lines[T any](ctx context.Context, url, accept string, each func(T) bool) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	request.Header.Set("Accept", accept)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	scanner := bufio.NewScanner(response.Body)
	scanner.Buffer(nil, 16<<20)
	for scanner.Scan() {
		text, _ := strings.CutPrefix(scanner.Text(), "data: ")
		if text == "" || text == ":" {
			continue
		}
		var m struct {
			Result *T
			Error  json.RawMessage
		}
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			return fmt.Errorf("%w: %s", err, text)
		}
		if m.Result == nil {
			return fmt.Errorf("%s: %s", response.Status, text)
		}
		if !each(*m.Result) {
			return nil
		}
	}
	return scanner.Err()
}

// talking is a Deployment whose containers say something.
func talking(name string, replicas int, script string) string {
	return strings.Replace(deploymentYAML(name, replicas, image), fmt.Sprintf("image: %q}", image), fmt.Sprintf("image: %q, command: [sh, -c, %q]}", image, script), 1)
}

func TestLogsOfAnApplicationAreStreamed(t *testing.T) {
	t.Parallel()
	i := shared(t)
	p := common.program
	a := i.deploy(t, map[string]string{
		"web.yaml":  talking("web", 2, "echo Hello one; echo hello two; sleep 100000"),
		"side.yaml": talking("side", 1, "echo side; sleep 100000"),
	}, automated)
	a.await(t, settled...)
	pods := a.pods(t)
	webPod := pods[slices.IndexFunc(pods, func(p corev1.Pod) bool { return p.Labels["app"] == "web" })].Name
	read := func(path, accept string, query ...string) ([]string, entry, error) {
		var out []string
		var last entry
		err := lines(t.Context(), p.of(t, a, path, query...), accept, func(e entry) bool {
			if last = e; !e.Last {
				out = append(out, e.Content)
				if e.TimeStamp.IsZero() || !strings.HasPrefix(e.TimeStampStr, "20") || e.PodName == "" {
					t.Errorf("the entry is %+v", e)
				}
			}
			return true
		})
		slices.Sort(out)
		return out, last, err
	}
	const both = "Hello one|hello two"
	for sentence, c := range map[string]struct {
		path, want string
		accept     string
		query      []string
	}{
		"of all pods":               {path: "/logs", want: "Hello one|Hello one|hello two|hello two|side"},
		"for browsers":              {path: "/logs", accept: "text/event-stream", want: "Hello one|Hello one|hello two|hello two|side"},
		"of an object":              {path: "/logs", query: []string{"kind", "Deployment", "group", "apps", "resourceName", "side"}, want: "side"},
		"of a pod":                  {path: "/pods/" + webPod + "/logs", query: []string{"container", "app", "namespace", a.into}, want: both},
		"of a pod in the query":     {path: "/logs", query: []string{"podName", webPod}, want: both},
		"the last lines":            {path: "/pods/" + webPod + "/logs", query: []string{"tailLines", "1"}, want: "hello two"},
		"that hold a text":          {path: "/pods/" + webPod + "/logs", query: []string{"filter", "hello"}, want: both},
		"that hold it in its case":  {path: "/pods/" + webPod + "/logs", query: []string{"filter", "hello", "matchCase", "true"}, want: "hello two"},
		"that do not hold a text":   {path: "/pods/" + webPod + "/logs", query: []string{"filter", "!two"}, want: "Hello one"},
		"since a time":              {path: "/pods/" + webPod + "/logs", query: []string{"sinceSeconds", "3600"}, want: both},
		"since a time that comes":   {path: "/pods/" + webPod + "/logs", query: []string{"sinceTime", time.Now().Add(time.Hour).UTC().Format(time.RFC3339)}},
		"until a time long ago":     {path: "/pods/" + webPod + "/logs", query: []string{"untilTime", "2020-01-01T00:00:00Z"}},
		"of no pods":                {path: "/logs", query: []string{"resourceName", "nothing"}},
		"of somebody else's pod":    {path: "/pods/coredns/logs", query: []string{"namespace", "kube-system"}},
		"of a pod in no such space": {path: "/pods/" + webPod + "/logs", query: []string{"namespace", "kube-system"}},
	} {
		t.Run(sentence, func(t *testing.T) {
			eventually(t, "the lines", func() error {
				got, last, err := read(c.path, c.accept, c.query...)
				if err != nil || strings.Join(got, "|") != c.want || !last.Last {
					return fmt.Errorf("they are %q, and at the end %+v, %w", got, last, err)
				}
				return nil
			})
		})
	}
	for sentence, c := range map[string]struct{ path, name, value, want string }{
		"a bad time":                        {"/logs", "untilTime", "soon", "invalid untilTime"},
		"a bad number":                      {"/logs", "tailLines", "many", "invalid tailLines"},
		"an instance that there was not":    {"/pods/" + webPod + "/logs", "previous", "true", "previous"},
		"a container that there is not":     {"/pods/" + webPod + "/logs", "container", "absent", "absent"},
		"an application that there is not ": {"-absent/logs", "follow", "true", "404"},
	} {
		if _, _, err := read(c.path, "", c.name, c.value); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", sentence, err)
		}
	}
}

func TestLogsAreFollowed(t *testing.T) {
	t.Parallel()
	i := shared(t)
	p := common.program
	a := i.deploy(t, map[string]string{"web.yaml": talking("web", 1, "echo begun; sleep 2; echo goes on; sleep 100000")}, automated)
	a.await(t, settled...)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var got []string
	err := lines(ctx, p.of(t, a, "/logs", "follow", "true"), "text/event-stream", func(e entry) bool {
		got = append(got, e.Content)
		return e.Content != "goes on"
	})
	if err != nil || !slices.Equal(got, []string{"begun", "goes on"}) {
		t.Errorf("the lines are %q, %v", got, err)
	}
}

func TestLogsOfManyPodsAreRefused(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.set(t, map[string]string{"server.maxPodLogsToRender": "1"})
	p := i.start(t, nil)
	a := i.deploy(t, map[string]string{"web.yaml": deploymentYAML("web", 2, image)}, automated)
	a.await(t, settled...)
	err := lines(t.Context(), p.of(t, a, "/logs"), "", func(entry) bool { return true })
	if err == nil || !containsAll(err.Error(), []string{"400", "max pods to view logs are reached"}) {
		t.Errorf("the answer is %v", err)
	}
}

func TestTheTreeOfAnApplicationIsStreamed(t *testing.T) {
	t.Parallel()
	i := shared(t)
	p := common.program
	a := i.deploy(t, map[string]string{"web.yaml": deploymentYAML("web", 1, image)}, automated)
	a.await(t, settled...)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	url := strings.Replace(p.of(t, a, "/resource-tree"), "/api/v1/", "/api/v1/stream/", 1)
	trees, scaled := 0, false
	err := lines(ctx, url, "text/event-stream", func(tree v1alpha1.ApplicationTree) bool {
		trees++
		pods := 0
		for _, n := range tree.Nodes {
			if n.Kind == "Pod" {
				pods++
			}
		}
		if !scaled && pods == 1 {
			scaled = true
			a.scale(t, "web", 3)
		}
		return pods != 3
	})
	if err != nil || trees < 2 {
		t.Errorf("%d trees, %v", trees, err)
	}

	// The stream ends with the Application.
	ended := make(chan error, 1)
	begun := make(chan struct{}, 100)
	go func() {
		ended <- lines(ctx, url, "", func(v1alpha1.ApplicationTree) bool {
			select {
			case begun <- struct{}{}:
			default:
			}
			return true
		})
	}()
	<-begun
	if err := a.argo.Applications(a.home).Delete(t.Context(), a.name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("the stream ends with %v", err)
	}
}
