package settings

import (
	"fmt"
	"strconv"

	"sigs.k8s.io/yaml"
)

// Comparison are the settings that decide what counts as a difference.
type Comparison struct {
	// IgnoreAggregatedRoles leaves the rules of ClusterRoles out that the control plane fills in by aggregation.
	IgnoreAggregatedRoles bool
	// IgnoreStatus says of which objects the status never counts.
	IgnoreStatus StatusField
	// IgnoreDifferencesOnUpdates takes ignored differences for ignored updates as well.
	IgnoreDifferencesOnUpdates bool
	// IgnoreUpdates says whether rules about ignored updates hold at all (resource.ignoreResourceUpdatesEnabled).
	IgnoreUpdates bool
}

// StatusField says of which objects the field status is left out of comparisons.
type StatusField string

// The values that resource.compareoptions may give to ignoreResourceStatusField.
const (
	StatusOfAll  StatusField = "all"
	StatusOfCRDs StatusField = "crd"
	StatusOfNone StatusField = "none"
)

func defaultComparison() Comparison {
	return Comparison{IgnoreStatus: StatusOfAll, IgnoreDifferencesOnUpdates: true, IgnoreUpdates: true}
}

func comparison(p *parser, last Comparison) Comparison {
	c := parsed(p, "resource.compareoptions", compareOptions, defaultComparison(), last)
	c.IgnoreUpdates = parsed(p, "resource.ignoreResourceUpdatesEnabled", strconv.ParseBool, true, last.IgnoreUpdates)
	return c
}

func compareOptions(text string) (Comparison, error) {
	c := defaultComparison()
	var raw struct {
		IgnoreAggregatedRoles              bool   `json:"ignoreAggregatedRoles"`
		IgnoreResourceStatusField          string `json:"ignoreResourceStatusField"`
		IgnoreDifferencesOnResourceUpdates *bool  `json:"ignoreDifferencesOnResourceUpdates"`
	}
	if err := yaml.Unmarshal([]byte(text), &raw); err != nil {
		return c, fmt.Errorf("the value is not a YAML map of compare options: %w", err)
	}
	c.IgnoreAggregatedRoles = raw.IgnoreAggregatedRoles
	if raw.IgnoreDifferencesOnResourceUpdates != nil {
		c.IgnoreDifferencesOnUpdates = *raw.IgnoreDifferencesOnResourceUpdates
	}
	switch raw.IgnoreResourceStatusField {
	case "", "all":
	case "crd":
		c.IgnoreStatus = StatusOfCRDs
	case "none", "off", "false":
		c.IgnoreStatus = StatusOfNone
	default:
		return c, fmt.Errorf("ignoreResourceStatusField is %q, which is none of all, crd and none", raw.IgnoreResourceStatusField)
	}
	return c, nil
}
