package inspect

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// LogRequest says which lines are wanted.
type LogRequest struct {
	// Pods are the pods whose lines are wanted, in one order of time.
	Pods []types.NamespacedName
	// Container is the container; empty for the only or the default one.
	Container string
	// Previous asks for the instance of the container before the present one.
	Previous bool
	// Follow waits for further lines until the containers end.
	Follow bool
	// Since and Until bound the time of lines; zero times do not.
	Since, Until time.Time
	// Tail is how many of the last lines of each pod are looked at; negative for all.
	Tail int64
	// Filter picks lines by their text.
	Filter Filter
}

// Filter picks lines by their text. The zero value takes all.
type Filter struct {
	Text string
	// Not takes the lines that do not hold the text.
	Not bool
	// MatchCase tells A from a.
	MatchCase bool
}

// ParseFilter reads a filter as Argo CD's API has it: a text that begins with an exclamation mark is one not to be there.
func ParseFilter(text string, matchCase bool) Filter {
	wanted, not := strings.CutPrefix(text, "!")
	return Filter{Text: wanted, Not: not, MatchCase: matchCase}
}

// takes tells whether the line is wanted.
func (f Filter) takes(line string) bool {
	if f.Text == "" {
		return true
	}
	text := f.Text
	if !f.MatchCase {
		text, line = strings.ToLower(text), strings.ToLower(line)
	}
	return strings.Contains(line, text) != f.Not
}

// Line is one line of a log.
type Line struct {
	Pod  string
	Time time.Time
	// Text has no line break; a very long one is cut.
	Text string
}

const (
	// maxLine is how much of a line is kept.
	maxLine = 64 << 10
	// ahead is how many lines of a pod are read before they are wanted.
	ahead = 32
	// patience is how long a line waits for earlier ones of other pods while logs are followed.
	patience = 100 * time.Millisecond
)

// Logs calls line with each wanted line, ordered by time over all pods, until there are no more, ctx ends, or line
// returns an error. A pod that cannot be read does not keep the others from being read; what was wrong with it is
// returned at the end.
func (c *Client) Logs(ctx context.Context, r LogRequest, line func(Line) error) error {
	if len(r.Pods) == 0 {
		return errors.New("no pods were named whose logs are wanted")
	}
	ctx, cancel := context.WithCancel(ctx)
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	failures := make([]error, len(r.Pods))
	sources := make([]<-chan Line, len(r.Pods))
	came := make(chan struct{}, 1)
	for i, pod := range r.Pods {
		lines := make(chan Line, ahead)
		sources[i] = lines
		group.Go(func() {
			defer leave(came)
			defer close(lines)
			failures[i] = c.read(ctx, r, pod, lines, came)
		})
	}
	wait := time.Duration(0)
	if r.Follow {
		wait = patience
	}
	if err := merge(ctx, sources, came, wait, line); err != nil {
		return err
	}
	group.Wait()
	return errors.Join(failures...)
}

// read sends the wanted lines of one pod.
func (c *Client) read(ctx context.Context, r LogRequest, pod types.NamespacedName, lines chan<- Line, came chan<- struct{}) error {
	options := &corev1.PodLogOptions{Container: r.Container, Follow: r.Follow, Previous: r.Previous, Timestamps: true}
	if r.Tail >= 0 {
		options.TailLines = &r.Tail
	}
	if !r.Since.IsZero() {
		since := metav1.NewTime(r.Since)
		options.SinceTime = &since
	}
	if r.Follow && !r.Until.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, r.Until)
		defer cancel()
	}
	body, err := c.kube.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, options).Stream(ctx)
	if err != nil {
		return fmt.Errorf("reading the log of pod %s: %w", pod, err)
	}
	defer body.Close()
	reader := bufio.NewReader(body)
	for {
		text, err := readLine(reader)
		if text != "" {
			l := parseLine(pod.Name, text)
			if !r.Until.IsZero() && l.Time.After(r.Until) {
				return nil
			}
			if r.Filter.takes(l.Text) {
				select {
				case lines <- l:
					leave(came)
				case <-ctx.Done():
					return nil
				}
			}
		}
		switch {
		case errors.Is(err, io.EOF), err != nil && ctx.Err() != nil:
			return nil
		case err != nil:
			return fmt.Errorf("reading the log of pod %s: %w", pod, err)
		}
	}
}

// readLine returns the next line without its end, cut at maxLine.
func readLine(r *bufio.Reader) (string, error) {
	var line []byte
	for {
		chunk, err := r.ReadSlice('\n')
		line = append(line, chunk[:min(len(chunk), maxLine-len(line))]...)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		return strings.TrimRight(string(line), "\r\n"), err
	}
}

// parseLine takes the time off a line.
func parseLine(pod, line string) Line {
	stamp, text, _ := strings.Cut(line, " ")
	at, err := time.Parse(time.RFC3339Nano, stamp)
	if err != nil {
		return Line{Pod: pod, Text: line}
	}
	return Line{Pod: pod, Time: at, Text: text}
}
