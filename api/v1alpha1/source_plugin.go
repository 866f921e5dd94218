package v1alpha1

import (
	"encoding/json"
)

// ApplicationSourcePlugin names a config management plugin and holds what it is given.
type ApplicationSourcePlugin struct {
	// Name is the name of the plugin. Empty lets every plugin say whether it recognizes the source.
	Name string `json:"name,omitempty" protobuf:"bytes,1,opt,name=name"`
	// Env are environment variables for the plugin. It sees them with the prefix ARGOCD_ENV_.
	Env `json:"env,omitempty" protobuf:"bytes,2,opt,name=env"`
	// Parameters are the parameters that the plugin announces.
	Parameters ApplicationSourcePluginParameters `json:"parameters,omitempty" protobuf:"bytes,3,opt,name=parameters"`
}

// Env is a list of environment variables. Later entries win.
type Env []*EnvEntry

// EnvEntry is one environment variable.
type EnvEntry struct {
	// Name is the name of the variable.
	Name string `json:"name" protobuf:"bytes,1,opt,name=name"`
	// Value is its value. It may refer to variables of the build environment as $NAME or ${NAME}.
	Value string `json:"value" protobuf:"bytes,2,opt,name=value"`
}

// ApplicationSourcePluginParameters are the parameters of a plugin.
type ApplicationSourcePluginParameters []ApplicationSourcePluginParameter

// ApplicationSourcePluginParameter is one parameter of a plugin. Which of the three values counts
// depends on the type that the plugin announces for the parameter.
type ApplicationSourcePluginParameter struct {
	// Name is the name of the parameter.
	Name string `json:"name,omitempty" protobuf:"bytes,1,opt,name=name"`
	// String_ is the value of a string parameter.
	String_ *string `json:"string,omitempty" protobuf:"bytes,5,opt,name=string"`
	// OptionalMap is the value of a map parameter.
	*OptionalMap `json:",omitempty" protobuf:"bytes,3,rep,name=map"`
	// OptionalArray is the value of an array parameter.
	*OptionalArray `json:",omitempty" protobuf:"bytes,4,rep,name=array"`
}

// OptionalMap is a map that can be told apart from no map when it is empty, which plain protobuf
// maps cannot.
type OptionalMap struct {
	// Map are the entries.
	//
	// +optional
	Map map[string]string `json:"map" protobuf:"bytes,1,rep,name=map"`
}

// OptionalArray is a list that can be told apart from no list when it is empty, which plain
// protobuf lists cannot.
type OptionalArray struct {
	// Array are the elements.
	//
	// +optional
	Array []string `json:"array" protobuf:"bytes,1,rep,name=array"`
}

// IsZero reports whether nothing is set.
func (p *ApplicationSourcePlugin) IsZero() bool {
	return p == nil || (p.Name == "" && len(p.Env) == 0 && len(p.Parameters) == 0)
}

// Environ returns the variables as NAME=value strings, in order and without those that have no name.
func (e Env) Environ() []string {
	var environ []string
	for _, entry := range e {
		if entry != nil && entry.Name != "" {
			environ = append(environ, entry.Name+"="+entry.Value)
		}
	}
	return environ
}

// MarshalJSON writes the name always, and a map or array that is set but empty as {} or [] and not
// as null.
func (p ApplicationSourcePluginParameter) MarshalJSON() ([]byte, error) {
	out := map[string]any{"name": p.Name}
	if p.String_ != nil {
		out["string"] = *p.String_
	}
	if p.OptionalMap != nil {
		out["map"] = map[string]string{}
		if p.Map != nil {
			out["map"] = p.Map
		}
	}
	if p.OptionalArray != nil {
		out["array"] = []string{}
		if p.Array != nil {
			out["array"] = p.Array
		}
	}
	return json.Marshal(out)
}
