package v1alpha1

import (
	"encoding/json"
	"fmt"

	"sigs.k8s.io/yaml"
)

// ResourceOverride changes how objects of one kind are treated. It is what an entry of
// resource.customizations in the ConfigMap argocd-cm says.
type ResourceOverride struct {
	// HealthLua is a Lua script that assesses the health of an object.
	HealthLua string `protobuf:"bytes,1,opt,name=healthLua"`
	// UseOpenLibs gives that script Lua's standard libraries.
	UseOpenLibs bool `protobuf:"bytes,5,opt,name=useOpenLibs"`
	// Actions is YAML text with a ResourceActions.
	Actions string `protobuf:"bytes,3,opt,name=actions"`
	// IgnoreDifferences names fields whose differences do not count.
	IgnoreDifferences OverrideIgnoreDiff `protobuf:"bytes,2,opt,name=ignoreDifferences"`
	// IgnoreResourceUpdates names fields whose changes start no new comparison.
	IgnoreResourceUpdates OverrideIgnoreDiff `protobuf:"bytes,6,opt,name=ignoreResourceUpdates"`
	// KnownTypeFields name fields that hold Kubernetes types, for kinds whose schema does not tell.
	KnownTypeFields []KnownTypeField `protobuf:"bytes,4,opt,name=knownTypeFields"`
}

// resourceOverrideJSON is how a ResourceOverride is written, as in the ConfigMap: the two rules are
// YAML text inside.
type resourceOverrideJSON struct {
	HealthLua             string           `json:"health.lua,omitempty"`
	UseOpenLibs           bool             `json:"health.lua.useOpenLibs,omitempty"`
	Actions               string           `json:"actions,omitempty"`
	IgnoreDifferences     string           `json:"ignoreDifferences,omitempty"`
	IgnoreResourceUpdates string           `json:"ignoreResourceUpdates,omitempty"`
	KnownTypeFields       []KnownTypeField `json:"knownTypeFields,omitempty"`
}

// MarshalJSON writes the form that resource.customizations uses.
func (o ResourceOverride) MarshalJSON() ([]byte, error) {
	differences, err := yaml.Marshal(o.IgnoreDifferences)
	if err != nil {
		return nil, fmt.Errorf("write rules about differences: %w", err)
	}
	updates, err := yaml.Marshal(o.IgnoreResourceUpdates)
	if err != nil {
		return nil, fmt.Errorf("write rules about updates: %w", err)
	}
	return json.Marshal(resourceOverrideJSON{
		HealthLua:             o.HealthLua,
		UseOpenLibs:           o.UseOpenLibs,
		Actions:               o.Actions,
		IgnoreDifferences:     string(differences),
		IgnoreResourceUpdates: string(updates),
		KnownTypeFields:       o.KnownTypeFields,
	})
}

// UnmarshalJSON reads the form that resource.customizations uses.
func (o *ResourceOverride) UnmarshalJSON(data []byte) error {
	var in resourceOverrideJSON
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	out := ResourceOverride{
		HealthLua:       in.HealthLua,
		UseOpenLibs:     in.UseOpenLibs,
		Actions:         in.Actions,
		KnownTypeFields: in.KnownTypeFields,
	}
	if err := yaml.Unmarshal([]byte(in.IgnoreDifferences), &out.IgnoreDifferences); err != nil {
		return fmt.Errorf("ignoreDifferences is not the YAML of a rule: %w", err)
	}
	if err := yaml.Unmarshal([]byte(in.IgnoreResourceUpdates), &out.IgnoreResourceUpdates); err != nil {
		return fmt.Errorf("ignoreResourceUpdates is not the YAML of a rule: %w", err)
	}
	*o = out
	return nil
}

// OverrideIgnoreDiff names fields of one kind of objects.
type OverrideIgnoreDiff struct {
	// JSONPointers name fields in the syntax of RFC 6901.
	JSONPointers []string `json:"jsonPointers" protobuf:"bytes,1,rep,name=jSONPointers"`
	// JQPathExpressions name fields by jq paths.
	JQPathExpressions []string `json:"jqPathExpressions" protobuf:"bytes,2,opt,name=jqPathExpressions"`
	// ManagedFieldsManagers name fields by the managers that own them.
	ManagedFieldsManagers []string `json:"managedFieldsManagers" protobuf:"bytes,3,opt,name=managedFieldsManagers"`
}

// KnownTypeField tells the Kubernetes type of a field.
type KnownTypeField struct {
	// Field is the path of the field, with dots between its parts.
	Field string `json:"field,omitempty" protobuf:"bytes,1,opt,name=field"`
	// Type is the type, such as core/v1/PodSpec or core/Quantity.
	Type string `json:"type,omitempty" protobuf:"bytes,2,opt,name=type"`
}

// ResourceActions are the actions that objects of one kind offer.
type ResourceActions struct {
	// ActionDiscoveryLua is a Lua script that tells which actions an object offers.
	ActionDiscoveryLua string `json:"discovery.lua,omitempty" protobuf:"bytes,1,opt,name=actionDiscoveryLua"`
	// Definitions are the actions.
	Definitions []ResourceActionDefinition `json:"definitions,omitempty" protobuf:"bytes,2,rep,name=definitions"`
	// MergeBuiltinActions offers the built-in actions too.
	MergeBuiltinActions bool `json:"mergeBuiltinActions,omitempty" protobuf:"bytes,3,opt,name=mergeBuiltinActions"`
}

// ResourceActionDefinition is one action.
type ResourceActionDefinition struct {
	// Name is the name of the action.
	Name string `json:"name" protobuf:"bytes,1,opt,name=name"`
	// ActionLua is a Lua script that carries it out.
	ActionLua string `json:"action.lua" protobuf:"bytes,2,opt,name=actionLua"`
}

// ResourceAction is an action that an object offers.
type ResourceAction struct {
	// Name is the name of the action.
	Name string `json:"name,omitempty" protobuf:"bytes,1,opt,name=name"`
	// Params are what the action must be given.
	Params []ResourceActionParam `json:"params,omitempty" protobuf:"bytes,2,rep,name=params"`
	// Disabled is true when the action cannot be chosen now.
	Disabled bool `json:"disabled,omitempty" protobuf:"varint,3,opt,name=disabled"`
	// IconClass is the CSS class of its icon.
	IconClass string `json:"iconClass,omitempty" protobuf:"bytes,4,opt,name=iconClass"`
	// DisplayName is the name shown to people. Default: Name.
	DisplayName string `json:"displayName,omitempty" protobuf:"bytes,5,opt,name=displayName"`
}

// ResourceActionParam is something that an action must be given.
type ResourceActionParam struct {
	// Name is the name of the parameter.
	Name string `json:"name,omitempty" protobuf:"bytes,1,opt,name=name"`
}
