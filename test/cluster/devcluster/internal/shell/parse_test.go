package shell

import (
	"fmt"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	environment := map[string]string{"NAME": "web", "?": "3"}
	for behaviour, test := range map[string]struct {
		script string
		want   string // commands as printed by show
		ok     bool
	}{
		"an empty script has no commands":               {"", "", true},
		"words are split at blanks":                     {"echo  a\tb", "[echo a b]", true},
		"semicolons and newlines separate commands":     {"sleep 1; exit 2\ntrue", "[sleep 1] [exit 2] [true]", true},
		"conditions are kept":                           {"false && a || b", "[false] &&[a] ||[b]", true},
		"a newline after && goes on":                    {"true &&\n  exit 3", "[true] &&[exit 3]", true},
		"quotes keep blanks":                            {`echo 'a  b' "c d"`, "[echo a  b c d]", true},
		"an empty quoted word is a word":                {`echo ""`, "[echo ]", true},
		"a backslash takes the next character as it is": {`echo a\;b`, "[echo a;b]", true},
		"variables are replaced":                        {`echo $NAME-${NAME} "$NAME" '$NAME' $? $`, "[echo web-web web $NAME 3 $]", true},
		"a comment ends with its line":                  {"true # rest; exit 1\nfalse", "[true] [false]", true},
		"a pipe is beyond it":                           {"echo a; echo b | wc", "[echo a]", false},
		"command substitution is beyond it":             {"echo $(date)", "", false},
		"an open quote is beyond it":                    {"true; echo 'a", "[true]", false},
	} {
		t.Run(behaviour, func(t *testing.T) {
			commands, ok := Parse(test.script, func(name string) string { return environment[name] })
			if got := show(commands); got != test.want || ok != test.ok {
				t.Errorf("got %s, %t; want %s, %t", got, ok, test.want, test.ok)
			}
		})
	}
}

func show(commands []Command) string {
	var parts []string
	for _, command := range commands {
		parts = append(parts, fmt.Sprintf("%s%v", command.After, command.Words))
	}
	return strings.Join(parts, " ")
}

func TestScript(t *testing.T) {
	for behaviour, test := range map[string]struct {
		words       []string
		script      string
		exitOnError bool
		ok          bool
	}{
		"sh -c has a script":             {[]string{"sh", "-c", "exit 1"}, "exit 1", false, true},
		"a path to a shell is one":       {[]string{"/bin/bash", "-c", "a"}, "a", false, true},
		"-ec stops at errors":            {[]string{"sh", "-ec", "a"}, "a", true, true},
		"flags may stand apart":          {[]string{"sh", "-e", "-c", "a"}, "a", true, true},
		"a shell with a file has none":   {[]string{"sh", "run.sh", "-c"}, "", false, false},
		"another program has none":       {[]string{"nginx", "-c", "a"}, "", false, false},
		"a shell without arguments, too": {[]string{"sh"}, "", false, false},
	} {
		t.Run(behaviour, func(t *testing.T) {
			script, exitOnError, ok := Script(test.words)
			if script != test.script || exitOnError != test.exitOnError || ok != test.ok {
				t.Errorf("got %q, %t, %t", script, exitOnError, ok)
			}
		})
	}
}
