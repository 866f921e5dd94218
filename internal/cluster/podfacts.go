package cluster

import (
	"encoding/json"
	"slices"
	"time"
)

type podStatus struct {
	Phase                 string            `json:"phase"`
	Reason                string            `json:"reason"`
	Message               string            `json:"message"`
	InitContainerStatuses []containerStatus `json:"initContainerStatuses"`
	ContainerStatuses     []containerStatus `json:"containerStatuses"`
	Conditions            []struct {
		Type, Status, Reason, Message string
		LastTransitionTime            time.Time
	} `json:"conditions"`
}

type containerStatus struct {
	Name         string         `json:"name"`
	Image        string         `json:"image"`
	Ready        bool           `json:"ready"`
	RestartCount int            `json:"restartCount"`
	State        containerState `json:"state"`
	LastState    containerState `json:"lastState"`
}

type containerState struct {
	Waiting    *struct{ Reason, Message string } `json:"waiting"`
	Terminated *struct {
		Reason   string
		ExitCode int
	} `json:"terminated"`
}

func (d *decoder) podFacts(spec, status []byte) (*PodFacts, error) {
	var s struct {
		NodeName                   string `json:"nodeName"`
		InitContainers, Containers []containerSpec
	}
	var st podStatus
	if spec != nil {
		if err := json.Unmarshal(spec, &s); err != nil {
			return nil, err
		}
	}
	if status != nil {
		if err := json.Unmarshal(status, &st); err != nil {
			return nil, err
		}
	}
	f := &PodFacts{Phase: d.strings.of(st.Phase), Reason: d.strings.of(st.Reason), Node: d.strings.of(s.NodeName), Containers: len(s.Containers),
		Requests: podRequests(s.InitContainers, s.Containers)}
	images := make(map[string]string, len(s.Containers))
	for _, c := range slices.Concat(s.InitContainers, s.Containers) {
		image := d.strings.of(c.Image)
		images[c.Name] = image
		if !slices.Contains(f.Images, image) {
			f.Images = append(f.Images, image)
		}
	}
	for _, c := range st.ContainerStatuses {
		if c.Ready {
			f.Ready++
		}
		f.Restarts += c.RestartCount
	}
	d.trouble(f, st, images)
	return f, nil
}

// trouble finds the most telling reason why a pod does not do what it should, and since when that is so.
func (d *decoder) trouble(f *PodFacts, st podStatus, images map[string]string) {
	t := Trouble{Message: st.Message}
	if f.Reason == "" {
		for _, c := range slices.Concat(st.InitContainerStatuses, st.ContainerStatuses) {
			if reason, message, code, ok := c.trouble(); ok {
				f.Reason = d.strings.of(reason)
				t = Trouble{Container: d.strings.of(c.Name), Image: images[c.Name], Message: message, ExitCode: code}
				break
			}
		}
	}
	over := st.Phase == "Succeeded"
	for _, c := range st.Conditions {
		switch {
		case c.Status == "True" || over:
		case c.Type == "PodScheduled":
			t.Since = c.LastTransitionTime
			if f.Reason == "" {
				f.Reason, t.Message = d.strings.of(c.Reason), c.Message
			}
		case c.Type == "Ready" && t.Since.IsZero():
			t.Since = c.LastTransitionTime
		}
	}
	if f.Reason == "" && !t.Since.IsZero() {
		for _, c := range st.ContainerStatuses {
			if !c.Ready {
				t.Container, t.Image = d.strings.of(c.Name), images[c.Name]
				break
			}
		}
	}
	if len(t.Message) > messageLimit {
		t.Message = t.Message[:messageLimit]
	}
	if f.Reason != "" || !t.Since.IsZero() {
		f.Trouble = &t
	}
}

// messageLimit bounds what is kept of a message, since there may be as many as pods.
const messageLimit = 300

func (c containerStatus) trouble() (reason, message string, code int, ok bool) {
	switch waiting, ended := c.State.Waiting, c.State.Terminated; {
	case waiting != nil && waiting.Reason != "" && waiting.Reason != "ContainerCreating" && waiting.Reason != "PodInitializing":
		if last := c.LastState.Terminated; last != nil {
			code = last.ExitCode
			if last.Reason == "OOMKilled" {
				return last.Reason, waiting.Message, code, true
			}
		}
		return waiting.Reason, waiting.Message, code, true
	case ended != nil && ended.ExitCode != 0:
		return ended.Reason, "", ended.ExitCode, true
	default:
		return "", "", 0, false
	}
}
