package alias

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// laughs is a mapping of levels of lists, each of ten aliases of the one before.
func laughs(levels int) string {
	var b strings.Builder
	b.WriteString("l0: &l0 lol\n")
	for i := 1; i <= levels; i++ {
		fmt.Fprintf(&b, "l%d: &l%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*l%d, ", i-1), 10), ", "))
	}
	return b.String()
}

func TestCheck(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	for name, test := range map[string]struct {
		text string
		want error
	}{
		"nothing":                                    {"", nil},
		"no YAML and no alias":                       {"{{ if }}: [", nil},
		"signs that are no aliases":                  {"url: http://x/?a=b&c=d\ncron: '*/5 * * * *'\nglob: '**/x'\n", nil},
		"an alias":                                   {"a: &a {b: c}\nd: *a\n", nil},
		"a key to merge":                             {"a: &a {b: c}\nd: {<<: *a, e: f}\n", nil},
		"few levels":                                 {laughs(5), nil},
		"a billion laughs":                           {laughs(9), ErrTooLarge},
		"so many that a count overflows":             {laughs(40), ErrTooLarge},
		"a billion laughs in a second document":      {"a: b\n---\n" + laughs(9), ErrTooLarge},
		"a billion laughs behind a document's end":   {"a: b\n...\n---\n" + laughs(9), ErrTooLarge},
		"a billion laughs in a block of a list":      {"- " + strings.ReplaceAll(strings.TrimSpace(laughs(9)), "\n", "\n  "), ErrTooLarge},
		"a billion laughs in flow style":             {"{" + strings.ReplaceAll(strings.TrimSpace(laughs(9)), "\n", ",\n") + "}", ErrTooLarge},
		"a billion laughs in UTF-16":                 {utf16(laughs(9)), ErrTooLarge},
		"a billion laughs behind a byte order mark":  {"\xef\xbb\xbf" + laughs(9), ErrTooLarge},
		"a billion laughs with keys to merge":        {merges(30), ErrTooLarge},
		"a long text repeated":                       {"a: &a " + long + "\nb: [" + strings.Repeat("*a, ", 40) + "]\n", ErrTooLarge},
		"a long text repeated over many documents":   {strings.Repeat("--- [&a "+long+", *a]\n", 40), ErrTooLarge},
		"a long text without repetition":             {"a: &a x\nc: *a\nb: " + strings.Repeat(long, 40), nil},
		"an anchor that contains itself":             {"a: &a [*a]\n", ErrEndless},
		"two anchors that contain each other":        {"a: &a {b: &b [*a], c: *b}\n", ErrEndless},
		"an anchor that contains itself, second":     {"a: b\n---\na: &a {b: *a}\n", ErrEndless},
		"an anchor that is set again within its own": {"a: &a [&a x, *a]\n", nil},
		"an alias of a later anchor":                 {"a: *b\nb: &b c\n", ErrNotYAML},
		"levels in a document each":                  {strings.ReplaceAll(laughs(9), "\n", "\n---\n"), ErrTooLarge},
		"no YAML with what may be aliases":           {"a: &a b\nc: [*a\n", ErrNotYAML},
	} {
		t.Run(name, func(t *testing.T) {
			err := Check([]byte(test.text))
			if !errors.Is(err, test.want) || test.want == nil && err != nil {
				t.Errorf("gives %v, want %v", err, test.want)
			}
		})
	}
}

func utf16(text string) string {
	var b strings.Builder
	b.WriteString("\xff\xfe")
	for _, c := range []byte(text) {
		b.Write([]byte{c, 0})
	}
	return b.String()
}

// merges is a mapping of levels that each merge the one before, and hold it once more.
func merges(levels int) string {
	var b strings.Builder
	b.WriteString("l0: &l0 {a: b}\n")
	for i := 1; i <= levels; i++ {
		fmt.Fprintf(&b, "l%d: &l%d {<<: *l%d, k%d: *l%d}\n", i, i, i-1, i, i-1)
	}
	return b.String()
}

// FuzzCheck checks that what passes can be expanded, within the bound.
func FuzzCheck(f *testing.F) {
	for _, seed := range []string{
		"a: &a b\nc: *a", "a: &a [*a]", laughs(3), laughs(9), merges(3), "--- &a x\n--- *a", "&a {*a : b}", "[&a , *a]", "? &a b\n: *a",
		"\xff\xfe&\x00a\x00 \x00b\x00", "&a !!str b: *a", "&a-b *a-b", "\"a\":*b", "a: &\xc3\xa9 b\nc: *\xc3\xa9",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 1<<16 || Check(text) != nil {
			return
		}
		decoder := yaml.NewDecoder(strings.NewReader(string(text)))
		left := int64(MaxGrowth + 100*len(text) + 1000)
		for {
			var root yaml.Node
			if decoder.Decode(&root) != nil {
				return
			}
			spend(t, &root, &left)
		}
	})
}

// spend walks all of a document, expanding it.
func spend(t *testing.T, n *yaml.Node, left *int64) {
	t.Helper()
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if *left -= int64(len(n.Value)) + perNode; *left < 0 {
		t.Fatal("expands to more than is allowed")
	}
	for _, child := range n.Content {
		spend(t, child, left)
	}
}
