package render

import "unique"

// intern makes equal map keys share their memory: thousands of objects have the same few hundred field names.
func intern(value any) {
	switch v := value.(type) {
	case map[string]any:
		for key, field := range v {
			v[unique.Make(key).Value()] = field
			intern(field)
		}
	case []any:
		for _, item := range v {
			intern(item)
		}
	}
}
