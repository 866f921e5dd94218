package repo

import (
	"context"

	"github.com/fairlead-cd/fairlead/internal/render"
)

// DataKey implements render.External, with the keys that the project may use.
func (e *external) DataKey(ctx context.Context, key render.EncryptedDataKey) ([]byte, error) {
	return e.local.Settings.Get().SOPSKeys.DataKey(ctx, e.req.Project, key)
}

// Keyring implements render.External.
func (e *external) Keyring(context.Context) (string, error) {
	return e.local.Settings.Get().SOPSKeys.ID(e.req.Project), nil
}
