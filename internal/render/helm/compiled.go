package helm

import (
	"errors"
	"fmt"
	"strings"
	"text/template"
	"text/template/parse"
	"unicode"
)

// compiled are the parse trees of one template text: that of the text itself, and those of what it defines. They know
// nothing of the file that the text is of, are shared between renderings and do not change.
type compiled struct {
	main    *parse.Tree
	defines map[string]*parse.Tree
	// functions are those that the text may call. A set gets no others: there are 250, and to give all of them to each
	// set takes longer than most templates.
	functions []string
}

// compiler parses templates, and keeps the trees of those that charts are made of.
type compiler struct {
	functions template.FuncMap // that Helm has
	builtins  template.FuncMap // that text/template has itself; only the names matter
	kept      *cache[*compiled]
}

func newCompiler(cacheBytes int64) *compiler {
	c := &compiler{functions: templateFunctions(), builtins: template.FuncMap{}, kept: newCache[*compiled](cacheBytes)}
	for _, name := range []string{
		"and", "call", "html", "index", "slice", "js", "len", "not", "or", "print", "printf", "println", "urlquery",
		"eq", "ge", "gt", "le", "lt", "ne",
	} {
		c.builtins[name] = true
	}
	return c
}

// setName is what Helm calls a set of templates, and a text that goes through tpl.
const setName = "gotpl"

// textName stands for the name of the file while a text is parsed.
const textName = "this very text"

// errUncommon is what only Helm's own engine can do.
var errUncommon = errors.New("an uncommon template")

// chart gives the trees of a template of a chart.
func (c *compiler) chart(text string) (*compiled, error) {
	if known, ok := c.kept.get(text); ok {
		return known, nil
	}
	made, err := c.compile(text)
	if err != nil {
		return nil, err
	}
	const treesPerText = 12 // the trees of a text take about so many times its memory
	c.kept.put(text, made, int64(treesPerText*len(text))+2048)
	return made, nil
}

// compile parses a text.
func (c *compiler) compile(text string) (*compiled, error) {
	if strings.Contains(text, setName) || strings.Contains(text, textName) {
		return nil, errUncommon // it may name what is called otherwise here
	}
	trees, err := parse.Parse(textName, text, "", "", c.functions, c.builtins)
	if err != nil {
		return nil, fmt.Errorf("parsing: %w", err)
	}
	made := &compiled{main: trees[textName], defines: trees}
	delete(trees, textName)
	seen := map[string]bool{}
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if c.functions[word] != nil && !seen[word] {
			seen[word] = true
			made.functions = append(made.functions, word)
		}
	}
	return made, nil
}
