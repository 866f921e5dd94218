package pods

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

func TestProgramOf(t *testing.T) {
	forever := Program{}
	for behaviour, test := range map[string]struct {
		command   []string
		args      []string
		completes bool
		want      Program
	}{
		"no command runs for ever":                     {want: forever},
		"no command ends at once in a Job":             {completes: true, want: Program{Ends: true}},
		"an unknown command runs for ever":             {command: []string{"nginx"}, want: forever},
		"an unknown command ends at once in a Job":     {command: []string{"migrate", "up"}, completes: true, want: Program{Ends: true}},
		"true succeeds":                                {command: []string{"true"}, want: Program{Ends: true}},
		"a path to true succeeds":                      {command: []string{"/bin/true"}, want: Program{Ends: true}},
		"false fails":                                  {command: []string{"false"}, want: Program{Ends: true, ExitCode: 1}},
		"exit 0 succeeds":                              {command: []string{"exit", "0"}, want: Program{Ends: true}},
		"exit N fails with N":                          {command: []string{"exit"}, args: []string{"42"}, want: Program{Ends: true, ExitCode: 42}},
		"exit with no number is unknown":               {command: []string{"exit", "now"}, want: forever},
		"sleep N runs N seconds":                       {args: []string{"sleep", "5"}, want: Program{Ends: true, After: 5 * time.Second}},
		"sleep knows units and fractions":              {command: []string{"sleep", "1m", "0.5"}, want: Program{Ends: true, After: 60500 * time.Millisecond}},
		"sleep infinity runs for ever":                 {command: []string{"sleep", "infinity"}, want: forever},
		"a script is read":                             {command: []string{"sh", "-c"}, args: []string{"exit 3"}, want: Program{Ends: true, ExitCode: 3}},
		"a script adds up":                             {command: []string{"/bin/sh", "-c", "sleep 1; sleep 2; exit 3"}, want: Program{Ends: true, After: 3 * time.Second, ExitCode: 3}},
		"a script ends like its last command":          {command: []string{"sh", "-c", "false\ntrue"}, want: Program{Ends: true}},
		"-e ends a script at the first failure":        {command: []string{"sh", "-ec", "false; sleep 9"}, want: Program{Ends: true, ExitCode: 1}},
		"set -e does, too":                             {command: []string{"sh", "-c", "set -e; false; sleep 9"}, want: Program{Ends: true, ExitCode: 1}},
		"&& and || are honoured":                       {command: []string{"sh", "-c", "false && sleep 9 || exit 4"}, want: Program{Ends: true, ExitCode: 4}},
		"a script goes on for ever at what is unknown": {command: []string{"sh", "-c", "sleep 1; serve; exit 1"}, want: Program{After: time.Second}},
		"a loop goes on for ever":                      {command: []string{"sh", "-c", "while true; do sleep 1; done"}, want: forever},
		"a Job's script ends well at what is unknown":  {command: []string{"sh", "-c", "sleep 1; false; migrate | tee log"}, completes: true, want: Program{Ends: true, After: time.Second}},
		"echo prints when its turn comes":              {command: []string{"sh", "-c", "echo a; sleep 2; echo 'b  c'"}, want: Program{Ends: true, After: 2 * time.Second, Prints: []Print{{Text: "a"}, {At: 2 * time.Second, Text: "b  c"}}}},
	} {
		t.Run(behaviour, func(t *testing.T) {
			got := ProgramOf(&corev1.Container{Command: test.command, Args: test.args}, test.completes)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestMissing(t *testing.T) {
	for image, want := range map[string]bool{
		"registry.invalid/app:1":           true,
		"a.registry.invalid:5000/team/app": true,
		"nginx":                            false,
		"nginx.invalid":                    false,
		"team.x/app.invalid":               false,
		"ghcr.io/team/app":                 false,
	} {
		if got := missing(image); got != want {
			t.Errorf("missing(%q) = %t", image, got)
		}
	}
}

func TestPool(t *testing.T) {
	p := newPool()
	p.keep("old", "10.244.0.1")
	p.keep("elsewhere", "192.0.2.1")
	first, err := p.get("a")
	if err != nil || first != "10.244.0.2" {
		t.Fatalf("the first free address is %s, %v", first, err)
	}
	if again, _ := p.get("a"); again != first {
		t.Errorf("a pod got %s and then %s", first, again)
	}
	p.release("a")
	if other, _ := p.get("b"); other == first {
		t.Error("an address was given again at once")
	}
}
