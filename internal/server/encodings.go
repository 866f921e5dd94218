package server

import (
	"encoding/json"
	"fmt"
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// encodings keeps the JSON of the present version of each Application, so that it is made once however many lists and
// streams carry it.
type encodings struct {
	mu   sync.Mutex
	data map[types.NamespacedName]encoding
}

type encoding struct {
	uid     types.UID
	version string
	json    json.RawMessage
}

func newEncodings() *encodings {
	return &encodings{data: map[types.NamespacedName]encoding{}}
}

// of gives the JSON, which must not be changed.
func (e *encodings) of(app *v1alpha1.Application) (json.RawMessage, error) {
	key := types.NamespacedName{Namespace: app.Namespace, Name: app.Name}
	e.mu.Lock()
	known, ok := e.data[key]
	e.mu.Unlock()
	if ok && known.uid == app.UID && known.version == app.ResourceVersion && app.ResourceVersion != "" {
		return known.json, nil
	}
	data, err := json.Marshal(app)
	if err != nil {
		return nil, fmt.Errorf("encode Application %s: %w", key, err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.data[key] = encoding{app.UID, app.ResourceVersion, data}
	return data, nil
}

func (e *encodings) forget(app *v1alpha1.Application) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.data, types.NamespacedName{Namespace: app.Namespace, Name: app.Name})
}
