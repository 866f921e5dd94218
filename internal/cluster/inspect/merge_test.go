package inspect

import (
	"bufio"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// said makes a line that was said a number of seconds after a beginning.
func said(pod string, second int) Line {
	return Line{Pod: pod, Time: time.Unix(int64(second), 0), Text: fmt.Sprint(second)}
}

func TestLinesWaitForEarlierOnesButNotForEver(t *testing.T) {
	for sentence, c := range map[string]struct {
		wait time.Duration
		want []string
	}{
		"read to the end, all are in order":  {0, []string{"a 1", "b 2", "a 3", "b 4"}},
		"followed, one that is late is late": {100 * time.Millisecond, []string{"a 1", "a 3", "b 2", "b 4"}},
	} {
		t.Run(sentence, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				came := make(chan struct{}, 1)
				a, b := make(chan Line, 2), make(chan Line, 2)
				a <- said("a", 1)
				a <- said("a", 3)
				close(a)
				go func() {
					defer leave(came)
					defer close(b)
					time.Sleep(time.Second)
					b <- said("b", 2)
					b <- said("b", 4)
				}()
				var got []string
				err := merge(t.Context(), []<-chan Line{a, b}, came, c.wait, func(l Line) error {
					got = append(got, l.Pod+" "+l.Text)
					return nil
				})
				if err != nil || !slices.Equal(got, c.want) {
					t.Errorf("the lines are %q, want %q: %v", got, c.want, err)
				}
			})
		})
	}
}

func TestALongLineIsCut(t *testing.T) {
	r := bufio.NewReader(strings.NewReader(strings.Repeat("x", 3*maxLine) + "\nshort\r\nlast"))
	for _, want := range []int{maxLine, 5, 4} {
		if line, _ := readLine(r); len(line) != want {
			t.Errorf("the line has %d bytes, want %d", len(line), want)
		}
	}
}
