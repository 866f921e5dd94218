package protocol

import (
	"maps"
	"slices"
)

// ParametersResponse answers GetParametersAnnouncement.
type ParametersResponse struct {
	Parameters []Parameter
}

// AppendWire implements Message.
func (m *ParametersResponse) AppendWire(b []byte) []byte {
	for i := range m.Parameters {
		b = appendMessage(b, 1, &m.Parameters[i])
	}
	return b
}

// ParseWire implements Message.
func (m *ParametersResponse) ParseWire(b []byte) error {
	*m = ParametersResponse{}
	return eachField(b, func(f field) error {
		if !f.isText(1) {
			return nil
		}
		var p Parameter
		if err := p.ParseWire(f.bytes); err != nil {
			return err
		}
		m.Parameters = append(m.Parameters, p)
		return nil
	})
}

// Parameter is a parameter that a plugin announces: repository.ParameterAnnouncement. Its JSON is that of plugin.yaml and
// of the REST API.
type Parameter struct {
	// Name of the parameter.
	Name string `json:"name,omitempty"`
	// Title and Tooltip are for people.
	Title   string `json:"title,omitempty"`
	Tooltip string `json:"tooltip,omitempty"`
	// Required says that an Application has to set it.
	Required bool `json:"required,omitempty"`
	// ItemType is what the value or each element stands for, such as number; empty is string.
	ItemType string `json:"itemType,omitempty"`
	// CollectionType is string, array or map; empty is string.
	CollectionType string `json:"collectionType,omitempty"`
	// String, Array and Map are what holds when it is not set.
	String string            `json:"string,omitempty"`
	Array  []string          `json:"array,omitempty"`
	Map    map[string]string `json:"map,omitempty"`
}

// AppendWire implements Message.
func (m *Parameter) AppendWire(b []byte) []byte {
	b = appendText(b, 1, m.Name)
	b = appendText(b, 2, m.Title)
	b = appendText(b, 3, m.Tooltip)
	b = appendBool(b, 4, m.Required)
	b = appendText(b, 5, m.ItemType)
	b = appendText(b, 6, m.CollectionType)
	b = appendText(b, 7, m.String)
	for _, element := range m.Array {
		b = appendElement(b, 8, element)
	}
	for _, key := range slices.Sorted(maps.Keys(m.Map)) {
		b = appendMessage(b, 9, &Variable{Name: key, Value: m.Map[key]}) // entries have the numbers of a Variable
	}
	return b
}

// ParseWire implements Message.
func (m *Parameter) ParseWire(b []byte) error {
	*m = Parameter{}
	return eachField(b, func(f field) error {
		switch {
		case f.isText(1):
			m.Name = string(f.bytes)
		case f.isText(2):
			m.Title = string(f.bytes)
		case f.isText(3):
			m.Tooltip = string(f.bytes)
		case f.isNumber(4):
			m.Required = f.varint != 0
		case f.isText(5):
			m.ItemType = string(f.bytes)
		case f.isText(6):
			m.CollectionType = string(f.bytes)
		case f.isText(7):
			m.String = string(f.bytes)
		case f.isText(8):
			m.Array = append(m.Array, string(f.bytes))
		case f.isText(9):
			var entry Variable
			if err := entry.ParseWire(f.bytes); err != nil {
				return err
			}
			if m.Map == nil {
				m.Map = map[string]string{}
			}
			m.Map[entry.Name] = entry.Value
		}
		return nil
	})
}
