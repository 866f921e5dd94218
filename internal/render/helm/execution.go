package helm

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"text/template"

	"helm.sh/helm/v4/pkg/chart/common"
	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
)

// execution is one execution of the templates of a chart and its dependencies.
//
// Helm's own engine parses all templates for each rendering, which takes as long as executing them. This one takes the
// trees from memory, and in all else does what Helm's does. It has to be right only about what succeeds: after any error
// Helm's own engine is asked, whose word counts.
type execution struct {
	compiler *compiler
	nested   map[string]int       // how many inclusions of a template are going on
	texts    map[string]*compiled // that went through tpl; kept no longer than this, since values may be secret
}

// templateSet are templates that see each other.
type templateSet struct {
	*execution
	templates *template.Template
	given     map[string]bool // the functions that they have
}

// maxNested is how often a template may be on the way at once; Helm allows as many.
const maxNested = 1000

var errEndless = errors.New("a template includes itself without end")

// execute gives the text of each template, under its full name.
func (c *compiler) execute(root *chartv2.Chart, scope common.Values) (texts map[string]string, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("a function of a template has failed: %v", r)
		}
	}()
	x := &execution{compiler: c, nested: map[string]int{}, texts: map[string]*compiled{}}
	set := x.newSet(template.New(setName), map[string]bool{})
	files := map[string]templateFile{}
	if _, err := gather(root, scope, files); err != nil {
		return nil, err
	}
	names := inOrder(files)
	for _, name := range names {
		trees, err := c.chart(files[name].text)
		if err != nil {
			return nil, err
		}
		if _, err = set.add(name, trees); err != nil {
			return nil, err
		}
	}
	texts = make(map[string]string, len(names))
	for _, name := range names {
		if strings.HasPrefix(path.Base(name), "_") {
			continue // it is there for its definitions
		}
		file := files[name]
		file.scope["Template"] = common.Values{"Name": name, "BasePath": file.folder}
		var out strings.Builder
		if err := set.templates.ExecuteTemplate(&out, name, file.scope); err != nil {
			return nil, err
		}
		texts[name] = withoutNoValue(out.String())
	}
	return texts, nil
}

func (x *execution) newSet(templates *template.Template, given map[string]bool) *templateSet {
	s := &templateSet{execution: x, templates: templates, given: given}
	templates.Option("missingkey=zero") // which a clone has forgotten
	templates.Funcs(template.FuncMap{"include": s.include, "tpl": s.tpl})
	given["include"], given["tpl"] = true, true
	return s
}

// add adds a text under a name, and what it defines, as if it were parsed here.
func (s *templateSet) add(name string, trees *compiled) (*template.Template, error) {
	if trees.defines[name] != nil {
		return nil, errUncommon // the parser has rules for what defines itself
	}
	s.give(trees)
	for defined, tree := range trees.defines {
		if _, err := s.templates.AddParseTree(defined, tree); err != nil {
			return nil, err
		}
	}
	return s.templates.New(name).AddParseTree(name, trees.main)
}

// give gives the functions that a text may call.
func (s *templateSet) give(to *compiled) {
	missing := template.FuncMap{}
	for _, name := range to.functions {
		if !s.given[name] {
			s.given[name], missing[name] = true, s.compiler.functions[name]
		}
	}
	if len(missing) > 0 {
		s.templates.Funcs(missing)
	}
}

// include executes a named template.
func (s *templateSet) include(name string, data any) (string, error) {
	if s.nested[name] > maxNested {
		return "", errEndless
	}
	s.nested[name]++
	var out strings.Builder
	err := s.templates.ExecuteTemplate(&out, name, data)
	s.nested[name]--
	return out.String(), err
}

// tpl executes a text. What it defines is there for itself alone.
func (s *templateSet) tpl(text string, data any) (string, error) {
	if !strings.Contains(text, "{{") {
		return withoutNoValue(text), nil
	}
	trees, ok := s.texts[text]
	if !ok {
		var err error
		if trees, err = s.compiler.compile(text); err != nil {
			return "", err
		}
		s.texts[text] = trees
	}
	var own *template.Template
	if len(trees.defines) == 0 {
		// The same templates and functions with another tree to execute: nothing has to be copied.
		s.give(trees)
		alone := *s.templates
		alone.Tree = trees.main
		own = &alone
	} else {
		clone, err := s.templates.Clone()
		if err != nil {
			return "", err
		}
		if own, err = s.newSet(clone, maps.Clone(s.given)).add(setName, trees); err != nil {
			return "", err
		}
	}
	var out strings.Builder
	if err := own.Execute(&out, data); err != nil {
		return "", err
	}
	return withoutNoValue(out.String()), nil
}

// withoutNoValue removes what text/template writes for a value that is not there, as Helm does.
func withoutNoValue(text string) string { return strings.ReplaceAll(text, "<no value>", "") }

// inOrder are the names of the templates in the order in which Helm parses and executes them, which decides whose
// definition of a name counts: those that lie deeper first, and among them backwards.
func inOrder(files map[string]templateFile) []string {
	return slices.SortedFunc(maps.Keys(files), func(a, b string) int {
		if by := strings.Count(b, "/") - strings.Count(a, "/"); by != 0 {
			return by
		}
		return strings.Compare(b, a)
	})
}
