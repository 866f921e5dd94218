package e2e

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

type terminalMessage struct {
	Operation string `json:"operation"`
	Data      string `json:"data"`
	Rows      int    `json:"rows"`
	Cols      int    `json:"cols"`
}

// terminal opens a terminal as a page does.
func (p *program) terminal(t testing.TB, a *application, header http.Header, query ...string) (*websocket.Conn, int, error) {
	t.Helper()
	v := url.Values{"appName": {a.name}, "appNamespace": {a.home}, "projectName": {"default"}, "namespace": {a.into}, "container": {"app"}}
	for n := 0; n+1 < len(query); n += 2 {
		v.Set(query[n], query[n+1])
	}
	conn, response, err := websocket.DefaultDialer.DialContext(t.Context(), "ws://"+p.api(t)+"/terminal?"+v.Encode(), header)
	status := 0
	if response != nil {
		status = response.StatusCode
		response.Body.Close()
	}
	if err == nil {
		t.Cleanup(func() { conn.Close() })
	}
	return conn, status, err
}

// typeLine types a line.
func typeLine(t testing.TB, conn *websocket.Conn, text string) {
	t.Helper()
	if err := conn.WriteJSON(terminalMessage{Operation: "stdin", Data: text + "\n"}); err != nil {
		t.Fatal(err)
	}
}

// awaitOutput reads until the output holds a text; all of it is returned when the terminal closes.
func awaitOutput(t testing.TB, conn *websocket.Conn, want string) string {
	t.Helper()
	var out strings.Builder
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	for {
		_, data, err := conn.ReadMessage()
		if err != nil {
			if want == "" && websocket.IsCloseError(err, websocket.CloseNormalClosure) {
				return out.String()
			}
			t.Fatalf("reading the terminal: %v; the output so far is %q", err, out.String())
		}
		var m terminalMessage
		if err := json.Unmarshal(data, &m); err != nil || m.Operation != "stdout" {
			t.Fatalf("the message is %s, %v", data, err)
		}
		out.WriteString(m.Data)
		if want != "" && strings.Contains(out.String(), want) {
			return out.String()
		}
	}
}

func TestATerminalOpensInAContainer(t *testing.T) {
	t.Parallel()
	i := install(t)
	p := i.start(t, nil)
	a := i.deploy(t, map[string]string{"web.yaml": deploymentYAML("web", 1, image)}, automated)
	a.await(t, settled...)
	pod := a.pods(t)[0].Name
	if _, status, err := p.terminal(t, a, nil, "pod", pod); status != http.StatusNotFound {
		t.Errorf("where terminals are not enabled: %d, %v", status, err)
	}
	i.set(t, map[string]string{"exec.enabled": "true"})
	eventually(t, "the setting", func() error {
		conn, _, err := p.terminal(t, a, nil, "pod", pod)
		if err == nil {
			conn.Close()
		}
		return err
	})

	t.Run("and answers", func(t *testing.T) {
		conn, _, err := p.terminal(t, a, nil, "pod", pod, "shell", "sh")
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.WriteJSON(terminalMessage{Operation: "resize", Rows: 30, Cols: 100}); err != nil {
			t.Fatal(err)
		}
		typeLine(t, conn, "echo grüße-$HOSTNAME")
		awaitOutput(t, conn, "grüße-")
		typeLine(t, conn, "exit")
		awaitOutput(t, conn, "")
	})
	t.Run("for a page of ours alone", func(t *testing.T) {
		if _, status, err := p.terminal(t, a, http.Header{"Origin": {"https://evil.example.com"}}, "pod", pod); status != http.StatusForbidden {
			t.Errorf("%d, %v", status, err)
		}
		if _, _, err := p.terminal(t, a, http.Header{"Origin": {"http://" + p.api(t)}}, "pod", pod); err != nil {
			t.Error(err)
		}
	})
	for sentence, query := range map[string][]string{
		"a pod of somebody else":        {"pod", "coredns", "namespace", "kube-system"},
		"a container that there is not": {"pod", pod, "container", "absent"},
		"nothing":                       {"pod", ""},
	} {
		t.Run("not in "+sentence, func(t *testing.T) {
			if _, status, err := p.terminal(t, a, nil, query...); status != http.StatusBadRequest {
				t.Errorf("%d, %v", status, err)
			}
		})
	}
	t.Run("not by the name of another project", func(t *testing.T) {
		if _, status, err := p.terminal(t, a, nil, "pod", pod, "projectName", "other"); status != http.StatusNotFound {
			t.Errorf("%d, %v", status, err)
		}
	})
}
