package helm_test

import (
	"strings"
	"testing"

	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/helm"
)

func TestValuesAreHeldAgainstTheSchema(t *testing.T) {
	base := map[string]string{
		"Chart.yaml":                    chartYAML("c", "1.0.0", "{name: sub, version: 1.0.0, alias: other, condition: other.on}"),
		"values.schema.json":            `{"properties": {"n": {"type": "integer", "maximum": 5}, "secret": {"type": "string", "pattern": "^[a-z]+$", "format": "ipv4"}, "mode": {"enum": ["a", "b"]}}}`,
		"charts/sub/Chart.yaml":         chartYAML("sub", "1.0.0"),
		"charts/sub/values.yaml":        "port: 80\n",
		"charts/sub/values.schema.json": `{"properties": {"port": {"type": "integer"}}, "required": ["port"]}`,
	}
	for name, test := range map[string]struct {
		schema string
		values map[string]any
		want   []string // empty: valid
	}{
		"valid":                      {values: map[string]any{"n": 3}},
		"the wrong type":             {values: map[string]any{"n": "text"}, want: []string{"c:\n", "at '/n'", "got string, want integer"}},
		"too much":                   {values: map[string]any{"n": 9}, want: []string{"at '/n'", "5"}},
		"none of a list":             {values: map[string]any{"mode": "hidden"}, want: []string{"at '/mode'", "'a', 'b'"}},
		"a pattern":                  {values: map[string]any{"secret": "HIDDEN"}, want: []string{"at '/secret'", "it does not match pattern ^[a-z]+$"}},
		"a subchart":                 {values: map[string]any{"other": map[string]any{"port": "hidden"}}, want: []string{"other:\n", "at '/port'"}},
		"a subchart that is off":     {values: map[string]any{"other": map[string]any{"on": false, "port": "x"}}},
		"several mistakes":           {values: map[string]any{"n": "x", "other": map[string]any{"port": nil}}, want: []string{"c:\n", "other:\n", "missing property 'port'"}},
		"a schema of the network":    {schema: `{"$ref": "https://127.0.0.1:1/x.json"}`, want: []string{"schemas from elsewhere (https://127.0.0.1:1/x.json) are not loaded"}},
		"a schema of the disk":       {schema: `{"$ref": "file:///etc/hostname"}`, want: []string{"schemas from elsewhere (file:///etc/hostname) are not loaded"}},
		"a schema beside it":         {schema: `{"$ref": "other.json"}`, want: []string{"schemas from elsewhere"}},
		"a name that nobody knows":   {schema: `{"properties": {"n": {"$ref": "urn:example:x"}}}`, values: map[string]any{"n": "x"}},
		"a schema that is no JSON":   {schema: `{`, want: []string{"values.schema.json is not valid JSON"}},
		"a schema that is no schema": {schema: `{"type": 5}`, want: []string{"values.schema.json"}},
	} {
		t.Run(name, func(t *testing.T) {
			files := tree(base)
			if test.schema != "" {
				files["values.schema.json"].Data = []byte(test.schema)
			}
			_, err := template(t.Context(), render.Inputs{Files: files}, ".", test.values, helm.Release{})
			if len(test.want) == 0 {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil {
				t.Fatal("there is no error")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is missing in %q", want, err)
				}
			}
			if strings.Contains(strings.ToLower(err.Error()), "hidden") {
				t.Errorf("a value is shown: %q", err)
			}
			if _, err := template(t.Context(), render.Inputs{Files: files}, ".", test.values, helm.Release{SkipSchemaValidation: true}); err != nil {
				t.Errorf("without validation: %v", err)
			}
		})
	}
}
