package compare

import (
	"errors"
	"fmt"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/kube-openapi/pkg/schemaconv"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"sigs.k8s.io/structured-merge-diff/v6/schema"
	"sigs.k8s.io/structured-merge-diff/v6/typed"
)

const objectMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"

// metaTypes are the types that the metadata of every object is made of.
var metaTypes = []string{
	objectMeta,
	"io.k8s.apimachinery.pkg.apis.meta.v1.OwnerReference",
	"io.k8s.apimachinery.pkg.apis.meta.v1.ManagedFieldsEntry",
	"io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1",
	"io.k8s.apimachinery.pkg.apis.meta.v1.Time",
	"__untyped_atomic_", "__untyped_deduced_",
}

// SchemaOf returns the schema of a custom resource in one version, as the API
// server makes it of the definition: list types, atomic maps, fields that are
// kept although they are unknown, and defaults.
func (c *Comparer) SchemaOf(definition *apiextensionsv1.CustomResourceDefinition, version string) (*Schema, error) {
	for i := range definition.Spec.Versions {
		v := &definition.Spec.Versions[i]
		if v.Name != version {
			continue
		}
		if v.Schema == nil || v.Schema.OpenAPIV3Schema == nil {
			return nil, fmt.Errorf("version %s of %s has no schema", version, definition.Name)
		}
		made, err := c.newSchema(v.Schema.OpenAPIV3Schema, definition.Spec.PreserveUnknownFields)
		if err != nil {
			return nil, fmt.Errorf("the schema of %s in version %s: %w", definition.Name, version, err)
		}
		return made, nil
	}
	return nil, fmt.Errorf("%s has no version %s", definition.Name, version)
}

func (c *Comparer) newSchema(source *apiextensionsv1.JSONSchemaProps, preserve bool) (*Schema, error) {
	internal := &apiextensions.JSONSchemaProps{}
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(source, internal, nil); err != nil {
		return nil, err
	}
	structural, err := structuralschema.NewStructural(internal)
	if err != nil {
		return nil, err
	}
	if err := defaulting.PruneDefaults(structural); err != nil {
		return nil, err
	}
	const name = "object"
	bare := structural.StripValueValidations().StripNullable().ToKubeOpenAPI()
	embedObject(bare)
	embedded(bare)
	merged, err := schemaconv.ToSchemaFromOpenAPI(map[string]*spec.Schema{name: bare}, preserve)
	if err != nil {
		return nil, err
	}
	meta, err := c.builtins.metaTypes()
	if err != nil {
		return nil, err
	}
	parser := &typed.Parser{Schema: schema.Schema{Types: append(merged.Types, meta...)}}
	kind := parser.Type(name)
	return &Schema{kind: &kind, complete: func(object map[string]any) {
		defaulting.Default(object, structural)
		defaulting.PruneNonNullableNullsWithoutDefaults(object, structural)
	}}, nil
}

// embedObject gives a schema of an object the fields that every object has.
func embedObject(s *spec.Schema) {
	if s.Properties == nil {
		s.Properties = make(map[string]spec.Schema, 3)
	}
	s.Properties["apiVersion"] = *spec.StringProperty()
	s.Properties["kind"] = *spec.StringProperty()
	s.Properties["metadata"] = *spec.RefSchema("#/definitions/" + objectMeta)
}

// embedded does that for the objects inside of an object (x-kubernetes-embedded-resource).
func embedded(s *spec.Schema) {
	for name, property := range s.Properties {
		embedded(&property)
		s.Properties[name] = property
	}
	if s.Items != nil && s.Items.Schema != nil {
		embedded(s.Items.Schema)
	}
	if s.AdditionalProperties != nil && s.AdditionalProperties.Schema != nil {
		embedded(s.AdditionalProperties.Schema)
	}
	if is, ok := s.Extensions.GetBool("x-kubernetes-embedded-resource"); ok && is {
		embedObject(s)
	}
}

// metaTypes returns the types of the metadata, as the schemas of Kubernetes' own kinds define them.
func (s builtins) metaTypes() ([]schema.TypeDef, error) {
	sample := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap"}}
	value, err := s.known.ObjectToTyped(sample)
	if err != nil {
		return nil, err
	}
	types := make([]schema.TypeDef, 0, len(metaTypes))
	for _, name := range metaTypes {
		if def, ok := value.Schema().FindNamedType(name); ok {
			types = append(types, def)
		}
	}
	if len(types) == 0 {
		return nil, errors.New("the schemas of this program define no metadata")
	}
	return types, nil
}
