package worker

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"sync"

	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/packed"
)

// remoteExternal is the External of the parent.
type remoteExternal struct {
	c *conversation

	mu           sync.Mutex
	repositories map[[2]string]fs.FS
}

var _ render.External = (*remoteExternal)(nil)

func newRemoteExternal(c *conversation) *remoteExternal {
	return &remoteExternal{c: c, repositories: map[[2]string]fs.FS{}}
}

// ask asks about some texts.
func (e *remoteExternal) ask(ctx context.Context, op operation, texts ...string) (*packed.Reader, error) {
	return e.c.ask(ctx, op, func(b []byte) []byte {
		for _, text := range texts {
			b = packed.Text(b, text)
		}
		return b
	})
}

// text asks for a text or bytes.
func (e *remoteExternal) text(ctx context.Context, op operation, texts ...string) ([]byte, error) {
	r, err := e.ask(ctx, op, texts...)
	if err != nil {
		return nil, err
	}
	return r.Take(r.Len()), nil
}

// Variable implements render.External.
func (e *remoteExternal) Variable(ctx context.Context, name string) (string, error) {
	value, err := e.text(ctx, opVariable, name)
	return string(value), err
}

// HasAPI implements render.External.
func (e *remoteExternal) HasAPI(ctx context.Context, version string) (bool, error) {
	r, err := e.ask(ctx, opHasAPI, version)
	if err != nil {
		return false, err
	}
	return r.Bool(), r.Close()
}

// APIVersions implements render.External.
func (e *remoteExternal) APIVersions(ctx context.Context) ([]string, error) {
	r, err := e.ask(ctx, opAPIVersions)
	if err != nil {
		return nil, err
	}
	var versions []string
	for range r.Count(1) {
		versions = append(versions, r.Text())
	}
	return versions, r.Close()
}

// Chart implements render.External.
func (e *remoteExternal) Chart(ctx context.Context, ref render.ChartRef) (render.Chart, error) {
	encoded, err := json.Marshal(ref)
	if err != nil {
		return render.Chart{}, fmt.Errorf("naming %s: %w", ref, err)
	}
	r, err := e.ask(ctx, opChart, string(encoded))
	if err != nil {
		return render.Chart{}, err
	}
	number := r.Uint()
	chart := render.Chart{Version: r.Text(), Digest: r.Text(), Archive: func(ctx context.Context) ([]byte, error) {
		r, err := e.c.ask(ctx, opArchive, func(b []byte) []byte { return packed.Uint(b, number) })
		if err != nil {
			return nil, err
		}
		return r.Take(r.Len()), nil
	}}
	return chart, r.Close()
}

// Repository implements render.External.
func (e *remoteExternal) Repository(ctx context.Context, url, revision string) (fs.FS, error) {
	e.mu.Lock()
	known := e.repositories[[2]string{url, revision}]
	e.mu.Unlock()
	if known != nil {
		return known, nil
	}
	r, err := e.ask(ctx, opRepository, url, revision)
	if err != nil {
		return nil, err
	}
	fsys := &remoteFS{c: e.c, root: r.Uint()}
	if err := r.Close(); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.repositories[[2]string{url, revision}] = fsys
	return fsys, nil
}

// Download implements render.External.
func (e *remoteExternal) Download(ctx context.Context, url string) ([]byte, error) {
	return e.text(ctx, opDownload, url)
}

// DataKey implements render.External.
func (e *remoteExternal) DataKey(ctx context.Context, key render.EncryptedDataKey) ([]byte, error) {
	return e.text(ctx, opDataKey, key.Type, string(key.Key), string(key.Ciphertext))
}

// Keyring implements render.External.
func (e *remoteExternal) Keyring(ctx context.Context) (string, error) {
	id, err := e.text(ctx, opKeyring)
	return string(id), err
}

// Discover implements render.External.
func (e *remoteExternal) Discover(ctx context.Context, dir string) (string, error) {
	name, err := e.text(ctx, opDiscover, dir)
	return string(name), err
}

// Generate implements render.External.
func (e *remoteExternal) Generate(ctx context.Context, call render.PluginCall) ([]byte, error) {
	r, err := e.c.ask(ctx, opGenerate, func(b []byte) []byte {
		b = packed.Text(packed.Text(packed.Text(b, call.Name), call.Path), call.Parameters)
		b = packed.Uint(b, uint64(len(call.Env)))
		for _, variable := range call.Env {
			b = packed.Text(b, variable)
		}
		return b
	})
	if err != nil {
		return nil, err
	}
	return r.Take(r.Len()), nil
}
