package helm

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
	chartv2 "helm.sh/helm/v4/pkg/chart/v2"

	"github.com/fairlead-cd/fairlead/internal/render"
)

// schema is a values.schema.json. It is compiled once.
type schema struct {
	text     []byte
	once     sync.Once
	compiled *jsonschema.Schema
	err      error
}

const schemaName = "file:///values.schema.json"

func (s *schema) compile() (*jsonschema.Schema, error) {
	s.once.Do(func() {
		defer func() {
			if r := recover(); r != nil {
				s.err = fmt.Errorf("values.schema.json cannot be used: %v", r)
			}
		}()
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(s.text))
		if err != nil {
			s.err = fmt.Errorf("values.schema.json is not valid JSON: %w", err)
			return
		}
		compiler := jsonschema.NewCompiler()
		compiler.UseLoader(schemaLoader{})
		if err := compiler.AddResource(schemaName, document); err != nil {
			s.err = fmt.Errorf("values.schema.json: %w", err)
			return
		}
		if s.compiled, err = compiler.Compile(schemaName); err != nil {
			s.err = fmt.Errorf("values.schema.json: %w", err)
		}
	})
	return s.compiled, s.err
}

// schemaLoader refuses what Helm would load from the network or from the disk. URNs that nobody knows allow everything.
type schemaLoader struct{}

// Load implements jsonschema.URLLoader.
func (schemaLoader) Load(url string) (any, error) {
	if strings.HasPrefix(url, "urn:") {
		return true, nil
	}
	return nil, fmt.Errorf("schemas from elsewhere (%s) are not loaded; "+
		"put it below $defs of values.schema.json, or set helm.skipSchemaValidation", url)
}

// validate checks the values of a chart and of its dependencies.
func (r *resolver) validate(c *chartv2.Chart, values map[string]any) error {
	var problems []string
	r.violations(c, values, &problems)
	if len(problems) == 0 {
		return nil
	}
	return fmt.Errorf("%w: values don't meet the specifications of the schema(s) in the following chart(s):\n%s",
		render.ErrInvalidSource, strings.Join(problems, "\n"))
}

func (r *resolver) violations(c *chartv2.Chart, values map[string]any, to *[]string) {
	if len(c.Schema) > 0 {
		if problem := r.schemas[&c.Schema[0]].check(values); problem != "" {
			*to = append(*to, c.Name()+":\n"+problem)
		}
	}
	for _, d := range c.Dependencies() {
		switch below := values[d.Name()].(type) {
		case nil:
		case map[string]any:
			r.violations(d, below, to)
		default:
			*to = append(*to, fmt.Sprintf("%s:\ninvalid type for values: expected object (map), got %T", d.Name(), below))
		}
	}
}

// check says what is wrong with the values, or nothing.
func (s *schema) check(values map[string]any) (problem string) {
	compiled, err := s.compile()
	if err != nil {
		return err.Error()
	}
	defer func() {
		if r := recover(); r != nil {
			problem = "unable to validate values"
		}
	}()
	err = compiled.Validate(values)
	var invalid *jsonschema.ValidationError
	switch {
	case err == nil:
		return ""
	case !errors.As(err, &invalid):
		return err.Error()
	}
	var lines []string
	describe(invalid, message.NewPrinter(language.English), &lines)
	return strings.Join(lines, "\n")
}

// describe lists what went wrong at which place of the values, without the values themselves: these may be secret.
func describe(e *jsonschema.ValidationError, p *message.Printer, to *[]string) {
	if len(e.Causes) > 0 {
		for _, cause := range e.Causes {
			describe(cause, p, to)
		}
		return
	}
	what := ""
	switch k := e.ErrorKind.(type) {
	case *kind.Format:
		what = "it is not a valid " + k.Want
	case *kind.Pattern:
		what = "it does not match pattern " + k.Want
	case *kind.InvalidJsonValue, *kind.ContentEncoding, *kind.ContentMediaType, *kind.ContentSchema:
		what = "it has the wrong content"
	default:
		what = e.ErrorKind.LocalizedString(p)
	}
	*to = append(*to, fmt.Sprintf("- at '/%s': %s", strings.Join(e.InstanceLocation, "/"), what))
}
